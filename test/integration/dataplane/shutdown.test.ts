// Ends of a lane: retiring, stopping, cutting; running out of descriptors; and nothing left behind.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import { get, ok, request, stage } from './stage.ts';

test('a retiring lane serves on and tells clients to go', async () => {
  const { lane, member } = await stage();
  member.answerAll(ok('x'));
  const client = await lane.client();
  client.send(get());
  expect((await client.takeMessage()).head).not.toContain('close');
  lane.post({ type: 'retire-connections' });
  const other = await lane.client();
  other.send(get());
  expect((await other.takeMessage()).head).toContain('Connection: close');
  await other.ended();
  client.send(get());
  expect((await client.takeMessage()).head).toContain('Connection: close');
  await client.ended();
});

test('a stopping lane closes idle clients, finishes what is in flight, and says idle once', async () => {
  const { lane, member } = await stage();
  const idle = await lane.client();
  const busy = await lane.client();
  idle.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(ok('x'));
  await idle.takeMessage();
  busy.send(get('/busy'));
  await attempt.take('/busy HTTP/1.1');
  await attempt.take('\r\n\r\n');
  lane.post({ type: 'stop-accepting' });
  await idle.ended();
  idle.end();
  await expect(lane.client()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(lane.messages.some((message) => message.type === 'idle')).toBe(false);
  attempt.send(ok('finished'));
  expect((await busy.takeMessage()).body).toBe('finished');
  await busy.ended();
  busy.end();
  await until(() => lane.messages.some((message) => message.type === 'idle'), 'idle');
  lane.post({ type: 'stop-accepting' });
  lane.post({ type: 'close' });
  await lane.settled();
  expect(lane.messages.filter((message) => message.type === 'idle')).toHaveLength(1);
});

test('a lane that is closed leaves no socket and no timer', async () => {
  const { lane, member } = await stage();
  const clients = await Promise.all(Array.from({ length: 5 }, () => lane.client()));
  for (const client of clients) client.send(get());
  for (const _ of clients) await (await member.next()).takeMessage();
  lane.post({ type: 'close' });
  for (const client of clients) await client.gone();
  for (const connection of member.connections) await connection.gone();
  for (const client of clients) client.destroy();
  for (const connection of member.connections) connection.destroy();
  await lane.settled();
  await until(
    () => !process.getActiveResourcesInfo().some((kind) => kind === 'TCPSocketWrap'),
    () => `no socket: ${process.getActiveResourcesInfo().join(' ')}`,
  );
});

test('a connection beyond the limit is closed at once', async () => {
  const { lane, member } = await stage({ settings: { maxConnections: 2 } });
  member.answerAll(ok('x'));
  const clients = [await lane.client(), await lane.client()];
  await until(() => lane.connections === 2, 'two connections');
  await (await lane.client()).gone();
  clients[0]!.send(get());
  expect((await clients[0]!.takeMessage()).body).toBe('x');
});

test('a connection is closed after its last request', async () => {
  const { lane, member } = await stage({ laneLimits: { maxRequestsPerConnection: 2 } });
  member.answerAll(ok('x'));
  const client = await lane.client();
  client.send(get().repeat(3));
  expect((await client.takeMessage()).head).not.toContain('close');
  expect((await client.takeMessage()).head).toContain('Connection: close');
  expect(await client.ended()).toBe('');
  expect(lane.member('elected')).toBe(2);
});

// Both clients keep their side open, so that only the lane can end the connection.
test('a client that said that it sends nothing more is not waited for', async () => {
  const { lane, member } = await stage({ laneLimits: { lingerMs: 60_000 } });
  const answer = 'x'.repeat(200_000);
  member.answerAll(ok(answer));
  for (const head of [get('/', 'Connection: close'), request('GET / HTTP/1.0', 'Host: a')]) {
    const client = await lane.client();
    client.send(head);
    expect((await client.ended()).endsWith(`\r\n\r\n${answer}`)).toBe(true);
    await until(() => lane.connections === 0, 'the connection to be over');
  }
});

test('a client that may send more is read on, so that no reset takes its answer away', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(`${request('POST / HTTP/1.1', 'Host: a', 'Connection: close', 'Content-Length: 4')}body`);
  const attempt = await member.next();
  await attempt.takeMessage();
  attempt.send(ok('taken'));
  await client.ended();
  expect(lane.connections).toBe(1);
  // Old clients do.
  await client.sendPieces('\r\n', '\r\n');
  expect((await client.takeMessage()).body).toBe('taken');
  client.end();
  await until(() => client.isClosed, 'the connection to be over');
  expect(client.error).toBe('');
});

test('running out of descriptors costs requests, not the lane, and no member is blamed for it', async () => {
  const script = join(import.meta.dirname, 'few-descriptors.ts');
  const { stdout } = await promisify(execFile)('/bin/sh', [
    '-c',
    'ulimit -n 128 && exec "$0" "$1"',
    process.execPath,
    script,
  ]);
  expect(JSON.parse(stdout)).toEqual({
    whenAcceptFails: 'closed',
    whenConnectFails: 'HTTP/1.1 503 Service Unavailable',
    afterwards: 'fine',
    failed: 0,
    busy: 0,
  });
});
