// What members must not be able to do: the client gets 502 or a cut, the connection is not used again, the lane lives.
import { expect, test } from 'vitest';
import { CLOSED_PORT } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage, stageLane, startMember } from './stage.ts';

const LINE = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${LINE}Transfer-Encoding: chunked\r\n\r\n`;

test.each([
  ['no HTTP', '220 mail.example ESMTP\r\n\r\n'],
  ['status 099', 'HTTP/1.1 099 X\r\n\r\n'],
  ['status 000', 'HTTP/1.1 000 X\r\n\r\n'],
  ['status 600', 'HTTP/1.1 600 X\r\n\r\n'],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['CL with TE', `${LINE}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['two CL', `${LINE}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ['Trailer with CL', `${LINE}Content-Length: 3\r\nTrailer: X\r\n\r\nabc`],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['space before the colon', `${LINE}X : 1\r\nContent-Length: 0\r\n\r\n`],
  ['control byte', `${LINE}X: \x01\r\nContent-Length: 0\r\n\r\n`],
  ['101 unasked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['interim with a body', `HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc${ok('')}`],
  ['endless interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(11)],
  ['endless head', `${LINE}${'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(2_000)}`],
  ['endless header', `${LINE}X: ${'y'.repeat(50_000)}`],
  ['chunk that is none, in one piece with the head', `${CHUNKED}zz\r\n`],
])('%s is 502', async (_, bytes) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(bytes);
  const head = await client.take(/HTTP\/1\.1 502 Bad Gateway[\s\S]*?\r\n\r\n/);
  expect(head).not.toContain('200');
  await attempt.gone();
  await lane.settled();
  expect([lane.own(5), lane.member('failed')]).toEqual([1, 1]);
  // The client's connection is good for another one.
  client.send(get('/2'));
  const second = await member.next();
  await second.takeMessage();
  second.send(ok('fine'));
  expect(await client.take('fine')).toContain('200 OK');
});

test.each([
  ['a chunk that is none', CHUNKED, 'zz\r\n'],
  ['no end of a chunk', CHUNKED, '3\r\nabcd'],
  ['a chunk size of 2^64', CHUNKED, 'ffffffffffffffff1\r\n'],
  ['endless trailers', CHUNKED, `0\r\n${'X: y\r\n'.repeat(2_000)}`],
])('%s in mid-body cuts the client', async (_, begin, rest) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(`${begin}${begin === CHUNKED ? '2\r\nok\r\n' : ''}`);
  await client.take('ok');
  attempt.send(rest);
  await client.gone();
  expect(client.text).not.toContain('0\r\n\r\n');
  await attempt.gone();
  await lane.settled();
  expect(lane.counts).toEqual({ responses: 1, own: 0, durations: 1 });
  expect(lane.member('responses', 0, 2)).toBe(1);
  expect(lane.member('failed')).toBe(1);
});

test.each([
  ['a length', `${LINE}Content-Length: 10\r\n\r\nhalf`, 'HTTP/1.1'],
  ['chunks', `${CHUNKED}4\r\nhalf\r\n`, 'HTTP/1.1'],
  ['a length, for HTTP/1.0', `${LINE}Content-Length: 10\r\n\r\nhalf`, 'HTTP/1.0'],
  ['chunks, for HTTP/1.0', `${CHUNKED}4\r\nhalf\r\n`, 'HTTP/1.0'],
])('a member that closes inside a body of %s never looks like a regular end', async (_, answer, version) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request(`GET / ${version}`, 'Host: a'));
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(answer);
  const head = await client.take('half');
  attempt.end();
  const rest = await client.gone();
  expect(rest).not.toContain('0\r\n\r\n');
  // Without a length only a reset tells that something is missing.
  if (!/content-length|transfer-encoding/i.test(head)) {
    expect(client.hasEnded).toBe(false);
    expect(client.error).toBe('ECONNRESET');
  }
  await lane.settled();
});

