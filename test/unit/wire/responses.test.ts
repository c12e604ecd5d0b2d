// Responses of members: what passes and how its body ends, and what becomes 502.
import { describe, expect, test } from 'vitest';
import type { WireErrorCode } from '../../../src/wire/wire-error.ts';
import { listLines, parseResponse, refusalOfResponse } from './read-messages.ts';

const ok = 'HTTP/1.1 200 OK\r\n';

test('status, reason, version and lines are kept as they were sent', () => {
  const { head } = parseResponse(
    'HTTP/1.1 404 Not  F\xf6und\t\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\nContent-Length: 0\r\n\r\n',
  );
  expect(head).toMatchObject({ status: 404, reason: 'Not  F\xf6und\t', minorVersion: 1 });
  expect(listLines(head.fields)).toEqual(['Set-Cookie: a=b', 'set-cookie: c=d', 'Content-Length: 0']);
});

test.each([['HTTP/1.1 200 \r\n\r\n'], ['HTTP/1.1 200\r\n\r\n']])('a reason may be missing: %j', (text) => {
  expect(parseResponse(text).head).toMatchObject({ status: 200, reason: '' });
});

describe('framing', () => {
  test.each([
    ['GET', `${ok}Content-Length: 5\r\n\r\n`, 'length', 5],
    ['GET', `${ok}Transfer-Encoding: Chunked\r\n\r\n`, 'chunked', -1],
    ['GET', `${ok}\r\n`, 'close', -1],
    ['GET', 'HTTP/1.0 200 OK\r\n\r\n', 'close', -1],
    ['HEAD', `${ok}Content-Length: 5\r\n\r\n`, 'none', 5],
    ['HEAD', `${ok}Transfer-Encoding: chunked\r\n\r\n`, 'none', -1],
    ['HEAD', `${ok}\r\n`, 'none', -1],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', 'none', 5],
    ['GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 'none', -1],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 'none', 5],
    ['GET', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'none', -1],
    ['GET', 'HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n', 'none', 0],
    ['GET', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', 'none', -1],
  ])('%s answered by %j', (method, text, framing, length) => {
    expect(parseResponse(text, method).head).toMatchObject({ framing, contentLength: length });
  });

  test('interim, switching and final responses are told apart', () => {
    const flags = (text: string) => {
      const { head } = parseResponse(text);
      return [head.isInterim, head.isSwitch, head.mayNotDeclareBody];
    };
    expect(flags('HTTP/1.1 100 Continue\r\n\r\n')).toEqual([true, false, true]);
    expect(flags('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n')).toEqual([false, true, true]);
    expect(flags('HTTP/1.1 199 X\r\n\r\n')).toEqual([true, false, true]);
    expect(flags('HTTP/1.1 204 X\r\n\r\n')).toEqual([false, false, true]);
    expect(flags('HTTP/1.1 304 X\r\n\r\n')).toEqual([false, false, false]);
  });

  test('the final response follows the interim one in the same bytes', () => {
    const bytes = Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    const parser = parseResponse('HTTP/1.1 204 X\r\n\r\n');
    parser.begin('GET');
    expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
    expect(parser.head.status).toBe(103);
    expect(parser.feed(bytes, parser.position, bytes.length)).toBe('done');
    expect(parser.head.status).toBe(200);
    expect(bytes.toString('latin1', parser.position)).toBe('hi');
  });
});

test.each([
  [`${ok}Content-Length: 0\r\n\r\n`, true],
  [`${ok}Content-Length: 0\r\nConnection: close\r\n\r\n`, false],
  [`${ok}\r\n`, false],
  ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
  ['HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n', true],
  ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n', false],
  ['HTTP/1.1 204 X\r\n\r\n', true],
])('%j leaves the connection open: %s', (text, isKeepAlive) => {
  expect(parseResponse(text).head.isKeepAlive).toBe(isKeepAlive);
});

const refusedResponses: readonly (readonly [what: string, text: string, code: WireErrorCode])[] = [
  ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'bad-version'],
  ['an empty line in front', `\r\n${ok}\r\n`, 'bad-version'],
  ['ICY', 'ICY 200 OK\r\n\r\n', 'bad-version'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n', 'unsupported-version'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', 'unsupported-version'],
  ['no status', 'HTTP/1.1\r\n\r\n', 'bad-status-line'],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n', 'bad-status-line'],
  ['two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'bad-status-line'],
  ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'bad-status-line'],
  ['signed', 'HTTP/1.1 +20 OK\r\n\r\n', 'bad-status-line'],
  ['no space after the status', 'HTTP/1.1 200OK\r\n\r\n', 'bad-status-line'],
  ['control character in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n', 'bad-status-line'],
  ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', 'bad-status-line'],
  ['bare LF after the status line', 'HTTP/1.1 200 OK\n\r\n', 'bad-line-end'],
  ['bare CR after the status line', 'HTTP/1.1 200 OK\rX: y\r\n\r\n', 'bad-line-end'],
  ['status 000', 'HTTP/1.1 000 X\r\n\r\n', 'bad-status'],
  ['status 099', 'HTTP/1.1 099 X\r\n\r\n', 'bad-status'],
  ['status 600', 'HTTP/1.1 600 X\r\n\r\n', 'bad-status'],
  ['status 999', 'HTTP/1.1 999 X\r\n\r\n', 'bad-status'],
  ['two lengths, equal', `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, 'duplicate-content-length'],
  ['two lengths, different', `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, 'duplicate-content-length'],
  ['list of lengths', `${ok}Content-Length: 5, 5\r\n\r\n`, 'bad-content-length'],
  ['negative length', `${ok}Content-Length: -1\r\n\r\n`, 'bad-content-length'],
  ['length and chunks', `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 'cl-with-te'],
  ['unknown coding', `${ok}Transfer-Encoding: gzip\r\n\r\n`, 'bad-transfer-encoding'],
  ['coding before chunked', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'unsupported-transfer-encoding'],
  ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'te-in-http-1.0'],
  ['trailers announced beside a length', `${ok}Trailer: X\r\nContent-Length: 5\r\n\r\n`, 'trailer-with-content-length'],
  ['folded header', `${ok}X: y\r\n z\r\n\r\n`, 'folded-header'],
  ['space before the colon', `${ok}X : y\r\n\r\n`, 'bad-header-name'],
  ['connection option that is no token', `${ok}Connection: a b\r\n\r\n`, 'bad-connection-option'],
  ['interim with a length', 'HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\n', 'body-in-interim'],
  ['interim with chunks', 'HTTP/1.1 100 X\r\nTransfer-Encoding: chunked\r\n\r\n', 'body-in-interim'],
  ['101 without Upgrade', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n', 'bad-upgrade'],
  ['101 without Connection', 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n', 'bad-upgrade'],
  ['101 in HTTP/1.0', 'HTTP/1.0 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', 'bad-upgrade'],
];

describe('refused', () => {
  test.each(refusedResponses)('%s', (_what, text, code) => {
    expect(refusalOfResponse(text)).toBe(code);
  });

  test('HEAD does not excuse a doubtful framing', () => {
    expect(refusalOfResponse(`${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 'HEAD')).toBe(
      'cl-with-te',
    );
  });

  test('heads and status lines without end', () => {
    expect(refusalOfResponse(`${ok}X: `.padEnd(40_000, 'y'))).toBe('head-too-large');
    expect(refusalOfResponse('HTTP/1.1 200 '.padEnd(10_000, 'y'))).toBe('bad-status-line');
    expect(refusalOfResponse(ok.padEnd(5_000, 'a:\r\n'))).toBe('too-many-headers');
  });
});
