// WebSockets through the lane: with a real client and server, and byte for byte.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { CLOSED_PORT } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage, stageLane, startMember } from './stage.ts';
import { ASK, SWITCH, tunnel } from './stage-tunnel.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

test('a real WebSocket: text, binary, large, ping, close code', async () => {
  const server = createServer();
  servers.push(server);
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const lane = await stageLane([(server.address() as AddressInfo).port]);
  const socket = new WebSocket(`ws://127.0.0.1:${lane.port}/echo?x`);
  const received: string[] = [];
  socket.on('message', (data) => received.push(String(data)));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  expect(lane.busy()).toBe(1);
  const large = 'x'.repeat(5_000_000);
  socket.send('text');
  socket.send(Buffer.from('binary'));
  socket.send(large);
  const pong = new Promise<void>((resolve) => socket.once('pong', () => resolve()));
  socket.ping();
  await pong;
  await until(() => received.length === 3, 'three echoes');
  expect(received).toEqual(['text', 'binary', large]);
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.close(4000, 'done');
  expect(await closed).toBe(4000);
  await lane.settled();
  expect(lane.counts).toEqual({ responses: 1, own: 0, durations: 1 });
  expect(lane.member('responses', 0, 1)).toBe(1);
  expect(lane.member('sent')).toBeGreaterThan(large.length);
  expect(lane.member('received')).toBeGreaterThan(large.length);
});

test.each(['/a/../b/./%2e%2e/c//d?', '//x/y?a?b', '/\\"{}|', '/?', '/a;b=c/..;/d'])(
  'the target %s reaches the member raw',
  async (target) => {
    const { lane, member } = await stage();
    const client = await lane.client();
    client.send(get(target, ...ASK));
    const attempt = await member.next();
    expect((await attempt.takeMessage()).head.split('\r\n')[0]).toBe(`GET ${target} HTTP/1.1`);
  },
);

test('heads pass by the rules of plain requests', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(
    get(
      '/',
      ...ASK,
      'Connection: X-Hop',
      'X-Hop: 1',
      'X_Forwarded_For: 6.6.6.6',
      'X-Forwarded-For: 6.6.6.6',
      'Cookie: a',
      'cookie: b',
      '__proto__: p',
      'Expect: 100-continue',
      'Content-Length: 0',
      'Origin: http://\xe9',
      'Sec-WebSocket-Protocol: x, y',
    ),
  );
  const attempt = await member.next();
  const { head } = await attempt.takeMessage();
  expect(head).not.toMatch(/hop|6\.6\.6\.6|expect|content-length/i);
  for (const line of [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'X-Forwarded-For: 127.0.0.1',
    'Host: a.example',
    'Cookie: a; b',
    '__proto__: p',
    'CDN-Loop: evenkeel-test',
    'Origin: http://\xe9',
    'Sec-WebSocket-Protocol: x, y',
    ASK[2]!,
  ]) {
    expect(head).toContain(`${line}\r\n`);
  }
  expect(head.match(/^host:/gim)).toHaveLength(1);
  attempt.send(`${SWITCH}first`);
  expect(await client.take('first')).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-T: \xe9\r\nX-T: 2\r\n' +
      'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst',
  );
  client.send('\x00\xff');
  expect(await attempt.takeBytes(2)).toBe('\x00\xff');
  expect(lane.member('sent')).toBe(head.length + 2);
  expect(lane.member('received')).toBe('HTTP/1.1 101 Switching Protocols'.length + 'first'.length);
});

test('what the client sends before the 101 is not lost', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(`${get('/', ...ASK)}early`);
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(SWITCH);
  await client.take('\r\n\r\n');
  client.send('late');
  expect(await attempt.takeBytes(9)).toBe('earlylate');
});

test.each([
  [
    'with a length',
    'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nKeep-Alive: x\r\n\r\nno',
  ],
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'],
  ['until close', 'HTTP/1.1 426 Upgrade Required\r\nX: y\r\n\r\nno'],
])('a refusal %s is a normal answer', async (_, answer) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(answer);
  if (!/content-length|chunked/i.test(answer)) attempt.end();
  const { head, body } = await client.takeMessage();
  expect(head.split('\r\n')[0]).toBe(answer.split('\r\n')[0]);
  expect(head).not.toMatch(/keep-alive|upgrade:/i);
  if (answer.includes('Set-Cookie')) expect(head).toContain('Set-Cookie: a\r\nSet-Cookie: b\r\n');
  expect(body).toBe('no');
  await lane.settled();
  // The connection is still good for plain requests.
  member.answerAll(ok('plain'));
  client.send(get());
  expect((await client.takeMessage()).body).toBe('plain');
  expect(lane.counts).toEqual({ responses: 2, own: 0, durations: 2 });
});

