import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Outbox } from '../../../src/dataplane/outbox.ts';
import { ReadBuffers } from '../../../src/dataplane/read-buffers.ts';

/** Takes note of writes. While it is full it keeps them, as a socket does, without copying. */
class FakeSocket {
  destroyed = false;
  isFull = false;
  writableNeedDrain = false;
  writableLength = 0;
  readonly writes: (string | Buffer)[] = [];
  readonly #log: string[];

  constructor(log: string[]) {
    this.#log = log;
  }

  write(data: string | Buffer): boolean {
    this.writes.push(this.isFull ? data : data.toString('latin1'));
    this.#log.push(data.toString('latin1').slice(0, 20));
    if (this.isFull) this.writableLength += data.length;
    return true;
  }

  cork(): void {}
  uncork(): void {}

  get text(): string {
    return this.writes.map((data) => data.toString('latin1')).join('');
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }
}

function scene() {
  const log: string[] = [];
  const turns: (() => void)[] = [];
  const readBuffers = new ReadBuffers();
  const outbox = new Outbox(readBuffers, (flush) => turns.push(flush));
  const endTurn = (): void => {
    for (const flush of turns.splice(0)) flush();
  };
  return { log, outbox, readBuffers, turns, endTurn, socket: () => new FakeSocket(log) };
}

test('what is posted goes out when the turn is over, in order, and each turn is asked for once', () => {
  const { log, outbox, turns, endTurn, socket } = scene();
  const [one, two] = [socket(), socket()];
  outbox.post(one.asSocket(), 'a', null);
  outbox.post(two.asSocket(), 'b', Buffer.from('c'));
  outbox.post(one.asSocket(), 'd', Buffer.alloc(0));
  expect(log).toEqual([]);
  expect(turns).toHaveLength(1);
  endTurn();
  expect(log).toEqual(['a', 'bc', 'd']);
  outbox.post(one.asSocket(), 'e', null);
  endTurn();
  expect(one.text).toBe('ade');
});

test('what is written at once overtakes nothing, and a closing comes last', () => {
  const { log, outbox, endTurn, socket } = scene();
  const one = socket();
  outbox.post(one.asSocket(), 'a', null);
  outbox.write(one.asSocket(), 'b');
  outbox.close({ begin: () => log.push('end') });
  outbox.post(one.asSocket(), 'c', Buffer.alloc(20_000, 'C'));
  expect(log.slice(0, 2)).toEqual(['a', 'b']);
  outbox.close({ begin: () => log.push('last end') });
  outbox.post(one.asSocket(), 'd', null);
  endTurn();
  expect(log.slice(-2)).toEqual(['d', 'last end']);
  expect(one.text).toBe(`abc${'C'.repeat(20_000)}d`);
});

test('nothing is written to a socket that was destroyed meanwhile', () => {
  const { outbox, endTurn, socket } = scene();
  const [gone, here] = [socket(), socket()];
  outbox.post(gone.asSocket(), 'a', null);
  outbox.post(here.asSocket(), 'b', null);
  gone.destroyed = true;
  endTurn();
  expect([gone.text, here.text]).toEqual(['', 'b']);
});

test('messages that together are more than a block all arrive', () => {
  const { outbox, endTurn, socket } = scene();
  const sockets = Array.from({ length: 20 }, () => socket());
  for (const [i, one] of sockets.entries()) outbox.post(one.asSocket(), `${i} `, Buffer.alloc(16_384, 65 + i));
  endTurn();
  for (const [i, one] of sockets.entries()) {
    expect(one.text).toBe(`${i} ${String.fromCharCode(65 + i).repeat(16_384)}`);
  }
  const [large] = sockets;
  large!.writes.length = 0;
  outbox.post(large!.asSocket(), 'h'.repeat(60_000), Buffer.alloc(16_384, 'x'));
  endTurn();
  expect(large!.text).toBe('h'.repeat(60_000) + 'x'.repeat(16_384));
});

test('bytes that wait in full sockets are not touched by later messages', () => {
  const { outbox, readBuffers, endTurn, socket } = scene();
  const full = socket();
  full.isFull = true;
  for (const letter of ['a', 'b']) {
    outbox.post(full.asSocket(), letter, Buffer.from(letter));
    endTurn();
  }
  readBuffers.shared.fill('c');
  outbox.write(full.asSocket(), readBuffers.shared.subarray(0, 3));
  outbox.post(full.asSocket(), 'd', readBuffers.shared.subarray(0, 20_000));
  for (let i = 0; i < 10; i += 1) {
    readBuffers.shared.fill('!');
    outbox.post(socket().asSocket(), '!', Buffer.alloc(15_000, '!'));
    endTurn();
  }
  expect(full.text).toBe(`aabbcccd${'c'.repeat(20_000)}`);
});

test('many messages of one turn wait for its end, and those that stay with full sockets are not touched', () => {
  const { log, outbox, endTurn, socket } = scene();
  const sockets = Array.from({ length: 12 }, () => socket());
  const post = (letter: string): void => {
    for (const [i, one] of sockets.entries()) outbox.post(one.asSocket(), `${i}`, Buffer.alloc(16_384, letter));
  };
  for (const one of sockets) one.isFull = true;
  post('a');
  expect(log).toEqual([]);
  endTurn();
  for (const one of sockets) {
    one.isFull = false;
    one.writableLength = 0;
  }
  post('b');
  endTurn();
  for (const [i, one] of sockets.entries()) {
    expect(one.text).toBe(`${i}${'a'.repeat(16_384)}${i}${'b'.repeat(16_384)}`);
  }
});
