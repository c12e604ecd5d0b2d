// Requests that pass, and what the head says about them.
import { describe, expect, test } from 'vitest';
import { headerIds, headerNames } from '../../../src/wire/header-id.ts';
import { listLines, parseRequest, refusalOfRequest } from './read-messages.ts';

function parseHead(text: string) {
  return parseRequest(text).head;
}

describe('the request line', () => {
  test('method, target and version are kept as they were sent', () => {
    const head = parseHead('GET /a%2Fb/../c;x=1?d=%20&e={|}"<> HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(head.method).toBe('GET');
    expect(head.target).toBe('/a%2Fb/../c;x=1?d=%20&e={|}"<>');
    expect(head.originTarget).toBe(head.target);
    expect(head.targetForm).toBe('origin');
    expect(head.minorVersion).toBe(1);
  });

  test.each(['get', 'FOO', 'M-SEARCH', "!#$%&'*+-.^_`|~1", 'connect'])('any token is a method: %s', (method) => {
    expect(parseHead(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`).method).toBe(method);
  });

  test('one empty line before it is ignored', () => {
    const head = parseHead('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(head.method).toBe('GET');
    expect(head.target).toBe('/');
  });

  test('OPTIONS may ask about the server as a whole', () => {
    const head = parseHead('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(head.targetForm).toBe('asterisk');
    expect(head.originTarget).toBe('*');
  });
});

describe('absolute targets', () => {
  test.each([
    ['GET http://a/b?c HTTP/1.1', 'a', '/b?c'],
    ['GET HTTP://A:80/ HTTP/1.1', 'a', '/'],
    ['GET http://a HTTP/1.1', 'a:80', '/'],
    ['GET http://a?q HTTP/1.1', 'a', '/?q'],
    ['GET https://a:443/ HTTP/1.1', 'a', '/'],
    ['GET https://a/ HTTP/1.1', 'a:443', '/'],
    ['GET http://a:/x HTTP/1.1', 'a', '/x'],
    ['GET http://[::1]:8080/x HTTP/1.1', '[::1]:8080', '/x'],
    ['OPTIONS http://a HTTP/1.1', 'a', '*'],
    ['OPTIONS http://a/ HTTP/1.1', 'a', '/'],
  ])('%s agrees with Host: %s', (line, host, origin) => {
    const head = parseHead(`${line}\r\nHost: ${host}\r\n\r\n`);
    expect(head.targetForm).toBe('absolute');
    expect(head.originTarget).toBe(origin);
    expect(head.host).toBe(host);
  });

  test('HTTP/1.0 may leave Host out, the target names it', () => {
    const head = parseHead('GET http://a:81/ HTTP/1.0\r\n\r\n');
    expect([head.host, head.hostname, head.port]).toEqual(['a:81', 'a', 81]);
  });
});

describe('hosts', () => {
  test.each([
    ['a', 'a', -1],
    ['Shop.Example.COM:8080', 'Shop.Example.COM', 8080],
    ['a.', 'a.', -1],
    ['a_b-c~d', 'a_b-c~d', -1],
    ['a:', 'a', -1],
    ['a:0', 'a', 0],
    ['a:65535', 'a', 65_535],
    ['192.0.2.1', '192.0.2.1', -1],
    ['[::]', '[::]', -1],
    ['[2001:DB8::1]:443', '[2001:DB8::1]', 443],
    ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]', -1],
    ['[1:2:3:4:5:6:7::]', '[1:2:3:4:5:6:7::]', -1],
    ['[::ffff:192.0.2.1]', '[::ffff:192.0.2.1]', -1],
    ['[1:2:3:4:5:6:192.0.2.1]', '[1:2:3:4:5:6:192.0.2.1]', -1],
  ])('%s', (host, hostname, port) => {
    const head = parseHead(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    expect([head.host, head.hostname, head.port]).toEqual([host, hostname, port]);
  });

  test('HTTP/1.0 needs none', () => {
    const head = parseHead('GET / HTTP/1.0\r\n\r\n');
    expect([head.host, head.hostname, head.port]).toEqual(['', '', -1]);
  });
});

describe('header lines', () => {
  const text =
    'GET / HTTP/1.1\r\nHost: a\r\nx-a: 1\r\nX-A:2\r\nX-Empty:\r\nX-Blank:  \t \r\nX-Tab: a\tb \t\r\nX-Obs: \xe9\xff\r\n__proto__: x\r\nx-a: 1\r\n\r\n';

  test('order, case and duplicates are kept, white space around values is not', () => {
    expect(listLines(parseHead(text).fields)).toEqual([
      'Host: a',
      'x-a: 1',
      'X-A: 2',
      'X-Empty: ',
      'X-Blank: ',
      'X-Tab: a\tb',
      'X-Obs: \xe9\xff',
      '__proto__: x',
      'x-a: 1',
    ]);
  });

  test('lines are found by name without regard to case', () => {
    const { fields } = parseHead(text);
    expect(fields.findName('x-a')).toBe(1);
    expect(fields.findName('x-a', 2)).toBe(2);
    expect(fields.findName('x-a', 3)).toBe(8);
    expect(fields.findName('x-a', 9)).toBe(-1);
    expect(fields.findName('x-')).toBe(-1);
  });

  test.each(headerNames.map((name, id) => [name, id] as const).filter(([name]) => name !== '' && name !== 'host'))(
    '%s is known in any case, and apart when spelled with underscores',
    (name, id) => {
      const value = { 'content-length': '0', 'transfer-encoding': 'chunked' }[name] ?? 'x';
      const shouted = parseHead(`POST / HTTP/1.1\r\nHost: a\r\n${name.toUpperCase()}: ${value}\r\n\r\n`).fields;
      expect([shouted.id(1), shouted.looseId(1), shouted.isLookAlike(1)]).toEqual([id, id, false]);
      expect(shouted.find(id as 1)).toBe(1);
      if (!name.includes('-')) return;
      const disguised = parseHead(
        `POST / HTTP/1.1\r\nHost: a\r\n${name.replaceAll('-', '_')}: ${value}\r\n\r\n`,
      ).fields;
      expect([disguised.id(1), disguised.looseId(1), disguised.isLookAlike(1)]).toEqual([0, id, true]);
      expect(disguised.find(id as 1)).toBe(-1);
    },
  );

  test('every X-Forwarded header is known as one', () => {
    const { fields } = parseHead(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Foo: b\r\nX_Forwarded-Bar: c\r\nX-Forwarded-: d\r\n\r\n',
    );
    expect([1, 2, 3].map((i) => fields.looseId(i))).toEqual([headerIds.xForwardedOther, headerIds.xForwardedOther, 0]);
    expect(fields.id(2)).toBe(0);
  });
});

describe('framing', () => {
  test.each([
    ['no body', '', 'none', -1],
    ['a length', 'Content-Length: 5\r\n', 'length', 5],
    ['a length of 0', 'Content-Length: 0\r\n', 'length', 0],
    ['a length with zeros in front', 'Content-Length: 007\r\n', 'length', 7],
    ['the largest length', 'Content-Length: 9007199254740991\r\n', 'length', Number.MAX_SAFE_INTEGER],
    ['chunks', 'Transfer-Encoding: chunked\r\n', 'chunked', -1],
    ['chunks, shouted', 'TRANSFER-ENCODING:CHUNKED\r\n', 'chunked', -1],
    ['a look-alike is no length', 'Content_Length: 5\r\n', 'none', -1],
  ])('%s', (_what, lines, framing, length) => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD']) {
      const head = parseHead(`${method} / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
      expect([head.framing, head.contentLength]).toEqual([framing, length]);
    }
  });
});

describe('the connection', () => {
  test.each([
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: CLOSE\r\n', false],
    ['1.1', 'Connection: keep-alive, close\r\n', false],
    ['1.1', 'Connection: keep-alive\r\nConnection: x, close\r\n', false],
    ['1.1', 'Connection: , ,keep-alive,\r\n', true],
    ['1.1', 'Connection: closed\r\n', true],
    ['1.1', 'Proxy-Connection: close\r\n', true],
    ['1.0', '', false],
    ['1.0', 'Connection: Keep-Alive\r\n', true],
    ['1.0', 'Connection: close, keep-alive\r\n', false],
    ['1.0', 'Proxy-Connection: keep-alive\r\n', false],
  ])('HTTP/%s with %j is kept open: %s', (version, lines, isKeepAlive) => {
    expect(parseHead(`GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`).isKeepAlive).toBe(isKeepAlive);
  });

  test('lines that it names are marked, before and after it', () => {
    const { fields } = parseHead(
      'GET / HTTP/1.1\r\nx-a: 1\r\nHost: a\r\nConnection: X-A, te\r\nX-A: 2\r\nX-AB: 3\r\nTE: trailers\r\n\r\n',
    );
    expect(Array.from({ length: fields.count }, (_, i) => fields.isNominated(i))).toEqual([
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
  });

  test('an upgrade needs both headers and HTTP/1.1', () => {
    const ask = (version: string, lines: string) => parseHead(`GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`);
    expect(ask('1.1', 'Connection: Upgrade\r\nUpgrade: WebSocket\r\n')).toMatchObject({
      upgrade: 'WebSocket',
      isWebSocket: true,
    });
    expect(ask('1.1', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n')).toMatchObject({
      upgrade: 'h2c',
      isWebSocket: false,
    });
    expect(ask('1.1', 'Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n')).toMatchObject({
      upgrade: 'h2c, websocket',
      isWebSocket: false,
    });
    expect(ask('1.1', 'Upgrade: websocket\r\n').upgrade).toBe('');
    expect(ask('1.1', 'Connection: upgrade\r\n').upgrade).toBe('');
    expect(ask('1.0', 'Connection: upgrade\r\nUpgrade: websocket\r\n').upgrade).toBe('');
  });

  test('an upgrade to something else may have a body', () => {
    expect(
      parseHead('POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\n')
        .contentLength,
    ).toBe(5);
  });

  test('100-continue is expected by HTTP/1.1 only', () => {
    const ask = (version: string, value: string) =>
      parseHead(`POST / HTTP/${version}\r\nHost: a\r\nContent-Length: 5\r\nExpect: ${value}\r\n\r\n`).expectsContinue;
    expect(ask('1.1', '100-continue')).toBe(true);
    expect(ask('1.1', '100-Continue')).toBe(true);
    expect(ask('1.1', 'something')).toBe(false);
    expect(ask('1.0', '100-continue')).toBe(false);
  });
});

describe('limits', () => {
  const head = `GET /${'a'.repeat(20)} HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n`;
  const lineBytes = head.indexOf('\r\n');

  test('a head of just the limit passes, one byte less does not', () => {
    expect(refusalOfRequest(head, { maxHeadBytes: head.length })).toBe(null);
    expect(refusalOfRequest(head, { maxHeadBytes: head.length - 1 })).toBe('head-too-large');
  });

  test('as many headers as the limit pass, one more does not', () => {
    expect(refusalOfRequest(head, { maxHeaderCount: 2 })).toBe(null);
    expect(refusalOfRequest(head, { maxHeaderCount: 1 })).toBe('too-many-headers');
  });

  test('a request line of just the limit passes, one byte less does not', () => {
    expect(refusalOfRequest(head, { maxStartLineBytes: lineBytes })).toBe(null);
    expect(refusalOfRequest(`\r\n${head}`, { maxStartLineBytes: lineBytes })).toBe(null);
    expect(refusalOfRequest(head, { maxStartLineBytes: lineBytes - 1 })).toBe('request-line-too-long');
  });

  test('an endless head is refused as soon as the limit is reached', () => {
    expect(refusalOfRequest('GET /'.padEnd(10_000, 'a'))).toBe('request-line-too-long');
    expect(refusalOfRequest('GET / HTTP/1.1\r\nX: '.padEnd(20_000, 'a'))).toBe('head-too-large');
    expect(refusalOfRequest('GET / HTTP/1.1\r\n'.padEnd(10_000, 'a:\r\n'))).toBe('too-many-headers');
    expect(refusalOfRequest('A'.repeat(8_192))).toBe('more');
  });
});
