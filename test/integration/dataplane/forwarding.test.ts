// What members and clients are told of the way of a message, over sockets: once for each attempt and each upgrade.
import { expect, test } from 'vitest';
import type { LaneSettings } from '../../../src/snapshot/lane-protocol.ts';
import { get, ok, request, stage, stageLane, startMember } from './stage.ts';

function forwarding(chosen: Partial<LaneSettings['forwarding']>): { readonly settings: Partial<LaneSettings> } {
  return { settings: { forwarding: { sendsForwarded: false, sendsVia: false, requestId: 'off', ...chosen } } };
}

function linesOf(head: string, name: string): readonly string[] {
  return (head.match(new RegExp(`^${name}: .*$`, 'gim')) ?? []).map((line) => line.slice(name.length + 2).trimEnd());
}

const WEBSOCKET = [
  'Connection: Upgrade, TE',
  'Upgrade: websocket',
  'TE: trailers',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const SWITCH = request('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket');

test('Via goes both ways, on interim answers too, with the version that each message came in', async () => {
  const { lane, member } = await stage(forwarding({ sendsVia: true }));
  const client = await lane.client();
  client.send(get('/', 'Via: 1.0 before'));
  const connection = await member.next();
  expect(linesOf(await connection.take('\r\n\r\n'), 'via')).toEqual(['1.0 before', '1.1 evenkeel-test']);
  connection.send(request('HTTP/1.1 103 Early Hints', 'Link: </a>'));
  expect(linesOf(await client.take('\r\n\r\n'), 'via')).toEqual(['1.1 evenkeel-test']);
  connection.send('HTTP/1.0 200 OK\r\nContent-Length: 2\r\nVia: 1.1 inside\r\n\r\nok').end();
  expect(linesOf((await client.takeMessage()).head, 'via')).toEqual(['1.1 inside', '1.0 evenkeel-test']);
});

test('without being chosen neither Via nor Forwarded nor an id is sent', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const connection = await member.next();
  expect(await connection.take('\r\n\r\n')).not.toMatch(/^(via|forwarded|x-request-id):/im);
  connection.send(ok('x'));
  expect((await client.takeMessage()).head).not.toMatch(/^via:/im);
});

test('a request keeps its id through all attempts, and the next one on the connection gets another', async () => {
  const heads: string[] = [];
  const leaving = await startMember();
  leaving.onConnection = (connection) => {
    connection.socket.once('data', (bytes: Buffer) => {
      heads.push(bytes.toString('latin1'));
      connection.destroy();
    });
  };
  const staying = (await startMember()).answerAll((head) => {
    heads.push(head);
    return ok('x');
  });
  const lane = await stageLane([leaving, staying], forwarding({ requestId: 'make' }));
  const client = await lane.client();
  // Pipelined, so that the second head is there while the first request is under way.
  client.send(get('/first', 'X-Request-Id: mine') + get('/second'));
  await client.takeMessage();
  await client.takeMessage();
  const idsOf = (path: string): readonly string[] =>
    heads.filter((head) => head.startsWith(`GET ${path} `)).flatMap((head) => linesOf(head, 'x-request-id'));
  const [first, second] = [idsOf('/first'), idsOf('/second')];
  expect(first.length + second.length).toBe(heads.length);
  expect(heads.length).toBeGreaterThan(2);
  expect(new Set(first).size).toBe(1);
  expect(new Set(second).size).toBe(1);
  expect(first[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(first[0]).not.toBe(second[0]);
});

test.each([
  ['Keep', 'a.example'],
  ['Replace', 'localhost:'],
] as const)('with spec.forwarding.host %s a member gets %s, plain and upgraded', async (hostHeader, expected) => {
  const member = await startMember();
  const lane = await stageLane([{ host: 'localhost', port: member.port }], { hostHeader });
  for (const lines of [[], WEBSOCKET]) {
    const client = await lane.client();
    client.send(get('/', ...lines));
    const connection = await member.next();
    const head = await connection.take('\r\n\r\n');
    const host = expected.endsWith(':') ? `${expected}${member.port}` : expected;
    expect(linesOf(head, 'host')).toEqual([host]);
    expect(linesOf(head, 'x-forwarded-host')).toEqual(['a.example']);
    connection.send(ok('x'));
    await client.takeMessage();
  }
});

test('an upgrade is told of like a plain request, and so is its answer', async () => {
  const { lane, member } = await stage(forwarding({ sendsForwarded: true, sendsVia: true, requestId: 'pass' }));
  const client = await lane.client();
  client.send(get('/', ...WEBSOCKET, 'X-Request-Id: mine', 'Forwarded: for=6.6.6.6'));
  const connection = await member.next();
  const head = await connection.take('\r\n\r\n');
  expect(linesOf(head, 'forwarded')).toEqual(['for=127.0.0.1;host=a.example;proto=http;by=_evenkeel-test']);
  expect(linesOf(head, 'via')).toEqual(['1.1 evenkeel-test']);
  expect(linesOf(head, 'x-request-id')).toEqual(['mine']);
  // A tunnel has no trailers.
  expect(linesOf(head, 'te')).toEqual([]);
  expect(linesOf(head, 'connection')).toEqual(['Upgrade']);
  connection.send(SWITCH);
  expect(linesOf(await client.take('\r\n\r\n'), 'via')).toEqual(['1.1 evenkeel-test']);
});

test('trailers that a client takes get through', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', 'TE: gzip, trailers', 'Connection: TE'));
  const connection = await member.next();
  const head = await connection.take('\r\n\r\n');
  expect(linesOf(head, 'te')).toEqual(['trailers']);
  expect(linesOf(head, 'connection')).toEqual(['TE']);
  connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Grpc-Status\r\n\r\n');
  connection.send('2\r\nok\r\n0\r\nGrpc-Status: 0\r\n\r\n');
  expect(await client.take('Grpc-Status: 0\r\n\r\n')).toContain('\r\nTrailer: Grpc-Status\r\n');
});

test('our own answers have a Date, those of members keep theirs or have none', async () => {
  const { lane, member } = await stage({
    rules: [{ host: 'a.example', pathType: 'Prefix', path: '/', balancer: 'test/app' }],
  });
  member.answerAll(ok('x'));
  const client = await lane.client();
  const own = await client.send(request('GET / HTTP/1.1', 'Host: other.example')).takeMessage();
  const [date = ''] = linesOf(own.head, 'date');
  expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(10_000);
  expect((await client.send(get()).takeMessage()).head).not.toMatch(/^date:/im);
});
