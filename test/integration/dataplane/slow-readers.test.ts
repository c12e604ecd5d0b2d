// Bytes that wait for a slow reader are its own, whatever else the lane reads and writes meanwhile.
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage } from './stage.ts';

/** More than the kernel holds on both connections. */
const SIZE = 20_000_000;
/** An answer or a request of others, which fills what the lane reads into. */
const OTHER = 'b'.repeat(60_000);
const OTHERS = 20;

/** Until nothing moves: the lane has taken all that it takes while nobody reads. */
async function standstill(count: () => number): Promise<void> {
  let before = -1;
  await until(() => {
    const now = count();
    const isStill = now === before && now > 0;
    before = now;
    return isStill;
  }, 'the lane to stop');
}

test('an answer that waits for its client is not touched by other answers', async () => {
  const { lane, member } = await stage();
  const slow = await lane.client();
  slow.send(get());
  const slowAttempt = await member.next();
  await slowAttempt.takeMessage();
  const other = await lane.client();
  other.send(get());
  const otherAttempt = await member.next();
  await otherAttempt.takeMessage();
  // Both connections to the member are read from before anything has to wait.
  otherAttempt.send(ok('first'));
  expect((await other.takeMessage()).body).toBe('first');
  slow.stopReading();
  slowAttempt.send(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
  slowAttempt.send(Buffer.alloc(SIZE, 'a'));
  await standstill(() => lane.member('received'));
  for (let i = 0; i < OTHERS; i += 1) {
    other.send(get());
    await otherAttempt.takeMessage();
    otherAttempt.send(ok(OTHER));
    expect((await other.takeMessage()).body).toBe(OTHER);
  }
  const headBytes = (await slow.startReading().take('\r\n\r\n')).length;
  await until(() => slow.receivedBytes === headBytes + SIZE, 'all of it', 20_000);
  expect(slow.text.replaceAll('a', '')).toBe('');
});

test('a request that waits for its member is not touched by other requests', async () => {
  const { lane, member } = await stage();
  const slow = await lane.client();
  slow.send(request('PUT / HTTP/1.1', 'Host: a', `Content-Length: ${SIZE}`));
  const slowAttempt = await member.next();
  const headBytes = (await slowAttempt.take('\r\n\r\n')).length;
  slowAttempt.stopReading();
  slow.send(Buffer.alloc(SIZE, 'a'));
  await standstill(() => lane.member('sent'));
  const other = await lane.client();
  other.send(request('POST / HTTP/1.1', 'Host: a', `Content-Length: ${OTHER.length}`) + OTHER);
  const otherAttempt = await member.next();
  for (let i = 0; i < OTHERS; i += 1) {
    if (i > 0) other.send(request('POST / HTTP/1.1', 'Host: a', `Content-Length: ${OTHER.length}`) + OTHER);
    expect((await otherAttempt.takeMessage()).body).toBe(OTHER);
    otherAttempt.send(ok('thanks'));
    expect((await other.takeMessage()).body).toBe('thanks');
  }
  await until(() => slowAttempt.startReading().receivedBytes === headBytes + SIZE, 'all of it', 20_000);
  expect(slowAttempt.text.replaceAll('a', '')).toBe('');
});
