import { BlockList } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ForwardingHeaders, type ForwardingOptions } from '../../../src/dataplane/forwarding-headers.ts';
import { countHop, readMaxForwards } from '../../../src/dataplane/max-forwards.ts';
import { RequestIds } from '../../../src/dataplane/request-id.ts';
import type { RequestHead } from '../../../src/wire/request-head.ts';
import { RequestParser } from '../../../src/wire/request-parser.ts';

function headOf(...lines: readonly string[]): RequestHead {
  const parser = new RequestParser();
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
  return parser.head;
}

function headers(
  peer: string,
  trusted: readonly string[] = [],
  chosen: Partial<ForwardingOptions> = {},
): ForwardingHeaders {
  const list = new BlockList();
  for (const address of trusted) list.addAddress(address, address.includes(':') ? 'ipv6' : 'ipv4');
  const nothing = { sendsForwarded: false, sendsVia: false, requestId: 'off' } as const;
  const options = { ...nothing, viaName: 'evenkeel-1', trusted: list, requestIds: new RequestIds(), ...chosen };
  return new ForwardingHeaders(options, peer, 'http');
}

const GET = ['GET /x HTTP/1.1', 'Host: a.example'] as const;

test('members are told who asked, for which host and how', () => {
  expect(
    headers('::ffff:10.1.2.3')
      .write(headOf(...GET, 'X: y'), 'member:81')
      .toString(),
  ).toBe(
    'GET /x HTTP/1.1\r\nHost: a.example\r\nX: y\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Host: a.example\r\n' +
      'X-Forwarded-Proto: http\r\nX-Real-IP: 10.1.2.3\r\nCDN-Loop: evenkeel-1\r\n\r\n',
  );
});

test('what one request said of its host is not told of the next', () => {
  const written = headers('10.1.2.3');
  expect(written.write(headOf(...GET), 'm').toString()).toContain('X-Forwarded-Host: a.example\r\n');
  expect(written.write(headOf('GET / HTTP/1.1', 'Host: b.example'), 'm').toString()).toContain(
    'X-Forwarded-Host: b.example\r\n',
  );
  expect(written.write(headOf('GET / HTTP/1.0'), 'm').toString()).toMatch(
    /^GET \/ HTTP\/1.1\r\nHost: m\r\n(?!.*X-Forwarded-Host)/s,
  );
  expect(written.write(headOf('GET http://c.example/ HTTP/1.0'), 'm').toString()).toContain('\r\nHost: c.example\r\n');
  expect(
    written
      .write(headOf('GET http://c.example/ HTTP/1.1', 'Host: c.example'), 'm')
      .toString()
      .match(/^Host:/gim),
  ).toHaveLength(1);
});

test('what is remembered of a request does not keep its head', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const heldBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const CONNECTIONS = 400;
  const lines = ['Host: a-long-name.example', 'X-Request-Id: 0123456789abcdef', `X: ${'y'.repeat(10_000)}`];
  const before = heldBytes();
  const all = Array.from({ length: CONNECTIONS }, () => {
    const written = headers('10.1.2.3', [], { requestId: 'pass' });
    written.write(headOf('GET /x HTTP/1.1', ...lines), 'm').toString();
    return written;
  });
  expect((heldBytes() - before) / all.length).toBeLessThan(5_000);
});

test.each([
  'X-Forwarded-For',
  'x_forwarded_for',
  'X-Forwarded_Host',
  'X_Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Server',
  'X-Forwarded-Prefix',
  'X-Forwarded-Ssl',
  'X_FORWARDED_USER',
  'Forwarded',
  'X-Real-IP',
  'X_Real_IP',
])('a stranger’s %s is dropped', (name) => {
  expect(
    headers('10.1.2.3')
      .write(headOf(...GET, `${name}: 6.6.6.6`), 'm')
      .toString(),
  ).not.toContain('6.6.6.6');
});

test('a trusted proxy is appended to, line by line, and keeps the rest', () => {
  const written = headers('fd00::1', ['fd00::1'])
    .write(
      headOf(
        ...GET,
        'X-Forwarded-For: 1.1.1.1',
        'X-Forwarded-For: 2.2.2.2',
        'X-Forwarded-Host: z',
        'X_Forwarded_Host: w',
        'Forwarded: for=1.1.1.1',
      ),
      'm',
    )
    .toString();
  expect(written).toContain('X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, fd00::1\r\nX-Forwarded-Host: z\r\n');
  expect(written).toContain('Forwarded: for=1.1.1.1, for="[fd00::1]";host=a.example;proto=http;by=_evenkeel-1\r\n');
  expect(written).toContain('X-Forwarded-Proto: http\r\nX-Real-IP: fd00::1\r\n');
  expect(written).not.toContain('w\r\n');
});