test.each([
  ['more bytes than promised', `${LINE}Content-Length: 2\r\n\r\nokEXTRA`],
  ['a second answer', ok('ok') + ok('evil')],
  ['Connection: close', `${LINE}Content-Length: 2\r\nConnection: close\r\n\r\nok`],
  ['HTTP/1.0 without keep-alive', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
])('after %s the connection is not used again', async (_, answer) => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const first = await member.next();
  await first.takeMessage();
  first.send(answer);
  expect((await client.takeMessage()).body).toBe('ok');
  client.send(get());
  const second = await member.next();
  await second.takeMessage();
  second.send(ok('sound'));
  expect((await client.takeMessage()).body).toBe('sound');
  await first.gone();
});

test('data on an idle connection ends it before anybody can take it for an answer', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const first = await member.next();
  await first.takeMessage();
  first.send(ok('one'));
  await client.takeMessage();
  first.send(ok('evil'));
  await first.gone();
  client.send(get());
  const second = await member.next();
  await second.takeMessage();
  second.send(ok('two'));
  expect((await client.takeMessage()).body).toBe('two');
});

test('a kept connection that has just been closed is not used, not even in the same turn of the loop', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  for (let round = 0; round < 20; round += 1) {
    client.send(request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 0'));
    const connection = await member.next();
    await connection.takeMessage();
    connection.send(ok('fine'));
    expect((await client.takeMessage()).body).toBe('fine');
    // The lane sees the end before the next request, but both before its own end of the connection is through.
    connection.destroy();
  }
});

test('a kept connection that the member closes as we use it is no loss: the request goes on a fresh one, once', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const first = await member.next();
  await first.takeMessage();
  first.send(ok('one'));
  await client.takeMessage();
  client.send(`${request('PUT / HTTP/1.1', 'Host: a', 'Content-Length: 4')}body`);
  await first.takeMessage();
  first.reset();
  const second = await member.next();
  expect((await second.takeMessage()).body).toBe('body');
  second.reset();
  expect((await client.takeMessage()).head).toContain('502 Bad Gateway');
  expect(member.connections).toHaveLength(2);
  expect(lane.busy()).toBe(0);
});

const POST = `${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 4')}body`;

/** In the order in which they come. */
type Happening = 'request' | 'end' | 'reset';

test.each<[Happening, Happening]>([
  ['request', 'end'],
  ['request', 'reset'],
  ['reset', 'request'],
])(
  'of a %s and a %s in one turn the request goes on a fresh connection, whatever its method',
  async (...happenings) => {
    const { lane, member } = await stage();
    const client = await lane.client();
    for (let round = 0; round < 5; round += 1) {
      client.send(get());
      const kept = await member.next();
      await kept.takeMessage();
      kept.send(ok('one'));
      await client.takeMessage();
      const before = kept.receivedBytes;
      for (const happening of happenings) {
        if (happening === 'request') client.send(POST);
        else kept[happening]();
      }
      const fresh = await member.next();
      expect((await fresh.takeMessage()).body).toBe('body');
      expect(kept.receivedBytes).toBe(before);
      fresh.send(ok('two', 'Connection: close'));
      expect((await client.takeMessage()).body).toBe('two');
    }
  },
);

test('data that meets a request which is not written yet is not taken for its answer', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  for (let round = 0; round < 5; round += 1) {
    client.send(get());
    const kept = await member.next();
    await kept.takeMessage();
    kept.send(ok('one'));
    await client.takeMessage();
    client.send(POST);
    kept.send(ok('evil'));
    const fresh = await member.next();
    await fresh.takeMessage();
    fresh.send(ok('two', 'Connection: close'));
    expect((await client.takeMessage()).body).toBe('two');
    await kept.gone();
  }
});

test('what is not safe to do twice is not sent twice', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get());
  const first = await member.next();
  await first.takeMessage();
  first.send(ok('one'));
  await client.takeMessage();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 4')}body`);
  await first.takeMessage();
  first.reset();
  expect((await client.takeMessage()).head).toContain('502 Bad Gateway');
  expect(member.connections).toHaveLength(1);
});

