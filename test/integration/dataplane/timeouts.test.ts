// Every timeout, with the answer or the cut that follows, and what it leaves behind: nothing.
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import type { RawSocket } from '../../helpers/raw-socket.ts';
import { get, ok, request, stage } from './stage.ts';

test('a head that does not come to its end is 408', async () => {
  const { lane, member } = await stage({ laneLimits: { headMs: 150 } });
  const client = await lane.client();
  await client.sendPieces('GET / HT', 'TP/1.1\r\nHo');
  expect((await client.takeMessage()).head).toMatch(/^HTTP\/1.1 408 [\s\S]*Connection: close/);
  await client.ended();
  expect(member.connections).toHaveLength(0);
  expect(lane.own(4, 0)).toBe(1);
});

test('a connection that never says anything is closed without a word', async () => {
  const { lane } = await stage({ laneLimits: { headMs: 150 } });
  const client = await lane.client();
  expect(await client.gone()).toBe('');
  expect(lane.counts).toEqual({ responses: 0, own: 0, durations: 0 });
});

test("an idle connection of a client is closed after the lane's time, one to a member after its balancer's", async () => {
  for (const [ofLaneMs, ofBalancerMs] of [
    [150, 20_000],
    [20_000, 150],
  ] as const) {
    const { lane, member } = await stage({
      laneLimits: { keepAliveMs: ofLaneMs },
      timeouts: { keepAliveMs: ofBalancerMs },
    });
    member.answerAll(ok('x'));
    const client = await lane.client();
    client.send(get());
    await client.takeMessage();
    if (ofLaneMs < ofBalancerMs) expect(await client.gone()).toBe('');
    else await until(() => member.connections[0]!.hasEnded, 'the kept connection to be closed');
  }
});

test('with a keep-alive time of 0s a member gets a connection for each request, and clients keep theirs', async () => {
  const { lane, member } = await stage({ timeouts: { keepAliveMs: 0 } });
  member.answerAll(ok('x'));
  const client = await lane.client();
  for (const number of [1, 2, 3]) {
    client.send(get());
    await client.takeMessage();
    await until(() => member.connections.length === number && member.connections[number - 1]!.hasEnded, 'its end');
  }
});

test('a kept connection is given up before its member closes it, where the member says when that is', async () => {
  const { lane, member } = await stage({ timeouts: { keepAliveMs: 20_000 } });
  const answer = (hint: string): string => `HTTP/1.1 200 OK\r\nKeep-Alive: ${hint}\r\nContent-Length: 0\r\n\r\n`;
  const client = await lane.client();
  let sentMs = 0;
  const serve = async (hint: string): Promise<RawSocket> => {
    client.send(get());
    const connection = await member.next();
    await connection.takeMessage();
    sentMs = performance.now();
    connection.send(answer(hint));
    expect((await client.takeMessage()).head).not.toContain('timeout=');
    return connection;
  };
  // Too short to be of use: the next request goes on another one.
  const first = await serve('timeout=1, max=100');
  const second = await serve('timeout=2');
  await first.ended();
  await second.ended();
  expect(performance.now() - sentMs).toBeGreaterThan(900);
});

test('what a member says of idle connections keeps none longer than the balancer does', async () => {
  const { lane, member } = await stage({ timeouts: { keepAliveMs: 150 } });
  member.answerAll('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 0\r\n\r\n');
  const client = await lane.client();
  client.send(get());
  await client.takeMessage();
  await until(() => member.connections[0]!.hasEnded, 'the kept connection to be closed');
});

test('a body that stalls is 408, and the member is not blamed', async () => {
  const { lane, member } = await stage({ timeouts: { bodyMs: 150, responseMs: 100 } });
  const client = await lane.client();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 100')}x`);
  const attempt = await member.next();
  await attempt.take('\r\n\r\nx');
  expect((await client.takeMessage()).head).toMatch(/^HTTP\/1.1 408 [\s\S]*Connection: close/);
  await attempt.gone();
  await client.ended();
  expect([lane.busy(), lane.member('failed'), lane.own(4)]).toEqual([0, 0, 1]);
});

