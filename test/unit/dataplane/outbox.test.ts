import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Outbox } from '../../../src/dataplane/outbox.ts';
import { Outlet } from '../../../src/dataplane/outlet.ts';
import { ReadBuffer } from '../../../src/dataplane/read-buffer.ts';

const NOTHING = Buffer.alloc(0);

/** Takes note of writes. It has no descriptor, so all that is sent to it waits in it, without being copied. */
class FakeSocket {
  _handle: object | null = {};
  writableNeedDrain = false;
  writableLength = 0;
  readonly writes: Buffer[] = [];
  readonly outlet: Outlet;
  readonly #log: string[];

  constructor(log: string[], outbox: Outbox) {
    this.#log = log;
    this.outlet = new Outlet(this as unknown as Socket, outbox);
  }

  write(data: Buffer): boolean {
    this.writes.push(data);
    this.#log.push(data.toString('latin1').slice(0, 20));
    this.writableLength += data.length;
    return true;
  }

  get text(): string {
    return Buffer.concat(this.writes).toString('latin1');
  }

  post(head: string, body = NOTHING, start = 0, end = body.length): number {
    return this.outlet.post(head, body, start, end);
  }
}

function scene() {
  const log: string[] = [];
  const turns: (() => void)[] = [];
  const readBuffer = new ReadBuffer();
  const outbox = new Outbox(readBuffer, (flush) => turns.push(flush));
  const endTurn = (): void => {
    for (const flush of turns.splice(0)) flush();
  };
  return { log, outbox, readBuffer, turns, endTurn, socket: () => new FakeSocket(log, outbox) };
}

test('what is posted goes out when the turn is over, in order, and each turn is asked for once', () => {
  const { log, turns, endTurn, socket } = scene();
  const [one, two] = [socket(), socket()];
  expect(one.post('a')).toBe(1);
  expect(two.post('b', Buffer.from('xcy'), 1, 2)).toBe(2);
  one.post('d');
  expect(one.outlet.isPosted).toBe(true);
  expect(log).toEqual([]);
  expect(turns).toHaveLength(1);
  endTurn();
  expect(one.outlet.isPosted).toBe(false);
  expect(log).toEqual(['a', 'bc', 'd']);
  one.post('e');
  endTurn();
  expect(one.text).toBe('ade');
});

test('what is written at once overtakes nothing of its socket, and a closing comes last', () => {
  const { log, outbox, endTurn, socket } = scene();
  const [one, two] = [socket(), socket()];
  two.post('z');
  two.outlet.write(Buffer.from('y'), 0, 1);
  one.post('a');
  one.outlet.write(Buffer.from('b'), 0, 1);
  outbox.close({ begin: () => log.push('end') });
  one.post('c', Buffer.alloc(20_000, 'C'));
  expect(log.slice(0, 4)).toEqual(['z', 'y', 'a', 'b']);
  outbox.close({ begin: () => log.push('last end') });
  one.post('d');
  endTurn();
  expect(log.slice(-3)).toEqual(['d', 'end', 'last end']);
  expect(one.text).toBe(`abc${'C'.repeat(20_000)}d`);
});

test('what one socket gets in a row is one write', () => {
  const { log, endTurn, socket } = scene();
  const [one, two] = [socket(), socket()];
  one.post('a');
  one.post('b', Buffer.from('c'));
  two.post('d');
  one.post('e');
  endTurn();
  expect(log).toEqual(['abc', 'd', 'e']);
  one.post('f');
  endTurn();
  expect(one.text).toBe('abcef');
});

test('who has nothing posted does not have the others written to', () => {
  const { log, endTurn, socket } = scene();
  const [one, two] = [socket(), socket()];
  one.post('a');
  two.outlet.write(Buffer.from('b'), 0, 1);
  expect(log).toEqual(['b']);
  endTurn();
  expect(log).toEqual(['b', 'a']);
});

test('nothing is written to a socket that was destroyed meanwhile', () => {
  const { endTurn, socket } = scene();
  const [gone, here] = [socket(), socket()];
  gone.post('a');
  here.post('b');
  gone._handle = null;
  endTurn();
  gone.outlet.write(Buffer.from('c'), 0, 1);
  expect([gone.text, here.text]).toEqual(['', 'b']);
});

test.each([0, 1, 8_192, 8_193, 16_384, 16_385, 65_536])('a head and a body of %i bytes arrive in one piece', (size) => {
  const { readBuffer, endTurn, socket } = scene();
  const [own, read] = [socket(), socket()];
  const body = Buffer.alloc(size, 'x');
  expect(own.post('own ', body)).toBe(size + 4);
  readBuffer.target.fill('h', 0, 30);
  const end = Math.min(30 + size, readBuffer.target.length);
  readBuffer.target.fill('r', 30, end);
  expect(read.post(`${'H'.repeat(1_000)} `, readBuffer.target, 30, end)).toBe(1_001 + end - 30);
  readBuffer.memory.fill('!');
  endTurn();
  expect(own.text).toBe(`own ${'x'.repeat(size)}`);
  expect(read.text).toBe(`${'H'.repeat(1_000)} ${'r'.repeat(end - 30)}`);
});

test('a head that is too long to go before its body where that lies goes out all the same', () => {
  const { readBuffer, socket, endTurn } = scene();
  const one = socket();
  readBuffer.target.fill('r');
  one.post('H'.repeat(5_000), readBuffer.target, 30, 60_000);
  one.post('J'.repeat(200_000), readBuffer.target, 0, 3);
  endTurn();
  expect(one.text).toBe(`${'H'.repeat(5_000)}${'r'.repeat(59_970)}${'J'.repeat(200_000)}rrr`);
});

test('messages that together are more than the block all arrive', () => {
  const { endTurn, socket } = scene();
  const sockets = Array.from({ length: 20 }, () => socket());
  for (const [i, one] of sockets.entries()) one.post(`${i} `, Buffer.alloc(16_384, 65 + i));
  endTurn();
  for (const [i, one] of sockets.entries()) {
    expect(one.text).toBe(`${i} ${String.fromCharCode(65 + i).repeat(16_384)}`);
  }
});

test('bytes that wait in a socket are not touched by later messages', () => {
  const { readBuffer, endTurn, socket } = scene();
  const full = socket();
  for (const letter of ['a', 'b']) {
    full.post(letter, Buffer.from(letter));
    endTurn();
  }
  readBuffer.target.fill('c');
  full.outlet.write(readBuffer.target, 0, 3);
  full.post('d', readBuffer.target, 0, 20_000);
  for (let i = 0; i < 20; i += 1) {
    readBuffer.memory.fill('!');
    socket().post('!', Buffer.alloc(15_000, '!'));
    endTurn();
  }
  expect(full.text).toBe(`aabbcccd${'c'.repeat(20_000)}`);
});