test('a header that Connection names is made anew', () => {
  const written = headers('10.0.0.1', ['10.0.0.1'])
    .write(headOf(...GET, 'Connection: X-Real-IP', 'X-Real-IP: 9.9.9.9'), 'm')
    .toString();
  expect(written.match(/x-real-ip.*/gi)).toEqual(['X-Real-IP: 10.0.0.1']);
});

test.each([
  ['evenkeel-1', true],
  ['other, evenkeel-1; v=2', true],
  ['EVENKEEL-1', false],
  ['evenkeel-10', false],
  ['other', false],
])('the loop mark %j: %s', (value, isLoop) => {
  expect(headers('10.0.0.1').isLoop(headOf(...GET, 'CDN-Loop: x', `cdn-loop: ${value}`))).toBe(isLoop);
});

describe('Forwarded, where it is chosen', () => {
  const forwarded = { sendsForwarded: true };

  test('a stranger’s is made anew', () => {
    const written = headers('10.1.2.3', [], forwarded)
      .write(headOf(...GET, 'Forwarded: for=6.6.6.6'), 'm')
      .toString();
    expect(written.match(/^forwarded:.*$/gim)).toEqual([
      'Forwarded: for=10.1.2.3;host=a.example;proto=http;by=_evenkeel-1',
    ]);
    expect(written).toContain('X-Forwarded-For: 10.1.2.3\r\n');
  });

  test.each([
    ['fd00::9', 'a.example:8080', 'for="[fd00::9]";host="a.example:8080";proto=http;by=_evenkeel-1'],
    ['fe80::9%eth0', '[::1]:81', 'for="[fe80::9]";host="[::1]:81";proto=http;by=_evenkeel-1'],
  ])('what is no token is quoted: %s, %s', (peer, host, value) => {
    const written = headers(peer, [], forwarded)
      .write(headOf('GET / HTTP/1.1', `Host: ${host}`), 'm')
      .toString();
    expect(written).toContain(`\r\nForwarded: ${value}\r\n`);
  });

  test('a trusted proxy’s is made where it sent none, and appended to where it did', () => {
    const made = headers('10.0.0.1', ['10.0.0.1'], forwarded)
      .write(headOf(...GET), 'm')
      .toString();
    expect(made.match(/^forwarded:.*$/gim)).toEqual([
      'Forwarded: for=10.0.0.1;host=a.example;proto=http;by=_evenkeel-1',
    ]);
    const appended = headers('10.0.0.1', ['10.0.0.1'], forwarded)
      .write(headOf(...GET, 'Connection: Forwarded', 'Forwarded: for=1.1.1.1'), 'm')
      .toString();
    expect(appended.match(/^forwarded:.*$/gim)).toEqual([
      'Forwarded: for=1.1.1.1, for=10.0.0.1;host=a.example;proto=http;by=_evenkeel-1',
    ]);
  });
});

test('Via, where it is chosen, is a further line with the version that came', () => {
  const written = headers('10.1.2.3', [], { sendsVia: true });
  expect(
    written
      .write(headOf(...GET, 'Via: 1.1 x'), 'm')
      .toString()
      .match(/^via:.*$/gim),
  ).toEqual(['Via: 1.1 x', 'Via: 1.1 evenkeel-1']);
  expect(written.write(headOf('GET / HTTP/1.0', 'Host: a.example'), 'm').toString()).toContain(
    '\r\nVia: 1.0 evenkeel-1\r\n',
  );
  expect(written.write(headOf(...GET), 'm').toString()).toContain('\r\nVia: 1.1 evenkeel-1\r\n');
  expect(written.viaLine(0)).toBe('Via: 1.0 evenkeel-1\r\n');
  expect(headers('10.1.2.3').viaLine(1)).toBe('');
});