test('a refused connection moves the request, body and all, to the next member', async () => {
  const member = await startMember();
  const lane = await stageLane([CLOSED_PORT, member]);
  const client = await lane.client();
  const big = 'x'.repeat(300_000);
  client.send(request('POST / HTTP/1.1', 'Host: a', `Content-Length: ${big.length}`) + big);
  const attempt = await member.next();
  const { body } = await attempt.takeMessage();
  expect(body).toBe(big);
  attempt.send(ok('done'));
  expect((await client.takeMessage()).body).toBe('done');
  expect([lane.busy(0), lane.busy(1)]).toEqual([0, 0]);
  expect([lane.member('elected', 0), lane.member('elected', 1), lane.member('failed', 0)]).toEqual([1, 1, 1]);
  expect([lane.member('sent', 0), lane.member('failed', 1)]).toEqual([0, 0]);
  expect(lane.counts).toEqual({ responses: 1, own: 0, durations: 1 });
});

test('without a usable member it is 503', async () => {
  const lane = await stageLane([CLOSED_PORT, { port: CLOSED_PORT, state: 'Disabled' }]);
  const client = await lane.client();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 3')}abc`);
  expect((await client.takeMessage()).head).toContain('503 Service Unavailable');
  client.send(get());
  expect((await client.takeMessage()).head).toContain('503 Service Unavailable');
  expect(lane.counts).toEqual({ responses: 0, own: 2, durations: 2 });
});

test('an early answer with little of the upload missing keeps the connection', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1000') + 'x'.repeat(10));
  const first = await member.next();
  await first.take('x'.repeat(10));
  first.send(ok('early'));
  const { head, body } = await client.takeMessage();
  expect([body, head.includes('close')]).toEqual(['early', false]);
  await first.gone();
  client.send('x'.repeat(990) + get('/next'));
  const second = await member.next();
  expect((await second.takeMessage()).head).toContain('GET /next');
  second.send(ok('two'));
  expect((await client.takeMessage()).body).toBe('two');
});

test('an early answer with much of the upload missing ends the connection, and is not lost to it', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 50000000') + 'x'.repeat(10));
  const attempt = await member.next();
  await attempt.take('x'.repeat(10));
  attempt.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch');
  client.send('x'.repeat(3_000_000));
  const { head, body } = await client.takeMessage();
  expect([body, head.includes('Connection: close')]).toEqual(['much', true]);
  await client.ended();
  expect(client.error).toBe('');
  await attempt.gone();
  await lane.settled();
});

test('a body beyond the limit is 413, told or found out', async () => {
  const { lane, member } = await stage({ limits: { maxBodyBytes: 100 } });
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 101'));
  expect((await client.takeMessage()).head).toContain('413 ');
  expect(member.connections).toHaveLength(0);
  const other = await lane.client();
  other.send(`${request('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}10\r\n${'x'.repeat(16)}\r\n`);
  const attempt = await member.next();
  await attempt.take('x\r\n');
  other.send(`ff\r\n${'x'.repeat(255)}\r\n`);
  expect((await other.takeMessage()).head).toContain('413 ');
  await other.ended();
  await attempt.gone();
  await lane.settled();
  expect([lane.own(4), lane.member('failed')]).toEqual([2, 0]);
});

test.each(['before the head', 'after the head'])(
  'a client that goes %s takes its member connection with it',
  async (when) => {
    const { lane, member } = await stage();
    const client = await lane.client();
    client.send(get());
    const attempt = await member.next();
    await attempt.takeMessage();
    if (when === 'after the head') {
      attempt.send(`${LINE}Content-Length: 10\r\n\r\nhalf`);
      await client.take('half');
    }
    expect(lane.busy()).toBe(1);
    client.reset();
    await attempt.gone();
    await lane.settled();
    await until(() => lane.connections === 0, 'the client to be forgotten');
    expect(lane.member('failed')).toBe(0);
    expect(lane.counts.durations).toBe(1);
    expect(lane.counts.responses! + lane.counts.own!).toBe(1);
    expect(lane.own(0) + lane.member('responses', 0, 0)).toBe(1);
  },
);

test('a client that goes in mid-upload takes its member connection with it', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1000')}x`);
  const attempt = await member.next();
  await attempt.take('\r\n\r\nx');
  client.end();
  await attempt.gone();
  await lane.settled();
  expect(lane.own(0)).toBe(1);
});

test('a client that closes its side after a request still gets its answer', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get()).end();
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(ok('late'));
  expect((await client.takeMessage()).body).toBe('late');
  await client.ended();
});
