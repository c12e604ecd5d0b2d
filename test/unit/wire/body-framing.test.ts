// Where bodies end, what is payload and what is framing, and which framing is refused.
import { describe, expect, test } from 'vitest';
import { BodyDecoder } from '../../../src/wire/body-decoder.ts';
import type { WireErrorCode } from '../../../src/wire/wire-error.ts';
import { decodeChunked } from './read-messages.ts';

describe('by length', () => {
  test('ends after so many bytes, the next message follows', () => {
    const decoder = new BodyDecoder();
    const bytes = Buffer.from('xxabcdeGET /');
    decoder.begin('length', 5);
    expect(decoder.isComplete).toBe(false);
    expect(decoder.feed(bytes, 2, 4)).toBe('more');
    expect([decoder.position, ...decoder.payloadRanges]).toEqual([4, 2, 4]);
    expect(decoder.feed(bytes, 4, bytes.length)).toBe('done');
    expect([decoder.position, ...decoder.payloadRanges]).toEqual([7, 4, 7]);
    expect([decoder.payloadBytes, decoder.framingBytes]).toEqual([5, 0]);
  });

  test('of 0 is complete at once', () => {
    const decoder = new BodyDecoder();
    decoder.begin('length', 0);
    expect(decoder.isComplete).toBe(true);
    expect(decoder.feed(Buffer.from('GET /'), 0, 5)).toBe('done');
    expect(decoder.position).toBe(0);
  });

  test('is not whole when the connection ends early', () => {
    const decoder = new BodyDecoder();
    decoder.begin('length', 5);
    decoder.feed(Buffer.from('abc'), 0, 3);
    expect(decoder.finish()).toBe(false);
  });
});

test('no body is complete at once', () => {
  const decoder = new BodyDecoder();
  decoder.begin('none', -1);
  expect(decoder.isComplete).toBe(true);
});

test('until close takes everything and is whole when the connection ends', () => {
  const decoder = new BodyDecoder();
  decoder.begin('close', -1);
  expect(decoder.feed(Buffer.from('abc'), 0, 3)).toBe('more');
  expect([decoder.position, decoder.payloadBytes, decoder.isComplete]).toEqual([3, 3, false]);
  expect(decoder.finish()).toBe(true);
});