describe('X-Request-Id', () => {
  const GIVEN = 'X-Request-Id: given-1';
  const idIn = (text: string): string[] => (text.match(/^x.request.id:.*$/gim) ?? []).map((line) => line.slice(14));

  test('is left alone unless chosen', () => {
    expect(
      idIn(
        headers('10.0.0.1')
          .write(headOf(...GET, GIVEN), 'm')
          .toString(),
      ),
    ).toEqual(['given-1']);
    expect(headers('10.0.0.1').requestId(headOf(...GET, GIVEN))).toBe('');
  });

  test.each([
    ['a stranger’s', 'make', [], [GIVEN], 'made'],
    ['a stranger’s', 'pass', [], [GIVEN], 'given-1'],
    ['a trusted proxy’s', 'make', ['10.0.0.1'], [GIVEN], 'given-1'],
    ['none of a trusted proxy', 'make', ['10.0.0.1'], [], 'made'],
    ['a look-alike', 'pass', [], ['X_Request_Id: given-1'], 'made'],
    ['two', 'pass', [], [GIVEN, GIVEN], 'made'],
    ['one that Connection names', 'pass', [], [GIVEN, 'Connection: X-Request-Id'], 'made'],
    ['one that could spoil a log', 'pass', [], ['X-Request-Id: a"b'], 'made'],
    ['an endless one', 'pass', [], [`X-Request-Id: ${'x'.repeat(129)}`], 'made'],
  ] as const)('%s with %s', (_, requestId, trusted, lines, expected) => {
    const head = headOf(...GET, ...lines);
    const written = headers('10.0.0.1', trusted, { requestId });
    const ids = idIn(written.write(head, 'm').toString());
    expect(ids).toEqual([expected === 'made' ? expect.stringMatching(/^[0-9a-f]{32}$/) : expected]);
    expect(written.requestId(head)).toBe(ids[0]);
  });

  test('is the same for all attempts, and another for the next request', () => {
    const written = headers('10.0.0.1', [], { requestId: 'make' });
    const ids = [1, 2].map(() => {
      const head = headOf(...GET);
      written.isLoop(head);
      const [first] = idIn(written.write(head, 'm1').toString());
      expect(idIn(written.write(head, 'm2').toString())).toEqual([first]);
      return first;
    });
    expect(ids[0]).not.toBe(ids[1]);
  });
});

test('of a thousand ids no two are the same', () => {
  const ids = new RequestIds();
  expect(new Set(Array.from({ length: 1000 }, () => ids.next())).size).toBe(1000);
});

test.each([
  ['the client’s Host', false, 'Host: a.example:81', 'Host: a.example:81'],
  ['its own authority', true, 'hOST: a.example:81', 'hOST: member:8080'],
])('a member gets %s', (_, replacesHost, sent, expected) => {
  for (const trusted of [[], ['10.0.0.1']]) {
    const written = headers('10.0.0.1', trusted)
      .write(headOf('GET / HTTP/1.1', sent), 'member:8080', null, replacesHost)
      .toString();
    expect(written.match(/^host:.*$/gim)).toEqual([expected]);
    expect(written).toContain('X-Forwarded-Host: a.example:81\r\n');
  }
});

test('its own authority goes before what an absolute target names', () => {
  const written = headers('10.0.0.1').write(headOf('GET http://c.example/x HTTP/1.0'), 'member', null, true).toString();
  expect(written).toMatch(/^GET \/x HTTP\/1.1\r\nHost: member\r\n/);
});

test.each([
  [['TE: trailers', 'Connection: TE'], true],
  [['TE: gzip;q=0.5, Trailers', 'Connection: close, TE'], true],
  [['TE: trailers'], false],
  [['TE: gzip', 'Connection: TE'], false],
  [['TE: trailersx', 'Connection: TE'], false],
  [['T_E: trailers', 'Connection: T_E'], false],
  [[], false],
])('%j: trailers are welcome: %s', (lines, isWelcome) => {
  const written = headers('10.0.0.1')
    .write(headOf(...GET, ...lines), 'm')
    .toString();
  expect(written.match(/^te:.*$/gim)).toEqual(isWelcome ? ['TE: trailers'] : null);
  expect(written.match(/^connection:.*$/gim)).toEqual(isWelcome ? ['Connection: TE'] : null);
});

test.each([
  ['OPTIONS', ['Max-Forwards: 10'], 10],
  ['TRACE', ['Max-Forwards: 0'], 0],
  ['TRACE', ['Max-Forwards: -1'], 'bad-max-forwards'],
  ['TRACE', ['Max-Forwards:'], 'bad-max-forwards'],
  ['TRACE', ['Max-Forwards: 1', 'Max-Forwards: 1'], 'bad-max-forwards'],
  ['GET', ['Max-Forwards: 0'], null],
  ['OPTIONS', [], null],
])('%s with %j has %j hops left', (method, lines, hops) => {
  expect(readMaxForwards(headOf(`${method} / HTTP/1.1`, 'Host: a', ...lines))).toBe(hops);
});

test('each hop counts one down', () => {
  expect(countHop(headOf('OPTIONS / HTTP/1.1', 'Host: a', 'Max-Forwards: 10'))).toEqual(new Map([[1, '9']]));
  expect(countHop(headOf('GET / HTTP/1.1', 'Host: a', 'Max-Forwards: 10'))).toBeNull();
});
