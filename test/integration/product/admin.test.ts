// The admin port as probes and Prometheus use it.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get, getInTurn } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { startMembers } from './named-member.ts';
import { Scrape } from './scrape.ts';

test('/healthz and /readyz answer 200, and the traffic port knows neither', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(
    balancerOf(members).replace('spec:', 'spec:\n  rules: [{ hosts: [only.example.com] }]'),
  );
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { adminPort, httpPort } = evenkeel;
  expect(await get(adminPort, { path: '/healthz' })).toMatchObject({ status: 200 });
  expect(await get(adminPort, { path: '/readyz' })).toMatchObject({
    status: 200,
    body: expect.stringContaining('2 of 2 lanes'),
  });
  for (const path of ['/healthz', '/readyz', '/metrics']) expect((await get(httpPort, { path })).status).toBe(404);
});

test('a host name of a stranger is not answered', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--admin-hosts', 'evenkeel.example.com']);
  const ask = async (host: string): Promise<number> =>
    (await get(evenkeel.adminPort, { path: '/metrics', headers: { host } })).status;
  expect(await ask('rebound.attacker.example')).toBe(421);
  expect(await ask('evenkeel.example.com')).toBe(200);
  expect(await ask('localhost:1234')).toBe(200);
});

test('/metrics counts what was served and what was not', async () => {
  await using members = await startMembers('a', 'b');
  using file = new Configuration(
    balancerOf(members).replace('spec:', 'spec:\n  rules: [{ hosts: [127.0.0.1.example.com, "*.example.org"] }]'),
  );
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { adminPort, httpPort } = evenkeel;
  for (let i = 0; i < 6; i += 1) await get(httpPort, { headers: { host: 'x.example.org' } });
  await getInTurn(httpPort, 3);
  // A client may have its answer a moment before the lane has counted it.
  await eventually(async () => {
    const metrics = await Scrape.of(adminPort);
    expect(metrics.sum('evenkeel_requests_total', { balancer: 'test', code_class: '2xx' })).toBe(6);
    expect(metrics.sum('evenkeel_requests_total', { balancer: '', member: '', code_class: '4xx' })).toBe(3);
    expect(metrics.sum('evenkeel_request_duration_seconds_count', { balancer: 'test' })).toBe(6);
    expect(metrics.sum('evenkeel_member_elected_total')).toBe(6);
    expect(metrics.sum('evenkeel_member_busy')).toBe(0);
  });
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool)
  console.warn('SKIPPED: there is no promtool here (Debian package prometheus): /metrics is not checked');

test.skipIf(!hasPromtool)('promtool has nothing to say about /metrics', async () => {
  await using members = await startMembers('a', 'b');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  await getInTurn(evenkeel.httpPort, 10);
  const { text } = await Scrape.of(evenkeel.adminPort);
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