describe('chunked', () => {
  test.each([
    ['no chunks', '0\r\n\r\n', ''],
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['two chunks', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world'],
    ['upper and lower case', 'A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789'],
    ['zeros in front', '0000000000000005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['data that looks like framing', '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n', '\r\n0\r\n\r\n'],
    ['extension by name', '5;a\r\nhello\r\n0;b\r\n\r\n', 'hello'],
    ['extension with a token', '5;a=b;c=d\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['extension with a string', '5;a="b \\" \xe9;\t";c\r\nhello\r\n0\r\n\r\n', 'hello'],
  ])('%s', (_what, text, payload) => {
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++) {
      const decoded = decodeChunked(`${text}GET /`, pieceBytes);
      expect(decoded).toMatchObject({ progress: 'done', error: null, payload, rest: 'GET /' });
      expect([decoded.payloadBytes, decoded.framingBytes]).toEqual([payload.length, text.length - payload.length]);
    }
  });

  test('trailers are read and counted as framing', () => {
    const text = '1\r\na\r\n0\r\nServer-Timing: a;dur=1\r\nx-checksum:  b \r\n\r\n';
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++) {
      const decoded = decodeChunked(`${text}GET /`, pieceBytes);
      expect(decoded).toMatchObject({
        progress: 'done',
        rest: 'GET /',
        payloadBytes: 1,
        framingBytes: text.length - 1,
      });
      expect(decoded.trailers).toEqual(['Server-Timing: a;dur=1', 'x-checksum: b']);
    }
  });

  test('the payload of a piece can be had without its framing', () => {
    const decoder = new BodyDecoder();
    decoder.begin('chunked', -1);
    const bytes = Buffer.from('xx1\r\na\r\n2;e\r\nbc\r\n0\r\nX: y\r\n\r\nGET /');
    expect(decoder.feed(bytes, 2, 3)).toBe('more');
    expect(decoder.payloadIn(bytes).toString()).toBe('');
    expect(decoder.feed(bytes, 3, bytes.length)).toBe('done');
    expect(decoder.payloadIn(bytes).toString()).toBe('abc');
    decoder.begin('length', 3);
    decoder.feed(bytes, 1, bytes.length);
    expect(decoder.payloadIn(bytes).toString()).toBe('x1\r');
  });

  test('one decoder serves one body after another', () => {
    const decoder = new BodyDecoder();
    for (const text of ['2;a\r\nab\r\n0\r\nX: y\r\n\r\n', '0\r\n\r\n']) {
      decoder.begin('chunked', -1);
      const bytes = Buffer.from(text);
      expect(decoder.feed(bytes, 0, bytes.length)).toBe('done');
      expect(decoder.trailers === null).toBe(text.startsWith('0'));
    }
  });

  test('is not whole when the connection ends early', () => {
    for (const text of ['', '5', '5\r\nhello', '0\r\n', '0\r\n\r', '0\r\nX: y\r\n']) {
      const decoder = new BodyDecoder();
      decoder.begin('chunked', -1);
      decoder.feed(Buffer.from(text), 0, text.length);
      expect(decoder.finish()).toBe(false);
    }
  });
});

const refusedBodies: readonly (readonly [what: string, text: string, code: WireErrorCode])[] = [
  ['empty size', '\r\n\r\n', 'bad-chunk-size'],
  ['size that is no number', 'g\r\n', 'bad-chunk-size'],
  ['size with 0x', '0x5\r\nhello', 'bad-chunk-size'],
  ['signed size', '+5\r\nhello', 'bad-chunk-size'],
  ['negative size', '-5\r\nhello', 'bad-chunk-size'],
  ['space before the size', ' 5\r\nhello', 'bad-chunk-size'],
  ['space after the size', '5 \r\nhello', 'bad-chunk-size'],
  ['tab after the size', '5\t\r\nhello', 'bad-chunk-size'],
  ['space before an extension', '5 ;a\r\nhello', 'bad-chunk-size'],
  ['size of 2^53', '20000000000000\r\n', 'bad-chunk-size'],
  ['size of 2^64', '10000000000000000\r\n', 'bad-chunk-size'],
  ['zeros without end', '00000000000000000', 'bad-chunk-size'],
  ['bare LF after the size', '5\nhello', 'bad-chunk-size'],
  ['bare CR after the size', '5\rhello', 'bad-chunk-size'],
  ['empty extension', '5;\r\nhello', 'bad-chunk-extension'],
  ['space in an extension', '5; a\r\nhello', 'bad-chunk-extension'],
  ['empty extension value', '5;a=\r\nhello', 'bad-chunk-extension'],
  ['bare LF in an extension', '5;a\nhello', 'bad-chunk-extension'],
  ['bare LF in a string', '5;a="\n"\r\nhello', 'bad-chunk-extension'],
  ['escaped CR in a string', '5;a="\\\r\n"\r\nhello', 'bad-chunk-extension'],
  ['string not closed', '5;a="b\r\nhello', 'bad-chunk-extension'],
  ['text after a string', '5;a="b"c\r\nhello', 'bad-chunk-extension'],
  ['bare CR after an extension', '5;a\rhello', 'bad-chunk-size'],
  ['NUL in an extension', '5;a\0\r\nhello', 'bad-chunk-extension'],
  ['no line end after data', '5\r\nhello0\r\n\r\n', 'bad-chunk-end'],
  ['bare LF after data', '5\r\nhello\n0\r\n\r\n', 'bad-chunk-end'],
  ['bare CR after data', '5\r\nhello\r0\r\n\r\n', 'bad-chunk-end'],
  ['more data than the size', '5\r\nhello!\r\n0\r\n\r\n', 'bad-chunk-end'],
  ['bare LF after the last chunk', '0\n\r\n', 'bad-chunk-size'],
  ['bare CR at the end', '0\r\n\rX', 'bad-line-end'],
  ['bare LF at the end', '0\r\n\n', 'bad-line-end'],
  ['Content-Length in trailers', '0\r\nContent-Length: 5\r\n\r\n', 'forbidden-trailer'],
  ['Transfer-Encoding in trailers', '0\r\ntransfer-encoding: chunked\r\n\r\n', 'forbidden-trailer'],
  ['Host in trailers', '0\r\nX: y\r\nHOST: a\r\n\r\n', 'forbidden-trailer'],
  ['Connection in trailers', '0\r\nConnection: close\r\n\r\n', 'forbidden-trailer'],
  ['Trailer in trailers', '0\r\nTrailer: X\r\n\r\n', 'forbidden-trailer'],
  ['X-Forwarded-For in trailers', '0\r\nX-Forwarded-For: a\r\n\r\n', 'forbidden-trailer'],
  ['X_Forwarded_For in trailers', '0\r\nX_Forwarded_For: a\r\n\r\n', 'forbidden-trailer'],
  ['Cookie in trailers', '0\r\nCookie: a=b\r\n\r\n', 'forbidden-trailer'],
  ['Set-Cookie in trailers', '0\r\nSet-Cookie: a=b\r\n\r\n', 'forbidden-trailer'],
  ['Authorization in trailers', '0\r\nAuthorization: a\r\n\r\n', 'forbidden-trailer'],
  ...[
    'X-Balancer-Name',
    'X-Balancer-Member',
    'x_balancer_member',
    'X-Balancer-Member-Route',
    'X-Balancer-Session-Source',
    'X-Balancer-Session-Route',
    'X-Balancer-Route-Changed',
    'X-Evenkeel-Explain',
    'X-Request-Id',
    'CDN-Loop',
    'CDN_Loop',
    'Forwarded',
    'X-Real-IP',
    'X-Forwarded-Ssl',
  ].map((name) => [`${name} in trailers`, `0\r\n${name}: a\r\n\r\n`, 'forbidden-trailer'] as const),
  ['space before the colon of a trailer', '0\r\nX : y\r\n\r\n', 'bad-header-name'],
  ['folded trailer', '0\r\nX: y\r\n z\r\n\r\n', 'folded-header'],
  ['control character in a trailer', '0\r\nX: \x01\r\n\r\n', 'bad-header-value'],
  ['bare LF after a trailer', '0\r\nX: y\n\r\n', 'bad-line-end'],
];

describe('refused chunked bodies', () => {
  test.each(refusedBodies)('%s', (_what, text, code) => {
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++) {
      expect(decodeChunked(text, pieceBytes)).toMatchObject({ progress: 'refused', error: code });
    }
  });

  test('the refused bytes count for nothing', () => {
    expect(decodeChunked('5\r\nhello!')).toMatchObject({ payloadBytes: 0, framingBytes: 0, rest: '5\r\nhello!' });
  });
});

describe('limits', () => {
  test('of extensions hold for the whole body', () => {
    expect(decodeChunked('1;ab\r\nx\r\n1;cd\r\nx\r\n0\r\n\r\n', 99, { maxChunkExtensionBytes: 6 }).error).toBe(null);
    expect(decodeChunked('1;ab\r\nx\r\n1;cd\r\nx\r\n0\r\n\r\n', 99, { maxChunkExtensionBytes: 5 }).error).toBe(
      'chunk-extensions-too-large',
    );
    expect(decodeChunked(`1;${'a'.repeat(5_000)}`, 7).error).toBe('chunk-extensions-too-large');
  });

  test('of trailers', () => {
    const text = '0\r\nA: b\r\nC: d\r\n\r\n';
    expect(decodeChunked(text, 99, { maxTrailerBytes: 14, maxTrailerCount: 2 }).error).toBe(null);
    expect(decodeChunked(text, 99, { maxTrailerBytes: 13 }).error).toBe('trailers-too-large');
    expect(decodeChunked(text, 1, { maxTrailerBytes: 13 }).error).toBe('trailers-too-large');
    expect(decodeChunked(text, 99, { maxTrailerCount: 1 }).error).toBe('too-many-trailers');
  });
});