test('interim answers reach the client, before a refusal and before a 101', async () => {
  const { lane, member } = await stage();
  for (const answer of [ok('no'), SWITCH]) {
    const client = await lane.client();
    client.send(get('/', ...ASK));
    const attempt = await member.next();
    await attempt.takeMessage();
    const before = lane.member('received');
    attempt.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nKeep-Alive: x\r\n\r\n');
    expect(await client.take('\r\n\r\n')).toBe('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    expect(lane.member('received') - before).toBe('HTTP/1.1 103 Early Hints'.length);
    attempt.send(`HTTP/1.1 199 Other\r\n\r\n${answer}`);
    expect(await client.take('\r\n\r\n')).toBe('HTTP/1.1 199 Other\r\n\r\n');
    expect(await client.take('\r\n\r\n')).toContain(answer.split('\r\n')[0]);
  }
});

test.each([
  ['a refusal', ok('at last')],
  ['a 101', SWITCH],
])('a member with too many interim answers before %s is 502', async (_, answer) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(11)}${answer}`);
  const heads = await client.take('502 Bad Gateway');
  expect(heads.split('103 Early Hints')).toHaveLength(1 + 10);
  await attempt.gone();
  await lane.settled();
  expect([lane.own(5), lane.member('failed')]).toEqual([1, 1]);
});

test('a refused connection moves the upgrade to the next member', async () => {
  const member = await startMember();
  const lane = await stageLane([CLOSED_PORT, member]);
  const { client, attempt } = await tunnel(lane, member);
  client.send('hello');
  expect(await attempt.takeBytes(5)).toBe('hello');
  expect([lane.busy(0), lane.busy(1), lane.member('failed', 0)]).toEqual([0, 1, 1]);
});

test('no member at all is our own 503', async () => {
  const lane = await stageLane([CLOSED_PORT]);
  const client = await lane.client();
  client.send(get('/', ...ASK));
  expect((await client.takeMessage()).head).toContain('503 Service Unavailable');
  expect([lane.busy(), lane.own(5)]).toEqual([0, 1]);
});

test.each([
  ['closes', ''],
  ['speaks no HTTP', 'nonsense\r\n\r\n'],
  ['switches to something else', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
  ['switches without saying to what', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ['sends two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx'],
  ['sends Trailer with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTrailer: x\r\n\r\nx'],
  ['sends status 099', 'HTTP/1.1 099 X\r\n\r\n'],
])('a member that %s is 502', async (_, answer) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  if (answer === '') attempt.end();
  else attempt.send(answer);
  expect((await client.takeMessage()).head).toContain('502 Bad Gateway');
  await attempt.gone();
  expect(lane.busy()).toBe(0);
  expect([lane.own(5), lane.member('failed')]).toEqual([1, 1]);
});

test('a member that does not answer is 504', async () => {
  const { lane, member } = await stage({ timeouts: { responseMs: 150 } });
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  expect((await client.takeMessage()).head).toContain('504 Gateway Timeout');
  await attempt.gone();
  expect(lane.busy()).toBe(0);
});

test('a refusal that breaks off cuts the client', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  await client.take('half');
  attempt.end();
  expect(await client.gone()).toBe('');
  await lane.settled();
  expect(lane.counts).toEqual({ responses: 1, own: 0, durations: 1 });
});

test('a client that goes before the 101 takes the attempt with it', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  client.reset();
  await attempt.gone();
  await lane.settled();
  expect([lane.own(0), lane.member('failed')]).toEqual([1, 0]);
});

test('a side that does not read stops the other, in both directions', async () => {
  const { lane, member } = await stage();
  const { client, attempt } = await tunnel(lane, member);
  for (const [from, to, name] of [
    [client, attempt, 'sent'],
    [attempt, client, 'received'],
  ] as const) {
    to.stopReading();
    const size = 60_000_000;
    const start = to.receivedBytes;
    from.socket.write(Buffer.alloc(size));
    let before = -1;
    await until(() => {
      const now = lane.member(name);
      const isStill = now > 1_000 && now === before;
      before = now;
      return isStill;
    }, 'the tunnel to stop');
    expect(lane.member(name)).toBeLessThan(30_000_000);
    to.countOnly().startReading();
    await until(() => to.receivedBytes - start === size, 'all of it');
  }
});

test.each([
  ['POST', request('POST / HTTP/1.1', 'Host: a', ...ASK, 'Content-Length: 0')],
  ['h2c', get('/', 'Connection: Upgrade', 'Upgrade: h2c')],
  ['websocket beside others', get('/', 'Connection: Upgrade', 'Upgrade: websocket, h2c')],
  ['without Connection', get('/', 'Upgrade: websocket')],
  ['HTTP/1.0', request('GET / HTTP/1.0', 'Host: a', 'Connection: Upgrade, keep-alive', 'Upgrade: websocket')],
])('%s is no WebSocket: the request is plain', async (_, bytes) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(bytes);
  const attempt = await member.next();
  expect((await attempt.takeMessage()).head).not.toMatch(/^(upgrade|connection):/im);
  attempt.send(ok('plain'));
  expect((await client.takeMessage()).body).toBe('plain');
});
