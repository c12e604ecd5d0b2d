// However the bytes arrive, the outcome is the same, and the work stays in proportion to the bytes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRandomSource } from '../../fuzz/random-source.ts';
import { generate } from '../../fuzz/generator.ts';
import { mutate } from '../../fuzz/mutator.ts';
import { WireReader } from '../../fuzz/wire-reader.ts';
import { RequestParser } from '../../../src/wire/request-parser.ts';
import { ResponseParser } from '../../../src/wire/response-parser.ts';

const stream =
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nabc\r\n0\r\nX-T: u\r\n\r\n' +
  '\r\nPUT http://a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcdeGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

test('cutting a stream of requests at any two places changes nothing', () => {
  const reader = new WireReader('request');
  const bytes = Buffer.from(stream, 'latin1');
  const whole = reader.read(bytes, 'GET', []);
  expect(whole.messages.map((message) => [message.method, message.body])).toEqual([
    ['POST', 'abc'],
    ['PUT', 'abcde'],
    ['GET', ''],
  ]);
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second += 7) {
      expect(reader.read(bytes, 'GET', [first, second])).toEqual(whole);
    }
  }
});

describe.each(['request', 'response'] as const)('any %s stream', (kind) => {
  const reader = new WireReader(kind);

  test('sound or damaged, is read the same byte by byte and in pieces', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.nat(400), { maxLength: 5 }), (seed, places) => {
        const random = createRandomSource(seed);
        // Ends in a line end, because a damaged line that drips in is refused when its end is there.
        const text = `${mutate(random, generate(random, kind), generate(random, kind))}\r\n\r\n`;
        const bytes = Buffer.from(text, 'latin1');
        const cuts = places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b);
        const whole = reader.read(bytes, 'GET', []);
        expect(reader.read(bytes, 'GET', cuts)).toEqual(whole);
        expect(reader.read(bytes, 'GET', Array.from(bytes.keys()))).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ['a long line', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(16_000)}\r\n\r\n`],
  ['many lines', `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: bbbbbbbbbb\r\n'.repeat(98)}\r\n`],
])('%s that drips in byte by byte leaves the same head as in one piece', (_what, text) => {
  const bytes = Buffer.from(text, 'latin1');
  const parser = new RequestParser();
  for (let i = 0; i < bytes.length - 1; i++) expect(parser.feed(bytes, i, i + 1)).toBe('more');
  expect(parser.feed(bytes, bytes.length - 1, bytes.length)).toBe('done');
  expect(parser.position).toBe(bytes.length);
  expect(parser.head.fields.text).toBe(text);
});

test('a limit refuses the same head whether it drips in or not', () => {
  const texts = [
    `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(17_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(15_000)}\0${'b'.repeat(2_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(100)}\r\n`,
    `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(99)}X-A: \0`,
  ];
  for (const text of texts) {
    const bytes = Buffer.from(text, 'latin1');
    const whole = new RequestParser();
    const dripped = new RequestParser();
    expect(whole.feed(bytes, 0, bytes.length)).toBe('refused');
    let progress = 'more';
    for (let i = 0; i < bytes.length && progress === 'more'; i++) progress = dripped.feed(bytes, i, i + 1);
    // A damaged line may be noticed as late as its end or the limit of the head.
    if (progress === 'refused') expect(dripped.error).toBe(whole.error);
    else expect(text).not.toMatch(/\n$/);
  }
});

test('nothing arrives, nothing changes', () => {
  const parser = new RequestParser();
  expect(parser.feed(Buffer.alloc(0), 0, 0)).toBe('more');
  expect(parser.hasBegun).toBe(false);
});

test('a request has begun with its first octet, an empty line before it aside', () => {
  const begun = (text: string): boolean => {
    const parser = new RequestParser();
    parser.feed(Buffer.from(text), 0, text.length);
    return parser.hasBegun;
  };
  expect(['\r', '\r\n', '\r\nG', 'G', 'GE'].map(begun)).toEqual([false, false, true, true, true]);
});

test('a parser forgets what it held', () => {
  const requests = new RequestParser();
  requests.feed(Buffer.from('GET / HT'), 0, 8);
  requests.reset();
  expect(requests.hasBegun).toBe(false);
  const next = Buffer.from('PUT /x HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(requests.feed(next, 0, next.length)).toBe('done');
  expect(requests.head.target).toBe('/x');
  const responses = new ResponseParser();
  responses.feed(Buffer.from('HTTP/1.1 2'), 0, 10);
  expect(responses.hasBegun).toBe(true);
  responses.begin('HEAD');
  expect(responses.hasBegun).toBe(false);
});

test('a refused parser starts afresh with the next call', () => {
  const parser = new RequestParser();
  expect(parser.feed(Buffer.from('\0'), 0, 1)).toBe('refused');
  const next = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(parser.feed(next, 0, next.length)).toBe('done');
  expect(parser.error).toBe(null);
});

test('the last of many headers can be found', () => {
  const lines = Array.from({ length: 98 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}Cookie: a=b\r\n\r\n`);
  const parser = new RequestParser();
  expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
  expect(parser.head.fields.value(parser.head.fields.findName('x-97'))).toBe('97');
  expect(parser.head.fields.findName('cookie')).toBe(99);
});
