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
