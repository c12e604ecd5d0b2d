// The way out over real sockets: what the kernel does not take must arrive all the same, and what is gone gets nothing.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { Outbox } from '../../../src/dataplane/outbox.ts';
import { Outlet } from '../../../src/dataplane/outlet.ts';
import { ReadBuffer } from '../../../src/dataplane/read-buffer.ts';
import { descriptorOf, handleOf } from '../../../src/dataplane/write-now.ts';
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

const outletOf = (socket: Socket): Outlet => new Outlet(socket, new Outbox(new ReadBuffer()));

// Fails when a new Node does it otherwise: then all that is sent is copied, and write-now.ts has to learn how.
test('plain sockets of both kinds are written to directly, so nothing waits in them', async () => {
  const [accepted, client] = await connected();
  for (const [from, to] of [
    [accepted, client],
    [client, accepted],
  ] as const) {
    expect(descriptorOf(handleOf(from)!)).toBeGreaterThanOrEqual(0);
    const outlet = outletOf(from);
    outlet.write(Buffer.from('xhellox'), 1, 6);
    expect(from.writableLength).toBe(0);
    expect(outlet.sentBytes).toBe(5);
    const [text] = (await once(to, 'data')) as [Buffer];
    expect(text.toString()).toBe('hello');
  }
});

test('the descriptor behind TLS is not written to', async () => {
  const [accepted] = await connected();
  const secure = new TLSSocket(accepted, { isServer: true, secureContext: createSecureContext() });
  open.push(secure);
  expect(descriptorOf(handleOf(secure)!)).toBe(-1);
});

test('a peer that reads late gets everything in order, though the memory was used again at once', async () => {
  const [accepted, client] = await connected();
  client.pause();
  const outlet = outletOf(accepted);
  const memory = Buffer.allocUnsafeSlow(60_000);
  let sent = 0;
  let round = 0;
  // Far more than the kernel takes; then once more after all was read.
  const fill = (): void => {
    for (let i = 0; i < 200; i += 1) {
      memory.fill(round % 251);
      round += 1;
      outlet.write(memory, 0, memory.length);
      sent += memory.length;
    }
  };
  fill();
  expect(outlet.hasRoom).toBe(false);
  expect(accepted.writableLength).toBeGreaterThan(0);
  let received = 0;
  let isRight = true;
  client.on('data', (bytes: Buffer) => {
    for (const byte of bytes) {
      isRight &&= byte === Math.floor(received / memory.length) % 251;
      received += 1;
    }
  });
  client.resume();
  await once(accepted, 'drain');
  expect(outlet.hasRoom).toBe(true);
  fill();
  await until(() => received === sent, 'everything');
  expect(isRight).toBe(true);
  expect(outlet.sentBytes).toBe(sent);
});

test('a write to a peer that has reset counts as not sent, and the socket hears of it', async () => {
  const [accepted, client] = await connected();
  accepted.pause();
  client.resetAndDestroy();
  await once(client, 'close');
  const outlet = outletOf(accepted);
  const closed = new Promise((resolve) => accepted.once('close', resolve));
  await until(() => {
    outlet.write(Buffer.from('x'), 0, 1);
    return outlet.sentBytes === 0 || accepted.destroyed;
  }, 'the reset');
  expect(outlet.sentBytes).toBe(0);
  await closed;
});

test('a destroyed socket is written to no more, whoever has its descriptor now', async () => {
  const [accepted] = await connected();
  const outlet = outletOf(accepted);
  outlet.write(Buffer.from('x'), 0, 1);
  const descriptor = descriptorOf(handleOf(accepted)!);
  accepted.destroy();
  await once(accepted, 'close');
  const others = await Promise.all([connected(), connected(), connected()]);
  const heirs = others.flat().map((socket) => descriptorOf(handleOf(socket)!));
  expect(heirs).toContain(descriptor);
  const came: Buffer[] = [];
  for (const socket of others.flat()) socket.on('data', (bytes: Buffer) => came.push(bytes));
  outlet.write(Buffer.from('secret'), 0, 6);
  for (const socket of others.flat()) outletOf(socket).write(Buffer.from('.'), 0, 1);
  await until(() => came.length === 6, 'what was sent to those who are here');
  expect(Buffer.concat(came).toString()).toBe('......');
});
