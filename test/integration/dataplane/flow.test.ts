// Big messages and slow peers: all of it arrives, and memory stays flat. Bytes are counted as httpd counts them.
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import type { RawSocket } from '../../helpers/raw-socket.ts';
import { get, ok, request, stage } from './stage.ts';

const BIG = 200 * 1024 * 1024;
const BLOCK = Buffer.alloc(256 * 1024, 'x');
/** What may be under way between both ends: buffers of the kernel on both connections, and the lane's. */
const MAX_UNDER_WAY = 24 * 1024 * 1024;
/** What the process may grow by meanwhile. Both ends are in it, and garbage that nobody has collected yet. */
const MAX_GROWTH = 128 * 1024 * 1024;

/** Writes `count` bytes as fast as the socket takes them. */
function pour(socket: Socket, count: number): void {
  let left = count;
  const pump = (): void => {
    while (left > 0) {
      const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
      left -= block.length;
      if (!socket.write(block)) return;
    }
  };
  socket.on('drain', pump);
  pump();
}

/** Reads in short bursts until all `count` bytes are there; holds the lane to its bounds meanwhile. */
async function sip(from: Socket, to: RawSocket, start: number, count: number): Promise<void> {
  const sentBefore = from.bytesWritten;
  const rssBefore = process.memoryUsage.rss();
  let mostUnderWay = 0;
  let mostGrowth = 0;
  let isReading = true;
  const timer = setInterval(() => {
    const sent = from.bytesWritten - from.writableLength - sentBefore;
    mostUnderWay = Math.max(mostUnderWay, sent - (to.receivedBytes - start));
    mostGrowth = Math.max(mostGrowth, process.memoryUsage.rss() - rssBefore);
    isReading = !isReading;
    if (isReading) to.startReading();
    else to.stopReading();
  }, 5);
  try {
    await until(() => to.receivedBytes - start === count, 'all of it', 25_000);
  } finally {
    clearInterval(timer);
    to.startReading();
  }
  expect(mostUnderWay).toBeLessThan(MAX_UNDER_WAY);
  expect(mostGrowth).toBeLessThan(MAX_GROWTH);
}

test('a download of 200 MB to a slow reader', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n`);
  await client.take('\r\n\r\n');
  client.countOnly();
  const start = client.receivedBytes;
  pour(attempt.socket, BIG);
  await sip(attempt.socket, client, start, BIG);
  await lane.settled();
  expect(lane.member('received')).toBe(BIG + 'HTTP/1.1 200 OK'.length);
});

test('an upload of 200 MB to a slow reader', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request('PUT / HTTP/1.1', 'Host: a', `Content-Length: ${BIG}`));
  const attempt = await member.next();
  const head = await attempt.take('\r\n\r\n');
  attempt.countOnly();
  const start = attempt.receivedBytes;
  pour(client.socket, BIG);
  await sip(client.socket, attempt, start, BIG);
  attempt.send(ok('thanks'));
  expect((await client.takeMessage()).body).toBe('thanks');
  await lane.settled();
  expect(lane.member('sent')).toBe(BIG + head.length);
});

test('a slow reader of a last answer gets all of it', async () => {
  const { lane, member } = await stage({ laneLimits: { lingerMs: 200 } });
  const client = await lane.client();
  client.stopReading();
  client.send(get('/', 'Connection: close'));
  const attempt = await member.next();
  await attempt.takeMessage();
  const size = 20_000_000;
  attempt.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  pour(attempt.socket, size);
  let before = -1;
  // Until the lane has taken all that it takes while nobody reads.
  await until(() => {
    const now = lane.member('received');
    const isStill = now === before && now > 0;
    before = now;
    return isStill;
  }, 'the lane to stop');
  client.countOnly().startReading();
  await client.ended();
  expect(client.receivedBytes).toBeGreaterThan(size);
});

test('bytes are counted as httpd counts them', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  const body = '3\r\nabc\r\n0\r\n\r\n';
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked') + body);
  const attempt = await member.next();
  const { head } = await attempt.takeMessage();
  attempt.send(
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\nX: y\r\n\r\n',
  );
  await client.take('X: y\r\n\r\n');
  expect(lane.member('sent')).toBe(head.length + body.length);
  expect(lane.member('received')).toBe('HTTP/1.1 100 Continue'.length + 'HTTP/1.1 200 Fine'.length + 'four'.length);
});
