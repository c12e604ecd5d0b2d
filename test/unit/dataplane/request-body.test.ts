import { expect, test } from 'vitest';
import { BlockPool } from '../../../src/dataplane/kept-bytes.ts';
import { type ReplayBudget, RequestBody } from '../../../src/dataplane/request-body.ts';
import { defaultBodyLimits } from '../../../src/wire/limits.ts';

function budget(maxBytesEach = 10, maxBytes = 100): ReplayBudget {
  return { usedBytes: 0, maxBytes, maxBytesEach, blocks: new BlockPool() };
}

function bodyOf(length: number, of: ReplayBudget = budget()): RequestBody {
  return new RequestBody('length', length, of, defaultBodyLimits);
}

class Sink {
  readonly parts: string[] = [];
  hasRoom = true;

  writeBody(bytes: Buffer, start: number, end: number): boolean {
    this.parts.push(bytes.toString('latin1', start, end));
    return this.hasRoom;
  }
}

/** The memory that it came in is used again at once. */
function feed(body: RequestBody, text: string, start = 0): boolean {
  const bytes = Buffer.from(text, 'latin1');
  const mayGoOn = body.feed(bytes, start, bytes.length);
  bytes.fill('!');
  return mayGoOn;
}

const texts = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('latin1');

test('no body is complete at once', () => {
  const body = new RequestBody('none', -1, budget(), defaultBodyLimits);
  expect([body.isComplete, body.missingBytes, body.hasBegun, body.isReplayable]).toEqual([true, 0, false, true]);
  expect(bodyOf(0).isComplete).toBe(true);
});

test('what came before the sink is handed over, what comes after goes through', () => {
  const body = bodyOf(6);
  expect(feed(body, 'xxab', 2)).toBe(true);
  const sink = new Sink();
  expect(texts(body.attach(sink))).toBe('ab');
  sink.hasRoom = false;
  expect(feed(body, 'cd')).toBe(false);
  sink.hasRoom = true;
  feed(body, 'efGET');
  expect(sink.parts).toEqual(['cd', 'ef']);
  expect([body.isComplete, body.position, body.missingBytes]).toEqual([true, 2, 0]);
});

test('a small body can be sent again and again', () => {
  const of = budget();
  const body = bodyOf(6, of);
  body.attach(new Sink());
  feed(body, 'abc');
  body.detach();
  expect(body.isReplayable).toBe(true);
  const second = new Sink();
  expect(texts(body.attach(second))).toBe('abc');
  feed(body, 'def');
  body.detach();
  expect(texts(body.attach(new Sink()))).toBe('abcdef');
  expect(of.usedBytes).toBe(6);
  body.release();
  expect(of.usedBytes).toBe(0);
});

test('a body beyond its budget cannot be sent again once some of it has gone', () => {
  const of = budget(4);
  const body = bodyOf(100, of);
  body.attach(new Sink());
  feed(body, 'abc');
  expect(body.isReplayable).toBe(true);
  feed(body, 'de');
  expect([body.isReplayable, of.usedBytes]).toEqual([false, 0]);
});

test('what must be held until there is a sink stops the source, and can be sent again until then', () => {
  const of = budget(4);
  const body = bodyOf(100, of);
  expect(feed(body, 'abcdef')).toBe(false);
  expect([body.isReplayable, of.usedBytes]).toEqual([true, 6]);
  expect(texts(body.attach(new Sink()))).toBe('abcdef');
  expect([body.isReplayable, of.usedBytes]).toEqual([false, 0]);
});

test('before there is a sink the budget of the lane stops the source, too, and is no reason to refuse anything', () => {
  const of = budget(100, 12);
  const one = bodyOf(100, of);
  const other = bodyOf(12, of);
  expect(feed(one, '12345678')).toBe(true);
  expect(feed(other, '1234')).toBe(false);
  const sink = new Sink();
  expect(texts(other.attach(sink))).toBe('1234');
  expect(feed(other, '56789012')).toBe(true);
  expect([sink.parts.join(''), other.isComplete, other.fault]).toEqual(['56789012', true, null]);
  other.release();
  expect(of.usedBytes).toBe(8);
  expect(feed(one, '9')).toBe(true);
});

test('what drips in is kept in few pieces, and as it came', () => {
  const of = budget(100_000, 100_000);
  const text = 'abcdefghij'.repeat(6_500);
  const body = bodyOf(text.length + 3_000, of);
  for (const letter of text) feed(body, letter);
  const early = body.attach(new Sink());
  expect(texts(early)).toBe(text);
  expect(early.length).toBeLessThan(20);
  expect(of.usedBytes).toBe(text.length);
  const rest = ['x'.repeat(1_500), 'y', 'z'.repeat(999), 'w'.repeat(500)];
  for (const piece of rest) feed(body, piece);
  body.detach();
  expect(texts(body.attach(new Sink()))).toBe(text + rest.join(''));
  expect(texts(early)).toBe(text);
});

test('bodies share the budget of the lane', () => {
  const of = budget(10, 12);
  const one = bodyOf(100, of);
  const other = bodyOf(100, of);
  one.attach(new Sink());
  other.attach(new Sink());
  feed(one, '12345678');
  feed(other, '12345678');
  expect([one.isReplayable, other.isReplayable, of.usedBytes]).toEqual([true, false, 8]);
  one.release();
  other.release();
  expect(of.usedBytes).toBe(0);
});

test('limits hold for what is announced and for what comes', () => {
  expect(bodyOf(11).limit(10)).toBe(false);
  expect(bodyOf(10).limit(10)).toBe(true);
  expect(bodyOf(1_000).limit(0)).toBe(true);
  const body = new RequestBody('chunked', -1, budget(), defaultBodyLimits);
  expect(body.limit(3)).toBe(true);
  feed(body, '3\r\nabc\r\n');
  expect(body.fault).toBeNull();
  feed(body, '1\r\nd');
  expect(body.fault).toBe('body-too-large');
});

test('a malformed body is a fault, and nothing of the chunk that shows it is passed on', () => {
  const body = new RequestBody('chunked', -1, budget(), defaultBodyLimits);
  const sink = new Sink();
  body.attach(sink);
  expect(feed(body, '1\r\na\r\nzz')).toBe(false);
  expect([body.fault, sink.parts]).toEqual(['bad-chunk-size', []]);
});

test('after its release a body is read to its end and thrown away, whatever its size', () => {
  const of = budget(4);
  const body = bodyOf(100, of);
  body.limit(100);
  body.attach(new Sink());
  body.release();
  expect(feed(body, 'x'.repeat(100))).toBe(true);
  expect([body.isComplete, body.fault, of.usedBytes]).toEqual([true, null, 0]);
});
