// The access log and the explain secret as operators meet them: flags, a real pipe, four lanes, a mounted file.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, until } from '../../helpers/patience.ts';
import { runEvenkeel, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { startMembers } from './named-member.ts';
import { Scrape } from './scrape.ts';

/** Sends requests for numbered paths on one connection, 20 at a time; resolves when all are answered. */
async function drive(port: number, from: number, count: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let answered = 0;
  let sent = 0;
  const sendMore = (): void => {
    let text = '';
    for (const end = Math.min(count, sent + 20); sent < end; sent += 1) {
      text += `GET /${from + sent} HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nX-Request-Id: ${'i'.repeat(sent % 90)}\r\n\r\n`;
    }
    socket.write(text);
  };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('error', reject);
  socket.on('data', (chunk) => {
    answered += chunk.toString('latin1').split('HTTP/1.1 404').length - 1;
    if (answered === count) resolve();
    else if (answered === sent) sendMore();
  });
  sendMore();
  await promise;
  socket.destroy();
}

test('four lanes write 20,040 lines to one pipe, and each is whole, also after SIGTERM', async () => {
  await using members = await startMembers('a');
  // No rule leads to the member: this is about lines, and no answer takes less time.
  using file = new Configuration(`${balancerOf(members)}  rules: [{ hosts: [nowhere.example] }]\n`);
  const pipe = join(file.folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let lineEnds = 0;
  reader.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    lineEnds += chunk.split('\n').length - 1;
  });
  const args = ['--config', file.path, '--lanes', '4', '--access-log', 'json', '--access-log-file', pipe];
  await using evenkeel = await startEvenkeel(args);
  const each = 500;
  const connections = 40;
  await Promise.all(Array.from({ length: connections }, (_, i) => drive(evenkeel.httpPort, i * each, each)));
  const most = each * connections;
  await until(
    () => lineEnds === most,
    () => `${most} lines; so far: ${lineEnds}`,
    30_000,
  );
  const dropped = (await Scrape.of(evenkeel.adminPort)).sum('evenkeel_access_log_dropped_total');
  // So few that the pipe takes them also while nobody reads it.
  const atTheEnd = 40;
  await drive(evenkeel.httpPort, most, atTheEnd);
  const ended = once(reader, 'close');
  expect((await evenkeel.stop()).code).toBe(0);
  await ended;
  expect(dropped).toBe(0);
  const lines = text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const paths = lines.map(({ path }) => Number(String(path).slice(1))).sort((a, b) => a - b);
  expect(paths).toEqual(Array.from({ length: most + atTheEnd }, (_, number) => number));
  for (const line of lines) expect(line).toMatchObject({ status: 404, fault: 'no-rule', log: 'access' });
}, 60_000);

test('on standard output the lines stand between those of the process', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--access-log', 'json']);
  expect((await get(evenkeel.httpPort, { path: '/x' })).status).toBe(200);
  const line = await evenkeel.waitForLog((entry) => entry.log === 'access');
  expect(line).toMatchObject({ path: '/x', status: 200, balancer: 'test', member: members[0]!.url });
});

test('the explain secret is taken over when its file changes, by lanes that are started later too', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  const path = join(file.folder, 'secret');
  const replace = (text: string): void => {
    writeFileSync(`${path}.next`, text);
    renameSync(`${path}.next`, path);
  };
  replace('the-first-of-the-secrets\n');
  const args = ['--config', file.path, '--lanes', '1', '--explain-secret-file', path];
  await using evenkeel = await startEvenkeel(args, { EVENKEEL_TEST_HOOKS: 'on' });
  const explained = async (secret: string): Promise<unknown> => {
    const { status, headers } = await get(evenkeel.httpPort, { headers: { 'X-Evenkeel-Explain': secret } });
    expect(status).toBe(200);
    return headers['x-evenkeel-explain'];
  };
  const text = `rule="* Prefix /"; balancer=default/test; session=none; member="${members[0]!.url}"; reason=byrequests; attempts=1`;
  expect(await explained('the-first-of-the-secrets')).toBe(text.replaceAll('"http', 'http').replace(/(:\d+)"/, '$1'));
  expect(await explained('the-second-of-the-secrets')).toBe(undefined);
  replace('short');
  const kept = await evenkeel.waitForLog(({ msg }) => msg === 'the explain secret stays as it was');
  expect(kept.reason).toBe(`${path} holds 5 characters; a secret must have at least 16`);
  expect(await explained('the-first-of-the-secrets')).toContain('member=');
  replace('the-second-of-the-secrets');
  await eventually(async () => expect(await explained('the-second-of-the-secrets')).toContain('member='));
  expect(await explained('the-first-of-the-secrets')).toBe(undefined);
  const before = evenkeel.log.length;
  evenkeel.signal('SIGUSR2');
  await evenkeel.waitForLog(({ msg }) => msg === 'lane is listening', 10_000, before);
  expect(await explained('the-second-of-the-secrets')).toContain('member=');
  expect(evenkeel.written).not.toMatch(/the-(first|second)-of-the-secrets|[0-9a-f]{64}/);
});

test.each([
  [['--explain-secret-file', '/nowhere/secret'], '--explain-secret-file: /nowhere/secret does not exist'],
  [['--explain-secret-file', '/dev/null'], '--explain-secret-file: /dev/null holds 0 characters; a secret must have'],
  [['--access-log', 'json', '--access-log-file', '/nowhere/log'], '--access-log-file: /nowhere/log does not exist'],
  [['--access-log', 'json', '--access-log-file', '/'], '--access-log-file: /: EISDIR'],
])('%j is refused with a reason', async (flags, reason) => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  const ending = await runEvenkeel(['serve', '--config', file.path, '--http-port', '0', '--admin-port', '0', ...flags]);
  expect(ending.code).toBe(1);
  expect(ending.stderr).toContain(reason);
});
