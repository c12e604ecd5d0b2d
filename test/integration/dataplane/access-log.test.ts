// The access log of a lane over real sockets: a line for each request, however it ends, and nobody waits for it.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SessionUnit } from '../../../src/snapshot/session-unit.ts';
import { CLOSED_PORT, type HarnessOptions } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage, stageLane, startMember } from './stage.ts';
import { tunnel } from './stage-tunnel.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-log-'));
  path = join(folder, 'access.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const session: SessionUnit = {
  strategy: 'Route',
  cookie: 'SID',
  header: null,
  urlParameter: 'sid',
  separator: '.',
  attributes: null,
  signing: null,
  onMemberDown: 'Redispatch',
  rejectStatus: 503,
  informsMember: false,
};

function logging(options: HarnessOptions = {}): HarnessOptions {
  return { ...options, settings: { accessLog: { path }, ...options.settings } };
}

/** So many lines, once they are there. */
async function lines(count: number): Promise<readonly Record<string, unknown>[]> {
  const read = (): readonly string[] => readFileSync(path, 'latin1').split('\n').slice(0, -1);
  await until(
    () => read().length >= count,
    () => `${count} lines; so far: ${read().join('\n')}`,
  );
  expect(read()).toHaveLength(count);
  return read().map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a request has a line with all that is known of it', async () => {
  const { lane, member } = await stage(logging({ session }));
  member.answerAll(ok('12345'));
  const client = await lane.client();
  const before = Date.now();
  client.send(get('/cart;sid=S.m0?token=x', 'X-Request-Id: abc', 'Cookie: SID=other.m9'));
  const { head, body } = await client.takeMessage();
  const [line] = await lines(1);
  expect(line).toEqual({
    time: expect.any(String),
    log: 'access',
    client: '127.0.0.1',
    method: 'GET',
    host: 'a.example',
    path: '/cart',
    status: 200,
    bytes: head.length + body.length,
    durationMs: expect.any(Number),
    namespace: 'test',
    balancer: 'app',
    member: 'member-0',
    attempts: 1,
    session: { source: 'path', name: 'sid', route: 'm0', verdict: 'valid', isRouteChanged: false },
    fault: null,
    requestId: 'abc',
  });
  expect(Date.parse(line!.time as string)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(line!.time as string)).toBeLessThanOrEqual(Date.now());
});

test('a WebSocket that is closed because the drain of its member is over has a line that says so', async () => {
  const { lane, member } = await stage(logging());
  const { client, attempt } = await tunnel(lane, member);
  await lane.publish([{ port: member.port, state: 'Drained' }]);
  await attempt.ended();
  attempt.end();
  await client.ended();
  expect((await lines(1))[0]).toMatchObject({ path: '/ws', status: 101, fault: 'drain-over' });
});

test('requests of one connection, pipelined too, have the bytes of their own answers', async () => {
  const { lane, member } = await stage(logging());
  let number = 0;
  member.answerAll(() => {
    number += 1;
    return ok('x'.repeat(100_000 * number));
  });
  const client = await lane.client();
  client.send(get('/1') + get('/2') + get('/3'));
  const sizes: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const { head, body } = await client.takeMessage();
    sizes.push(head.length + body.length);
  }
  const told = await lines(3);
  expect(told.map(({ path: asked, bytes }) => [asked, bytes])).toEqual(sizes.map((size, i) => [`/${i + 1}`, size]));
});

test('what we answer ourselves has a line with its fault', async () => {
  const rules = [{ host: 'a.example', pathType: 'Prefix', path: '/', balancer: 'test/app' } as const];
  const lane = await stageLane([CLOSED_PORT], logging({ rules, limits: { maxBodyBytes: 10 } }));
  const client = await lane.client();
  client.send(request('GET /x HTTP/1.1', 'Host: b.example'));
  const noRule = await client.takeMessage();
  client.send(get('/dead'));
  await client.takeMessage();
  client.send(request('OPTIONS * HTTP/1.1', 'Host: a.example', 'Max-Forwards: 0'));
  const here = await client.takeMessage();
  client.send(request('POST /large HTTP/1.1', 'Host: a.example', 'Content-Length: 11'));
  await client.takeMessage();
  const bad = await lane.client();
  bad.send('NONSENSE\r\n\r\n');
  const malformed = await bad.takeMessage();
  const nobody = { namespace: null, balancer: null, member: null, session: null };
  expect(await lines(5)).toMatchObject([
    {
      path: '/x',
      status: 404,
      fault: 'no-rule',
      attempts: 0,
      bytes: noRule.head.length + noRule.body.length,
      ...nobody,
    },
    { path: '/dead', status: 503, fault: 'connect-refused', balancer: 'app', member: 'member-0', attempts: 1 },
    { path: '*', method: 'OPTIONS', status: 200, fault: null, bytes: here.head.length + here.body.length, ...nobody },
    { path: '/large', status: 413, fault: 'body-too-large', balancer: 'app', member: null, attempts: 0 },
    {
      client: '127.0.0.1',
      method: null,
      host: null,
      path: null,
      status: 400,
      bytes: malformed.head.length + malformed.body.length,
      fault: expect.any(String),
      ...nobody,
    },
  ]);
});

