import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readInto } from '../../../src/dataplane/read-into.ts';
import { connectedPair } from '../../helpers/connected-pair.ts';
import { until } from '../../helpers/patience.ts';

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const part of open.splice(0)) part.destroy();
});

async function connected(): Promise<readonly [accepted: Socket, client: Socket]> {
  const pair = await connectedPair();
  open.push(...pair);
  return pair;
}

// Fails when a new Node does it otherwise: then reading costs a buffer each time, and readInto has to learn how.
test('an accepted socket reads into the buffer that it is given, until it is paused, to its end', async () => {
  const [accepted, client] = await connected();
  const buffer = Buffer.allocUnsafeSlow(8);
  let text = '';
  let isOurs = true;
  readInto(buffer, accepted, (bytes, size) => {
    text += bytes.toString('latin1', 0, size);
    isOurs &&= bytes.buffer === buffer.buffer;
    if (text === 'abc') accepted.pause();
  });
  let hasEnded = false;
  accepted.on('end', () => {
    hasEnded = true;
  });
  client.write('abc');
  await until(() => text === 'abc', 'the first bytes');
  client.end('defghijklmnop');
  await once(client, 'finish');
  expect(text).toBe('abc');
  accepted.resume();
  await until(() => hasEnded, 'the end');
  expect(text).toBe('abcdefghijklmnop');
  expect(isOurs).toBe(true);
});

test('a socket without the means of Node’s own gives its bytes all the same', async () => {
  const [accepted, client] = await connected();
  Object.assign((accepted as unknown as { _handle: object })._handle, { useUserBuffer: undefined });
  let text = '';
  readInto(Buffer.alloc(8), accepted, (bytes) => {
    text += bytes.toString('latin1');
  });
  client.write('0123456789');
  await until(() => text === '0123456789', 'the bytes');
});
