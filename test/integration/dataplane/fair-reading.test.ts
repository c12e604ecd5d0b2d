// Nobody who sends much at once holds the lane for long: in one turn of its loop it reads a share from each, whatever has
// piled up, and everything arrives all the same. The lane runs in this thread, so its turns can be watched.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { READS_PER_TURN } from '../../../src/dataplane/read-turns.ts';
import type { LaneHarness } from '../../helpers/lane-harness.ts';
import type { RawSocket } from '../../helpers/raw-socket.ts';
import { get, request, stage, stageLane } from './stage.ts';

/** More than one turn could take if it took all that is there. */
const SIZE = 16_000_000;
const READ_BYTES = 65_536;
const HEAD_BYTES = 1_024;
/** The first of a read, and those behind it. */
const MOST_ANSWERS = 1 + 32;

/** The most that a counter grows by from one turn to the next until `isOver`. */
async function mostPerTurn(count: () => number, isOver: () => boolean): Promise<number> {
  let before = count();
  let most = 0;
  while (!isOver()) {
    await nextTurn();
    const now = count();
    most = Math.max(most, now - before);
    before = now;
  }
  return most;
}

test('a long answer is read in shares', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
  const head = await client.take('\r\n\r\n');
  attempt.send(Buffer.alloc(SIZE, 'a'));
  const most = await mostPerTurn(
    () => lane.member('received'),
    () => client.receivedBytes >= head.length + SIZE,
  );
  expect(most).toBeLessThanOrEqual(READS_PER_TURN * READ_BYTES);
  expect(client.receivedBytes).toBe(head.length + SIZE);
});

test('a long request is read in shares', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request('PUT / HTTP/1.1', 'Host: a', `Content-Length: ${SIZE}`));
  const attempt = await member.next();
  const head = await attempt.take('\r\n\r\n');
  client.send(Buffer.alloc(SIZE, 'a'));
  const most = await mostPerTurn(
    () => lane.member('sent'),
    () => attempt.receivedBytes >= head.length + SIZE,
  );
  expect(most).toBeLessThanOrEqual(READS_PER_TURN * READ_BYTES + HEAD_BYTES);
  expect(attempt.receivedBytes).toBe(head.length + SIZE);
});

test('requests that are answered here are answered in shares', async () => {
  const lane = await stageLane([]);
  const client = await lane.client();
  const one = request('GET / HTTP/1.1', 'Host:a');
  const count = Math.floor(READ_BYTES / one.length);
  client.send(one.repeat(count));
  const most = await mostPerTurn(
    () => lane.own(5),
    () => client.text.split('HTTP/1.1 503 ').length - 1 === count,
  );
  expect(most).toBeLessThanOrEqual(MOST_ANSWERS);
});

/** A tunnel; both ends are at their first byte. */
async function tunnel(): Promise<{ lane: LaneHarness; client: RawSocket; attempt: RawSocket }> {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await client.take('\r\n\r\n');
  return { lane, client, attempt };
}

test('a tunnel is read in shares, from the client', async () => {
  const { lane, client, attempt } = await tunnel();
  const before = attempt.receivedBytes;
  client.send(Buffer.alloc(SIZE, 'a'));
  const most = await mostPerTurn(
    () => lane.member('sent'),
    () => attempt.receivedBytes - before >= SIZE,
  );
  expect(most).toBeLessThanOrEqual(READS_PER_TURN * READ_BYTES);
});

test('a tunnel is read in shares, from the member', async () => {
  const { lane, client, attempt } = await tunnel();
  const before = client.receivedBytes;
  attempt.send(Buffer.alloc(SIZE, 'a'));
  const most = await mostPerTurn(
    () => lane.member('received'),
    () => client.receivedBytes - before >= SIZE,
  );
  expect(most).toBeLessThanOrEqual(READS_PER_TURN * READ_BYTES);
});