test('a failover shows as attempts, with the member that answered', async () => {
  const member = (await startMember()).answerAll(ok('x'));
  const lane = await stageLane([CLOSED_PORT, member], logging());
  const client = await lane.client();
  client.send(get('/'));
  await client.takeMessage();
  expect(await lines(1)).toMatchObject([{ status: 200, member: 'member-1', attempts: 2, fault: null }]);
});

test('clients that go, and answers that break off, have their lines', async () => {
  const { lane, member } = await stage(logging());
  const early = await lane.client();
  early.send(get('/early', 'X-Request-Id: early'));
  const first = await member.next();
  await first.take('\r\n\r\n');
  early.reset();
  await lane.settled();
  const cut = await lane.client();
  cut.send(get('/cut', 'X-Request-Id: cut'));
  const second = await member.next();
  await second.take('\r\n\r\n');
  second.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345');
  await cut.take('12345');
  second.destroy();
  await cut.gone();
  expect(await lines(2)).toMatchObject([
    { path: '/early', status: 0, bytes: 0, fault: 'client-gone', member: 'member-0', attempts: 1, requestId: 'early' },
    { path: '/cut', status: 200, fault: 'response-cut', member: 'member-0', attempts: 1, requestId: 'cut' },
  ]);
});

test('whatever a client sends is one line of plain JSON', async () => {
  const { lane, member } = await stage(logging({ session }));
  member.answerAll(ok('x'));
  const client = await lane.client();
  client.send(
    get(`/"\\${'a'.repeat(5_000)}`, 'Cookie: SID=x.\xff"\t\\', `X-Request-Id: \xe9"${'\t"'.repeat(2_000)}\\`),
  );
  await client.takeMessage();
  const [line] = await lines(1);
  expect(readFileSync(path, 'latin1')).toMatch(/^[\x20-\x7e]+\n$/);
  expect(line!.path).toMatch(/^\/"\\a+\u2026$/);
  expect(line!.requestId).toMatch(/^\xe9"/);
});

test('a log that nobody reads slows no request, and what is lost is counted', async () => {
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const { lane, member } = await stage(logging());
  member.answerAll(ok('x'));
  // Long paths, so that few lines are enough to fill pipe and memory.
  const total = 4_000;
  const atOnce = 100;
  const client = await lane.client();
  const asked = get(`/${'a'.repeat(1_400)}`);
  for (let sent = atOnce; sent <= total; sent += atOnce) {
    client.send(asked.repeat(atOnce));
    // If they waited for somebody to read the log, they would wait for ever.
    await until(() => client.receivedBytes === sent * ok('x').length, 'the answers');
  }
  expect(lane.scoreboard.laneSum('accessLogDropped')).toBeGreaterThan(2_000);
  expect(lane.scoreboard.laneSum('accessLogDropped')).toBeLessThan(total);
  closeSync(fd);
});

test('what is left is written when the lane ends, requests that are cut then included', async () => {
  const { lane, member } = await stage(logging());
  const client = await lane.client();
  client.send(get('/under-way'));
  await (await member.next()).take('\r\n\r\n');
  lane.post({ type: 'close' });
  await until(() => lane.messages.some(({ type }) => type === 'idle'), 'the lane to be idle');
  const text = readFileSync(path, 'latin1');
  expect(JSON.parse(text)).toMatchObject({ path: '/under-way', status: 0, fault: 'client-gone' });
});

test('what is left is written before a lane that stops says that it is idle', async () => {
  const { lane, member } = await stage(logging());
  const client = await lane.client();
  client.send(get('/last'));
  const connection = await member.next();
  await connection.take('\r\n\r\n');
  lane.post({ type: 'stop-accepting' });
  connection.send(ok('x'));
  await client.takeMessage();
  client.end();
  await until(() => lane.messages.some(({ type }) => type === 'idle'), 'the lane to be idle');
  expect(JSON.parse(readFileSync(path, 'latin1'))).toMatchObject({ path: '/last', status: 200 });
});
