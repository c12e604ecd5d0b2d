// WebSockets on members whose drain comes to its end: with real clients, servers and a real deadline.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually, within } from '../../helpers/patience.ts';
import { Configuration } from '../product/configuration.ts';
import { edit, serve, sticky } from './sticky-file.ts';

/** A member that answers every message with its name. */
class Speaker implements AsyncDisposable {
  readonly name: string;
  /** Codes with which WebSockets were closed. */
  readonly closed: number[] = [];
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

  constructor(name: string) {
    this.name = name;
    this.#server.on('connection', (socket) => {
      socket.on('message', () => socket.send(name));
      socket.on('close', (code) => this.closed.push(code));
    });
  }

  async listen(): Promise<this> {
    if (this.#server.address() === null) await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function nameBehind(socket: WebSocket): Promise<string> {
  const answer = once(socket, 'message');
  socket.send('?');
  return String((await within(answer, 'an answer'))[0]);
}

test('they go on while it drains, and are closed when it has drained; those on other members go on', async () => {
  await using a = await new Speaker('a').listen();
  await using b = await new Speaker('b').listen();
  const session = { cookie: 'sid', strategy: 'Suffix' };
  const spec = { drain: { timeout: '4s' } };
  using file = new Configuration(sticky([a, b], session, {}, spec));
  await using evenkeel = await serve(file);
  const sockets = Array.from({ length: 8 }, () => new WebSocket(`ws://127.0.0.1:${evenkeel.httpPort}/`));
  await Promise.all(sockets.map((socket) => once(socket, 'open')));
  const names = await Promise.all(sockets.map(nameBehind));
  expect(new Set(names)).toEqual(new Set(['a', 'b']));
  const onA = sockets.filter((_, index) => names[index] === 'a');
  const codes = onA.map(async (socket) => (await once(socket, 'close'))[0] as number);
  const beganAt = performance.now();
  await edit(file, sticky([a, b], session, { a: { state: 'Draining' } }, spec), evenkeel);
  expect(await Promise.all(onA.map(nameBehind))).toEqual(onA.map(() => 'a'));
  // Nobody sent a close frame.
  expect(await Promise.all(codes)).toEqual(onA.map(() => 1006));
  expect(performance.now() - beganAt).toBeGreaterThanOrEqual(4_000);
  await eventually(() => expect(a.closed).toEqual(onA.map(() => 1006)));
  for (const socket of sockets.filter((each) => !onA.includes(each))) expect(await nameBehind(socket)).toBe('b');
  const again = new WebSocket(`ws://127.0.0.1:${evenkeel.httpPort}/`);
  await once(again, 'open');
  expect(await nameBehind(again)).toBe('b');
  for (const socket of [...sockets, again]) socket.terminate();
});
