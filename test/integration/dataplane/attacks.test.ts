// What clients must not be able to do, over real sockets: nothing of it reaches a member, the connection ends
// after the right answer, and the lane lives.
import { expect, test } from 'vitest';
import { get, ok, request, stage } from './stage.ts';

const POST = 'POST / HTTP/1.1';
const HOST = 'Host: a';

const REFUSED: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ['CL with TE', `${request(POST, HOST, 'Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`, 400],
  ['TE with CL', `${request(POST, HOST, 'Transfer-Encoding: chunked', 'Content-Length: 3')}0\r\n\r\n`, 400],
  ['two equal CL', `${request(POST, HOST, 'Content-Length: 3', 'Content-Length: 3')}abc`, 400],
  ['two CL', `${request(POST, HOST, 'Content-Length: 3', 'Content-Length: 4')}abc`, 400],
  ['CL with sign', `${request(POST, HOST, 'Content-Length: +3')}abc`, 400],
  ['negative CL', `${request(POST, HOST, 'Content-Length: -3')}abc`, 400],
  ['CL with space', `${request(POST, HOST, 'Content-Length: 1 1')}abc`, 400],
  ['CL in hex', `${request(POST, HOST, 'Content-Length: 0x3')}abc`, 400],
  ['CL as list', `${request(POST, HOST, 'Content-Length: 3, 3')}abc`, 400],
  ['CL overflow', `${request(POST, HOST, 'Content-Length: 99999999999999999999')}abc`, 400],
  ['empty CL', `${request(POST, HOST, 'Content-Length:')}abc`, 400],
  ['TE xchunked', request(POST, HOST, 'Transfer-Encoding: xchunked'), 400],
  ['TE gzip, chunked', request(POST, HOST, 'Transfer-Encoding: gzip, chunked'), 501],
  ['TE chunked, identity', request(POST, HOST, 'Transfer-Encoding: chunked, identity'), 400],
  ['TE twice', request(POST, HOST, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 400],
  ['TE with VT', request(POST, HOST, 'Transfer-Encoding: \x0bchunked'), 400],
  ['TE on HTTP/1.0', request('POST / HTTP/1.0', HOST, 'Transfer-Encoding: chunked'), 400],
  ['bare LF', 'GET / HTTP/1.1\nHost: a\n\n', 400],
  ['bare LF in head', 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', 400],
  ['bare CR', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', 400],
  ['obs-fold', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400],
  ['space before colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
  ['NUL', get('/', 'X: a\0b'), 400],
  ['control byte', get('/', 'X: a\x01b'), 400],
  ['no Host', request('GET / HTTP/1.1'), 400],
  ['two Hosts', request('GET / HTTP/1.1', HOST, HOST), 400],
  ['empty Host', request('GET / HTTP/1.1', 'Host:'), 400],
  ['invalid Host', request('GET / HTTP/1.1', 'Host: a/b@c'), 400],
  ['target against Host', request('GET http://b/ HTTP/1.1', HOST), 400],
  ['fragment', get('/a#b'), 400],
  ['GET *', get('*'), 400],
  ['CONNECT', request('CONNECT a:443 HTTP/1.1', HOST), 501],
  ['CL in trailer', `${request(POST, HOST, 'Transfer-Encoding: chunked')}0\r\nContent-Length: 5\r\n\r\n`, 400],
  ['TE in trailer', `${request(POST, HOST, 'Transfer-Encoding: chunked')}0\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
  ['Host in trailer', `${request(POST, HOST, 'Transfer-Encoding: chunked')}0\r\nHost: b\r\n\r\n`, 400],
  ['our word in trailer', `${request(POST, HOST, 'Transfer-Encoding: chunked')}0\r\nX-Balancer-Member: b\r\n\r\n`, 400],
  ['bad chunk size', `${request(POST, HOST, 'Transfer-Encoding: chunked')}0x5\r\nhello\r\n0\r\n\r\n`, 400],
  ['chunk size with space', `${request(POST, HOST, 'Transfer-Encoding: chunked')}5 \r\nhello\r\n0\r\n\r\n`, 400],
  ['chunk size overflow', `${request(POST, HOST, 'Transfer-Encoding: chunked')}ffffffffffffffff\r\nx`, 400],
  ['no CRLF after a chunk', `${request(POST, HOST, 'Transfer-Encoding: chunked')}5\r\nhello0\r\n\r\n`, 400],
  ['chunk with LF only', `${request(POST, HOST, 'Transfer-Encoding: chunked')}5\nhello\n0\n\n`, 400],
  ['endless chunk extension', `${request(POST, HOST, 'Transfer-Encoding: chunked')}5;${'a'.repeat(5_000)}`, 400],
  [
    'websocket with a body',
    `${request('GET / HTTP/1.1', HOST, 'Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 3')}abc`,
    400,
  ],
  [
    'websocket with TE',
    request('GET / HTTP/1.1', HOST, 'Connection: upgrade', 'Upgrade: websocket', 'Transfer-Encoding: chunked'),
    400,
  ],
  ['name outside token', get('/', 'X[1]: a'), 400],
  ['no name', get('/', ': a'), 400],
  ['long request line', get(`/${'a'.repeat(9_000)}`), 414],
  ['large head', get('/', `X: ${'a'.repeat(17_000)}`), 431],
  ['many headers', get('/', ...Array.from({ length: 101 }, (_, i) => `X-${i}: 1`)), 431],
  ['HTTP/2.0', request('GET / HTTP/2.0', HOST), 505],
  ['HTTP/1.2', request('GET / HTTP/1.2', HOST), 505],
  ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00', 400],
  ['encoded NUL in the path', get('/a%00b'), 400],
  ['broken encoding in the path', get('/a%zz;x'), 400],
];

test.each(REFUSED)('%s is refused', async (_, bytes, status) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  // What follows must never be taken for a request.
  const isOfPath = bytes.includes('%');
  client.send(isOfPath ? bytes : `${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
  const { head } = await client.takeMessage();
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  if (!isOfPath) {
    expect(head).toContain('Connection: close');
    expect(await client.ended()).toBe('');
    for (const connection of member.connections) expect(connection.text).toBe('');
  }
  // The lane lives.
  const other = await lane.client();
  member.answerAll(ok('alive'));
  other.send(get());
  expect((await other.takeMessage()).body).toBe('alive');
  expect(lane.busy()).toBe(0);
});

test('a broken chunk after a sound one is refused while the member waits, and its connection is closed', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(`${request(POST, HOST, 'Transfer-Encoding: chunked')}3\r\nabc\r\n`);
  const attempt = await member.next();
  await attempt.take('abc\r\n');
  client.send('zz\r\n');
  expect((await client.takeMessage()).head).toMatch(/^HTTP\/1.1 400 [\s\S]*Connection: close/);
  await client.ended();
  await attempt.gone();
  expect(attempt.text).toBe('');
  await lane.settled();
  expect(lane.own(4)).toBe(1);
  expect(lane.member('failed')).toBe(0);
});

test('the answer to a broken upload is not lost to a reset, however much still comes', async () => {
  const { lane } = await stage();
  const client = await lane.client();
  client.send(`${request(POST, HOST, 'Transfer-Encoding: chunked')}zz\r\n`);
  for (let i = 0; i < 100; i += 1) client.send('x'.repeat(10_000));
  client.end();
  expect((await client.takeMessage()).head).toMatch(/^HTTP\/1.1 400 /);
  await client.ended();
  expect(client.error).toBe('');
});

test('forwarding headers of a client are dropped in every spelling and made anew', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(
    get(
      '/',
      'X-Forwarded-For: 1.1.1.1',
      'X_Forwarded_For: 1.1.1.1',
      'x-forwarded_proto: https',
      'Forwarded: for=1.1.1.1',
      'X-Real-Ip: 1.1.1.1',
      'X_REAL_IP: 1.1.1.1',
      'X-Forwarded-Whatever: 1.1.1.1',
      'X-Request-ID: mine',
      'X-Forwarded: x',
    ),
  );
  const { head } = await (await member.next()).takeMessage();
  expect(head).not.toContain('1.1.1.1');
  expect(head).not.toMatch(/_|https/);
  expect(head).toContain('X-Forwarded-For: 127.0.0.1\r\n');
  expect(head).toContain('X-Request-ID: mine\r\n');
});

test('a trusted proxy is believed and appended to, but not in underscore spelling', async () => {
  const { lane, member } = await stage({ settings: { trustedProxies: ['127.0.0.0/8'] } });
  const client = await lane.client();
  client.send(
    get(
      '/',
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-Proto: https',
      'X_Forwarded_Proto: gopher',
      'Forwarded: for=1.1.1.1',
    ),
  );
  const { head } = await (await member.next()).takeMessage();
  expect(head).toContain('X-Forwarded-For: 1.1.1.1, 127.0.0.1\r\n');
  expect(head).toContain('Forwarded: for=1.1.1.1, for=127.0.0.1;host=a.example;proto=http;by=_evenkeel-test\r\n');
  expect(head.match(/x-forwarded-proto/gi)).toHaveLength(1);
  expect(head).not.toContain('gopher');
});

test('a request that was here before is 508', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', 'CDN-Loop: other; v=1, evenkeel-test'));
  expect((await client.takeMessage()).head).toContain('508 Loop Detected');
  client.send(get('/', 'CDN-Loop: other'));
  expect((await (await member.next()).takeMessage()).head).toMatch(
    /CDN-Loop: other\r\n[\s\S]*CDN-Loop: evenkeel-test\r\n/,
  );
  expect(lane.own(5)).toBe(1);
});

test('a path that can be read in two ways is refused, whatever it hides', async () => {
  const { lane, member } = await stage({
    rules: [
      { host: '*', pathType: 'Prefix', path: '/public', balancer: 'test/app' },
      { host: '*', pathType: 'Prefix', path: '/admin', balancer: 'test/none' },
    ],
  });
  const client = await lane.client();
  client.send(get('/public/%2e%2e/admin'));
  expect((await client.takeMessage()).head).toContain('400 Bad Request');
  client.send(get('/nowhere'));
  expect((await client.takeMessage()).head).toContain('404 Not Found');
  expect(member.connections).toHaveLength(0);
  expect(lane.own(4, 0)).toBe(2);
});
