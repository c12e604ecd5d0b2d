// Many requests in one piece.
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage, stageLane } from './stage.ts';

test('thousands of requests that are answered here come and go in one piece', async () => {
  const lane = await stageLane([]);
  const client = await lane.client();
  // As many as one read can bring, each answered from within the one before.
  const one = request('GET / HTTP/1.1', 'Host:a');
  const count = Math.floor(65_536 / one.length);
  client.send(one.repeat(count));
  await until(() => client.text.split('HTTP/1.1 503 ').length - 1 === count, 'all answers');
});

test('requests that come in one piece and an answer each to them, also from a member that answers in one turn', async () => {
  const { lane, member } = await stage();
  member.answerAll((head) => ok(head.split(' ', 2)[1]!));
  const client = await lane.client();
  const count = 500;
  client.send(Array.from({ length: count }, (_, i) => get(`/${i}`)).join(''));
  for (let i = 0; i < count; i += 1) expect((await client.takeMessage()).body).toBe(`/${i}`);
  // One after the other over one connection.
  expect(member.connections).toHaveLength(1);
});

test('a client that leaves amid its next request takes the attempt under way with it', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  client.send('G');
  await until(() => client.socket.writableLength === 0, 'the byte to go');
  client.reset();
  await attempt.gone();
  await lane.settled();
});

test('what comes behind a request is read so far and no further', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  client.send(Buffer.alloc(20_000_000, 'a'));
  await until(() => client.socket.writableLength > 0, 'the client to be stopped');
  attempt.send(ok('first'));
  expect((await client.takeMessage()).body).toBe('first');
  expect((await client.take('\r\n\r\n')).slice(0, 12)).toBe('HTTP/1.1 414');
});
