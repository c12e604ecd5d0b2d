// Requests that must not reach a member: one row per way to make two parsers disagree.
import { describe, expect, test } from 'vitest';
import { refusalReason, refusalStatus, type WireErrorCode, wireErrorCodes } from '../../../src/wire/wire-error.ts';
import { refusalOfRequest } from './read-messages.ts';

const get = 'GET / HTTP/1.1\r\n';
const post = 'POST / HTTP/1.1\r\nHost: a\r\n';

function withHost(host: string): string {
  return `${get}Host: ${host}\r\n\r\n`;
}

function withLine(line: string): string {
  return `${get}Host: a\r\n${line}\r\n\r\n`;
}

const refusedRequests: Record<string, readonly (readonly [what: string, text: string, code: WireErrorCode])[]> = {
  'request lines': [
    ['no method', ' / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['method that is no token', 'G(T / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['method with an octet above ASCII', 'G\xc9T / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['tab after the method', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['two spaces after the method', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['two spaces after the target', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-version'],
    ['space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-version'],
    ['HTTP/0.9', 'GET /\r\n\r\n', 'bad-request-line'],
    ['space after the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 'bad-version'],
    ['lower-case protocol', 'GET / http/1.1\r\nHost: a\r\n\r\n', 'bad-version'],
    ['another protocol', 'GET / HTTQ/1.1\r\nHost: a\r\n\r\n', 'bad-version'],
    ['version without minor', 'GET / HTTP/1\r\nHost: a\r\n\r\n', 'bad-version'],
    ['version of two digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 'bad-version'],
    ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 'unsupported-version'],
    ['HTTP/0.9 by name', 'GET / HTTP/0.9\r\nHost: a\r\n\r\n', 'unsupported-version'],
    ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'unsupported-version'],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'unsupported-version'],
    ['bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 'bad-line-end'],
    ['bare CR after the request line', 'GET / HTTP/1.1\rHost: a\r\n\r\n', 'bad-line-end'],
    ['two empty lines before it', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['a bare LF before it', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-method'],
    ['a bare CR before it', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-line-end'],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'bad-method'],
    ['a PROXY header', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 'bad-version'],
  ],
  targets: [
    ['fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['control character', 'GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['NUL', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['DEL', 'GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['tab', 'GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['an octet above ASCII', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['no slash in front', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['query only', 'GET ?a HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['authority-form', 'GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 'bad-target'],
    ['asterisk without OPTIONS', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['asterisk with more', 'OPTIONS */ HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 'connect-not-supported'],
    ['CONNECT with a path', 'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n', 'connect-not-supported'],
    ['another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['absolute with one slash', 'GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['absolute without a host', 'GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['absolute with a port only', 'GET http://:80/x HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['absolute with user information', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'bad-target'],
    ['absolute with another host', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-mismatch'],
    ['absolute with another port', 'GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-mismatch'],
    ['absolute with another default port', 'GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n', 'host-mismatch'],
    ['absolute with a longer host', 'GET http://a.b/ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-mismatch'],
    ['absolute with a dot more', 'GET http://a./ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-mismatch'],
    ['absolute with an empty Host', 'GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n', 'bad-host'],
    ['absolute without Host in HTTP/1.1', 'GET http://a/ HTTP/1.1\r\n\r\n', 'missing-host'],
  ],
  hosts: [
    ['missing', `${get}\r\n`, 'missing-host'],
    ['spelled wrong', `${get}H0st: a\r\n\r\n`, 'missing-host'],
    ['doubled', `${get}Host: a\r\nHost: b\r\n\r\n`, 'duplicate-host'],
    ['doubled and equal', `${get}Host: a\r\nhost: a\r\n\r\n`, 'duplicate-host'],
    ['doubled in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 'duplicate-host'],
    ['malformed in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a/b\r\n\r\n', 'bad-host'],
    ['empty', withHost(''), 'bad-host'],
    ['blank', withHost('  '), 'bad-host'],
    ['with a path', withHost('a/b'), 'bad-host'],
    ['with user information', withHost('u@a'), 'bad-host'],
    ['with a space', withHost('a b'), 'bad-host'],
    ['a list', withHost('a,b'), 'bad-host'],
    ['percent-encoded', withHost('%61'), 'bad-host'],
    ['a wildcard', withHost('*.example.com'), 'bad-host'],
    ['with an octet above ASCII', withHost('\xe9'), 'bad-host'],
    ['with a scheme', withHost('http://a'), 'bad-host'],
    ['with a backslash', withHost('a\\b'), 'bad-host'],
    ['port only', withHost(':80'), 'bad-host'],
    ['port that is no number', withHost('a:x'), 'bad-host'],
    ['port too large', withHost('a:65536'), 'bad-host'],
    ['signed port', withHost('a:+80'), 'bad-host'],
    ['two ports', withHost('a:80:80'), 'bad-host'],
    ['IPv6 without brackets', withHost('::1'), 'bad-host'],
    ['IPv6 not closed', withHost('[::1'), 'bad-host'],
    ['IPv6 malformed', withHost('[::g]'), 'bad-host'],
    ['IPv6 with two gaps', withHost('[1::2::3]'), 'bad-host'],
    ['IPv6 of nine groups', withHost('[1:2:3:4:5:6:7:8:9]'), 'bad-host'],
    ['IPv6 of seven groups', withHost('[1:2:3:4:5:6:7]'), 'bad-host'],
    ['IPv6 with three colons', withHost('[:::]'), 'bad-host'],
    ['IPv6 with a zone', withHost('[fe80::1%25eth0]'), 'bad-host'],
    ['IPv6 with a bad IPv4 tail', withHost('[::ffff:256.0.0.1]'), 'bad-host'],
    ['IPv6 with IPv4 in front', withHost('[1.2.3.4::1]'), 'bad-host'],
    ['IPv6 with text after it', withHost('[::1]a'), 'bad-host'],
    ['IPvFuture', withHost('[v1.a]'), 'bad-host'],
    ['empty brackets', withHost('[]'), 'bad-host'],
    ['after a tab', `${get}Host:\ta\r\n\r\n`, 'bad-host'],
  ],
  'header lines': [
    ['space before the colon', withLine('X-A : b'), 'bad-header-name'],
    ['tab before the colon', withLine('X-A\t: b'), 'bad-header-name'],
    ['no name', withLine(': b'), 'bad-header-name'],
    ['no colon', withLine('X-A'), 'bad-header-name'],
    ['name that is no token', withLine('X(A): b'), 'bad-header-name'],
    ['name with an octet above ASCII', withLine('X\xe9: b'), 'bad-header-name'],
    ['name with NUL', withLine('X\0: b'), 'bad-header-name'],
    ['folded with a space', withLine('X-A: b\r\n c'), 'folded-header'],
    ['folded with a tab', withLine('X-A: b\r\n\tc'), 'folded-header'],
    ['folded before the first header', `${get} Host: a\r\n\r\n`, 'folded-header'],
    ['NUL in a value', withLine('X-A: b\0c'), 'bad-header-value'],
    ['control character in a value', withLine('X-A: b\x01c'), 'bad-header-value'],
    ['vertical tab before a value', withLine('X-A:\x0bc'), 'bad-header-value'],
    ['DEL in a value', withLine('X-A: b\x7fc'), 'bad-header-value'],
    ['bare LF after a value', withLine('X-A: b\nX-B: c'), 'bad-line-end'],
    ['bare CR in a value', withLine('X-A: b\rc'), 'bad-line-end'],
    ['CR CR LF', withLine('X-A: b\r\r\nX-B: c'), 'bad-line-end'],
    ['bare LF as the empty line', `${get}Host: a\r\n\n`, 'bad-line-end'],
    ['bare CR as the empty line', `${get}Host: a\r\n\rX`, 'bad-line-end'],
  ],
  'content lengths': [
    ['with Transfer-Encoding', `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 'cl-with-te'],
    ['after Transfer-Encoding', `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`, 'cl-with-te'],
    ['of 0 with Transfer-Encoding', `${post}Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`, 'cl-with-te'],
    ['with identity', `${post}Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n`, 'cl-with-te'],
    ['two, equal', `${post}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, 'duplicate-content-length'],
    ['two, different', `${post}Content-Length: 5\r\ncontent-length: 6\r\n\r\n`, 'duplicate-content-length'],
    ['list', `${post}Content-Length: 5, 5\r\n\r\n`, 'bad-content-length'],
    ['plus sign', `${post}Content-Length: +5\r\n\r\n`, 'bad-content-length'],
    ['minus sign', `${post}Content-Length: -5\r\n\r\n`, 'bad-content-length'],
    ['space inside', `${post}Content-Length: 5 5\r\n\r\n`, 'bad-content-length'],
    ['hexadecimal', `${post}Content-Length: 0x5\r\n\r\n`, 'bad-content-length'],
    ['hexadecimal digit', `${post}Content-Length: a\r\n\r\n`, 'bad-content-length'],
    ['fraction', `${post}Content-Length: 5.0\r\n\r\n`, 'bad-content-length'],
    ['exponent', `${post}Content-Length: 5e0\r\n\r\n`, 'bad-content-length'],
    ['underscore', `${post}Content-Length: 1_0\r\n\r\n`, 'bad-content-length'],
    ['quoted', `${post}Content-Length: "5"\r\n\r\n`, 'bad-content-length'],
    ['empty', `${post}Content-Length:\r\n\r\n`, 'bad-content-length'],
    ['2^53', `${post}Content-Length: 9007199254740992\r\n\r\n`, 'bad-content-length'],
    ['2^64', `${post}Content-Length: 18446744073709551616\r\n\r\n`, 'bad-content-length'],
    ['digit above ASCII', `${post}Content-Length: \xb2\r\n\r\n`, 'bad-content-length'],
    ['after a tab', `${post}Content-Length:\t5\r\n\r\n`, 'bad-content-length'],
  ],
  'transfer encodings': [
    ['identity', `${post}Transfer-Encoding: identity\r\n\r\n`, 'bad-transfer-encoding'],
    ['almost chunked', `${post}Transfer-Encoding: xchunked\r\n\r\n`, 'bad-transfer-encoding'],
    ['chunked and more letters', `${post}Transfer-Encoding: chunkedx\r\n\r\n`, 'bad-transfer-encoding'],
    ['chunked not last', `${post}Transfer-Encoding: chunked, identity\r\n\r\n`, 'bad-transfer-encoding'],
    ['chunked twice in a list', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n`, 'bad-transfer-encoding'],
    ['empty element', `${post}Transfer-Encoding: chunked,\r\n\r\n`, 'bad-transfer-encoding'],
    ['parameter', `${post}Transfer-Encoding: chunked;q=1\r\n\r\n`, 'bad-transfer-encoding'],
    ['quoted', `${post}Transfer-Encoding: "chunked"\r\n\r\n`, 'bad-transfer-encoding'],
    ['empty', `${post}Transfer-Encoding:\r\n\r\n`, 'bad-transfer-encoding'],
    ['after a tab', `${post}Transfer-Encoding:\tchunked\r\n\r\n`, 'bad-transfer-encoding'],
    ['before a tab', `${post}Transfer-Encoding: chunked\t\r\n\r\n`, 'bad-transfer-encoding'],
    ['after a vertical tab', `${post}Transfer-Encoding: \x0bchunked\r\n\r\n`, 'bad-header-value'],
    ['after a no-break space', `${post}Transfer-Encoding: \xa0chunked\r\n\r\n`, 'bad-transfer-encoding'],
    [
      'two lines',
      `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'duplicate-transfer-encoding',
    ],
    [
      'two lines, the first identity',
      `${post}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'duplicate-transfer-encoding',
    ],
    [
      'another coding before chunked',
      `${post}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      'unsupported-transfer-encoding',
    ],
    ['in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'te-in-http-1.0'],
  ],
  'connection options': [
    ['no token', withLine('Connection: a b'), 'bad-connection-option'],
    ['quoted', withLine('Connection: "close"'), 'bad-connection-option'],
    ['names Host', withLine('Connection: host'), 'bad-connection-option'],
    [
      'names Content-Length',
      `${post}Connection: close, Content-Length\r\nContent-Length: 5\r\n\r\n`,
      'bad-connection-option',
    ],
    ['names Transfer-Encoding', withLine('Connection: Transfer-Encoding'), 'bad-connection-option'],
    ['more than 32', withLine(`Connection: ${'a,'.repeat(33)}`), 'too-many-connection-options'],
    [
      'more than 32 in many lines',
      withLine(Array(33).fill('Connection: close').join('\r\n')),
      'too-many-connection-options',
    ],
  ],
  upgrades: [
    [
      'WebSocket with a length',
      withLine('Connection: upgrade\r\nUpgrade: WebSocket\r\nContent-Length: 5'),
      'websocket-with-body',
    ],
    [
      'WebSocket with chunks',
      withLine('Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked'),
      'websocket-with-body',
    ],
  ],
};

for (const [group, rows] of Object.entries(refusedRequests)) {
  describe(`refused ${group}`, () => {
    test.each(rows)('%s', (_what, text, code) => {
      expect(refusalOfRequest(text)).toBe(code);
    });
  });
}

test('a refusal names a fitting status and a reason that quotes nothing', () => {
  const statuses = new Map(wireErrorCodes.map((code) => [code, refusalStatus(code)]));
  expect(new Set(statuses.values())).toEqual(new Set([400, 414, 431, 501, 505]));
  expect(statuses.get('request-line-too-long')).toBe(414);
  expect(statuses.get('head-too-large')).toBe(431);
  expect(statuses.get('too-many-headers')).toBe(431);
  expect(statuses.get('connect-not-supported')).toBe(501);
  expect(statuses.get('unsupported-transfer-encoding')).toBe(501);
  expect(statuses.get('unsupported-version')).toBe(505);
  expect(statuses.get('cl-with-te')).toBe(400);
  for (const code of wireErrorCodes) expect(refusalReason(code)).toMatch(/^[A-Z].*[^.]$/);
});
