import { BlockList } from 'node:net';
import { expect, test } from 'vitest';
import { ForwardingHeaders } from '../../../src/dataplane/forwarding-headers.ts';
import { countHop, readMaxForwards } from '../../../src/dataplane/max-forwards.ts';
import type { RequestHead } from '../../../src/wire/request-head.ts';
import { RequestParser } from '../../../src/wire/request-parser.ts';

function headOf(...lines: readonly string[]): RequestHead {
  const parser = new RequestParser();
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
  return parser.head;
}

function headers(peer: string, trusted: readonly string[] = []): ForwardingHeaders {
  const list = new BlockList();
  for (const address of trusted) list.addAddress(address, address.includes(':') ? 'ipv6' : 'ipv4');
  return new ForwardingHeaders({ viaName: 'evenkeel-1', trusted: list }, peer, 'http');
}

const GET = ['GET /x HTTP/1.1', 'Host: a.example'] as const;

test('members are told who asked, for which host and how', () => {
  expect(headers('::ffff:10.1.2.3').write(headOf(...GET, 'X: y'), 'member:81')).toBe(
    'GET /x HTTP/1.1\r\nHost: a.example\r\nX: y\r\nX-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Host: a.example\r\n' +
      'X-Forwarded-Proto: http\r\nX-Real-IP: 10.1.2.3\r\nCDN-Loop: evenkeel-1\r\n\r\n',
  );
});

test('what one request said of its host is not told of the next', () => {
  const written = headers('10.1.2.3');
  expect(written.write(headOf(...GET), 'm')).toContain('X-Forwarded-Host: a.example\r\n');
  expect(written.write(headOf('GET / HTTP/1.1', 'Host: b.example'), 'm')).toContain('X-Forwarded-Host: b.example\r\n');
  expect(written.write(headOf('GET / HTTP/1.0'), 'm')).toMatch(
    /^GET \/ HTTP\/1.1\r\nHost: m\r\n(?!.*X-Forwarded-Host)/s,
  );
  expect(written.write(headOf('GET http://c.example/ HTTP/1.0'), 'm')).toContain('\r\nHost: c.example\r\n');
  expect(
    written.write(headOf('GET http://c.example/ HTTP/1.1', 'Host: c.example'), 'm').match(/^Host:/gim),
  ).toHaveLength(1);
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
  expect(headers('10.1.2.3').write(headOf(...GET, `${name}: 6.6.6.6`), 'm')).not.toContain('6.6.6.6');
});

test('a trusted proxy is appended to, line by line, and keeps the rest', () => {
  const written = headers('fd00::1', ['fd00::1']).write(
    headOf(
      ...GET,
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-For: 2.2.2.2',
      'X-Forwarded-Host: z',
      'X_Forwarded_Host: w',
      'Forwarded: for=1.1.1.1',
    ),
    'm',
  );
  expect(written).toContain('X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, fd00::1\r\nX-Forwarded-Host: z\r\n');
  expect(written).toContain('Forwarded: for=1.1.1.1, for="[fd00::1]";proto=http\r\n');
  expect(written).toContain('X-Forwarded-Proto: http\r\nX-Real-IP: fd00::1\r\n');
  expect(written).not.toContain('w\r\n');
});

test('a header that Connection names is made anew', () => {
  const written = headers('10.0.0.1', ['10.0.0.1']).write(
    headOf(...GET, 'Connection: X-Real-IP', 'X-Real-IP: 9.9.9.9'),
    'm',
  );
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