test('a member that does not answer is 504; what is safe to repeat is tried elsewhere', async () => {
  const { lane, members } = await stage({ timeouts: { responseMs: 150 } }, 2);
  const client = await lane.client();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1')}x`);
  const first = await members[0]!.next();
  await first.takeMessage();
  expect((await client.takeMessage()).head).toContain('504 Gateway Timeout');
  await first.gone();
  client.send(get());
  const second = await members[1]!.next();
  await second.takeMessage();
  const third = await members[0]!.next();
  await third.takeMessage();
  third.send(ok('at last'));
  expect((await client.takeMessage()).body).toBe('at last');
  expect([lane.busy(0), lane.busy(1)]).toEqual([0, 0]);
});

test('the response timeout starts when the request is complete, however slow the client is', async () => {
  const { lane, member } = await stage({ timeouts: { responseMs: 200, bodyMs: 5_000 } });
  const client = await lane.client();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 2')}x`);
  const attempt = await member.next();
  await attempt.take('\r\n\r\nx');
  const startMs = performance.now();
  await until(() => performance.now() - startMs > 500, 'more than the response timeout to pass');
  client.send('y');
  await attempt.take('y');
  attempt.send(ok('fine'));
  expect((await client.takeMessage()).body).toBe('fine');
});

test('an answer that stalls is cut', async () => {
  const { lane, member } = await stage({ timeouts: { bodyMs: 150 } });
  const client = await lane.client();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  await client.gone();
  await attempt.gone();
  await lane.settled();
  expect(lane.member('failed')).toBe(1);
});

test('a client that never reads its answer is cut, and the member is not blamed', async () => {
  const { lane, member } = await stage({ timeouts: { bodyMs: 200 } });
  const client = await lane.client();
  client.stopReading();
  client.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
  const block = Buffer.alloc(1 << 20);
  const pump = (): void => {
    while (attempt.socket.writable && attempt.socket.write(block)) {}
  };
  attempt.socket.on('drain', pump);
  pump();
  await attempt.gone();
  await lane.settled();
  await until(() => lane.connections === 0, 'the client to be cut');
  expect(lane.member('failed')).toBe(0);
  expect(lane.member('responses', 0, 0)).toBe(1);
});

test('a member that takes no upload is 504', async () => {
  const { lane, member } = await stage({ timeouts: { responseMs: 200 } });
  member.onConnection = (connection) => connection.stopReading();
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 100000000'));
  const block = Buffer.alloc(1 << 20);
  const pump = (): void => {
    while (client.socket.writable && client.socket.write(block)) {}
  };
  client.socket.on('drain', pump);
  pump();
  expect((await client.takeMessage()).head).toContain('504 Gateway Timeout');
  await lane.settled();
});

test('a member that cannot be reached in time is left for another', async () => {
  const { lane, member } = await stage();
  // Of the range for documentation: nobody answers, or the network says at once that nobody will.
  await lane.publish([{ port: 9, host: '192.0.2.1' }, member], {
    timeouts: { connectMs: 150 },
    failover: { maxAttempts: 1 },
  });
  member.answerAll(ok('reached'));
  const client = await lane.client();
  client.send(get());
  expect((await client.takeMessage()).body).toBe('reached');
  expect([lane.busy(0), lane.busy(1), lane.member('failed', 0)]).toEqual([0, 0, 1]);
});

test('a client that was told to continue has its own time for the body, and the member is not blamed', async () => {
  const { lane, member } = await stage({ timeouts: { bodyMs: 5_000, responseMs: 100 } });
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 1'));
  const attempt = await member.next();
  await attempt.take('\r\n\r\n');
  attempt.send('HTTP/1.1 100 Continue\r\n\r\n');
  await client.take('100 Continue\r\n\r\n');
  const startMs = performance.now();
  await until(() => performance.now() - startMs > 400, 'more than the response timeout to pass');
  client.send('x');
  await attempt.take('x');
  attempt.send(ok('thanks'));
  expect((await client.takeMessage()).body).toBe('thanks');
  expect(lane.member('failed')).toBe(0);
});

test('a client that waits for 100 Continue has as long as the member takes', async () => {
  const { lane, member } = await stage({ timeouts: { bodyMs: 100, responseMs: 5_000 } });
  const client = await lane.client();
  client.send(request('POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 1'));
  const attempt = await member.next();
  await attempt.take('\r\n\r\n');
  const startMs = performance.now();
  await until(() => performance.now() - startMs > 400, 'more than the body timeout to pass');
  attempt.send('HTTP/1.1 100 Continue\r\n\r\n');
  await client.take('100 Continue\r\n\r\n');
  expect((await client.takeMessage()).head).toContain('408 ');
});
