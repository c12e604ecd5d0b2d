// Drains that come to an end, over real sockets: with a timeout, both ways of what comes after it, taken back, of terminating
// and of unready endpoints; and the count of live sessions, which a preStop hook waits for.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { type EvenkeelProcess, root, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { Scrape } from '../product/scrape.ts';
import { type Application, inMemorySessions, type SessionReport, startApplications } from './application.ts';
import { Browser } from './browser.ts';
import { edit, type Fields, serve, sticky } from './sticky-file.ts';

const session: Fields = { cookie: 'sid', strategy: 'Suffix' };

async function ask(browser: Browser, port: number): Promise<SessionReport> {
  const { status, body } = await browser.get(port);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return JSON.parse(body) as SessionReport;
}

/** A browser with a session on the member of that name. */
async function browserOn(name: string, port: number): Promise<Browser> {
  for (let tries = 0; tries < 50; tries += 1) {
    const browser = new Browser();
    if ((await ask(browser, port)).member === name) return browser;
  }
  throw new Error(`no session begins on ${name}`);
}

const isDraining = async ({ adminPort }: EvenkeelProcess, member: string): Promise<boolean> =>
  (await Scrape.of(adminPort)).sum('evenkeel_member_draining', { member }) === 1;

test('sessions stay until the timeout, then go elsewhere once, with no error', async () => {
  await using applications = await startApplications('abc', inMemorySessions('sid'));
  const spec = { drain: { timeout: '5s' } };
  using file = new Configuration(sticky(applications, session, {}, spec));
  await using evenkeel = await serve(file);
  const port = evenkeel.httpPort;
  using browser = await browserOn('a', port);
  const beganAt = performance.now();
  await edit(file, sticky(applications, session, { a: { state: 'Draining' } }, spec), evenkeel);

  const reports: SessionReport[] = [];
  let movedAfterMs = 0;
  while (reports.filter(({ member }) => member !== 'a').length < 5) {
    reports.push(await ask(browser, port));
    if (movedAfterMs === 0 && reports.at(-1)!.member !== 'a') movedAfterMs = performance.now() - beganAt;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const members = reports.map(({ member }) => member).join('');
  expect(members).toMatch(/^a{3,}(b{5}|c{5})$/);
  expect(movedAfterMs).toBeGreaterThanOrEqual(5_000);
  expect(reports.filter(({ isLost }) => isLost)).toHaveLength(1);
  // Another edit, elsewhere, does not call it back.
  await edit(file, sticky(applications, session, { a: { state: 'Draining' }, b: { loadFactor: 2 } }, spec), evenkeel);
  expect((await ask(browser, port)).member).toBe(reports.at(-1)!.member);
});

test('with onTimeout Reject they are refused then, whatever onMemberDown says, and new sessions are not', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  const rules = { ...session, rejectStatus: 410 };
  const spec = { drain: { timeout: '300ms', onTimeout: 'Reject' } };
  using file = new Configuration(sticky(applications, rules, {}, spec));
  await using evenkeel = await serve(file);
  using browser = await browserOn('a', evenkeel.httpPort);
  await edit(file, sticky(applications, rules, { a: { state: 'Draining', redirect: 'b' } }, spec), evenkeel);
  await eventually(async () => expect((await browser.get(evenkeel.httpPort)).status).toBe(410));
  expect((await ask(new Browser(), evenkeel.httpPort)).member).toBe('b');
});

test.each(['Suffix', 'Route', 'Insert'])(
  '%s: with onMemberDown Reject they go elsewhere all the same',
  async (strategy) => {
    await using applications = await startApplications('ab', (request, { name }) => {
      const hasOne = /sid=/.test(request.headers.cookie ?? '');
      return { lines: hasOne ? {} : { 'set-cookie': `sid=1.${name}` }, body: JSON.stringify({ member: name }) };
    });
    const rules = { cookie: strategy === 'Insert' ? 'LB' : 'sid', strategy, onMemberDown: 'Reject' };
    const spec = { drain: { timeout: '300ms' } };
    using file = new Configuration(sticky(applications, rules, {}, spec));
    await using evenkeel = await serve(file);
    using browser = await browserOn('a', evenkeel.httpPort);
    await edit(file, sticky(applications, rules, { a: { state: 'Draining' } }, spec), evenkeel);
    await eventually(async () => expect((await ask(browser, evenkeel.httpPort)).member).toBe('b'));
  },
);

test('a drain that is taken back ends: sessions stay, and new ones come', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  const spec = { drain: { timeout: '2s' } };
  using file = new Configuration(sticky(applications, session, {}, spec));
  await using evenkeel = await serve(file);
  const port = evenkeel.httpPort;
  using browser = await browserOn('a', port);
  await edit(file, sticky(applications, session, { a: { state: 'Draining' } }, spec), evenkeel);
  await edit(file, sticky(applications, session, {}, spec), evenkeel);
  const backAt = performance.now();
  // Not too often: new sessions go elsewhere until the others have as many requests.
  while (performance.now() - backAt < 2_500) {
    expect((await ask(browser, port)).isLost).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  using newcomer = await browserOn('a', port);
  expect((await ask(newcomer, port)).member).toBe('a');
});

/** A Balancer over the endpoints of a Service, one slice each since they differ in their port. Conditions by name; null: not listed. */
function pods(applications: readonly Application[], conditions: Fields, drain: Fields): string {
  const slices = applications.flatMap(({ name, port }) => {
    const given = conditions[name] === undefined ? { ready: true } : conditions[name];
    if (given === null) return [];
    return [
      `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: app-${name}, labels: { kubernetes.io/service-name: app } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: [127.0.0.1], conditions: ${JSON.stringify(given)}, targetRef: { kind: Pod, name: app-${name}, uid: uid-${name} } }]
`,
    ];
  });
  return `apiVersion: evenkeel.dev/v1alpha1
kind: Balancer
metadata: { name: test }
spec:
  members: [{ service: { name: app, port: http } }]
  stickySession: ${JSON.stringify(session)}
  drain: ${JSON.stringify(drain)}
---
apiVersion: v1
kind: Service
metadata: { name: app }
spec: { ports: [{ name: http, port: 80 }] }
${slices.join('')}`;
}

test('a terminating endpoint keeps its sessions until the timeout, and gets no new ones', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  const drain = { timeout: '5s' };
  using file = new Configuration(pods(applications, {}, drain));
  await using evenkeel = await serve(file);
  const port = evenkeel.httpPort;
  using browser = await browserOn('a', port);
  const terminating = { a: { ready: false, serving: true, terminating: true } };
  await edit(file, pods(applications, terminating, drain), evenkeel);
  expect((await ask(browser, port)).member).toBe('a');
  for (let i = 0; i < 4; i += 1) expect((await ask(new Browser(), port)).member).toBe('b');
  expect(await isDraining(evenkeel, 'app-a')).toBe(true);
  await eventually(async () => expect((await ask(browser, port)).member).toBe('b'));
});

test('an unready endpoint keeps its sessions for its grace; one that serves again goes on with them', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  const drain = { unreadyGrace: '5s' };
  using file = new Configuration(pods(applications, {}, drain));
  await using evenkeel = await serve(file);
  const port = evenkeel.httpPort;
  using browser = await browserOn('a', port);
  for (const unready of [{ a: { ready: false, serving: false } }, { a: null }]) {
    await edit(file, pods(applications, unready, drain), evenkeel);
    expect((await ask(browser, port)).member).toBe('a');
    for (let i = 0; i < 4; i += 1) expect((await ask(new Browser(), port)).member).toBe('b');
    await edit(file, pods(applications, {}, drain), evenkeel);
    expect((await ask(browser, port)).isLost).toBe(false);
  }
  await edit(file, pods(applications, { a: { ready: false, serving: false } }, drain), evenkeel);
  await eventually(async () => expect((await ask(browser, port)).member).toBe('b'));
  expect((await Scrape.of(evenkeel.adminPort)).text).not.toContain('member="app-a"');
});

/** The product with a sessions port, and what its members are said to have left there. */
async function serveWithSessions(file: Configuration, ...flags: readonly string[]) {
  const sessions = ['--sessions-port', '0', '--sessions-bind', '127.0.0.1'];
  const evenkeel = await startEvenkeel(['--config', file.path, ...sessions, ...flags]);
  const sessionsPort = Number((await evenkeel.waitForLog(({ msg }) => msg === 'ready')).sessionsPort);
  const left = async (pod: string): Promise<number> =>
    Number((await get(sessionsPort, { path: `/sessions/${pod}`, headers: { accept: 'text/plain' } })).body);
  const gauge = async (member: string): Promise<number> =>
    (await Scrape.of(evenkeel.adminPort)).sum('evenkeel_member_sessions', { member });
  return { evenkeel, sessionsPort, left, gauge, [Symbol.asyncDispose]: () => evenkeel.kill() };
}

test('1,000 sessions over two lanes are counted to within 5 %', { timeout: 90_000 }, async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  using file = new Configuration(pods(applications, {}, {}));
  await using served = await serveWithSessions(file, '--lanes', '2');
  const { evenkeel, left, gauge } = served;
  expect([await left('app-a'), await gauge('app-a')]).toEqual([0, 0]);
  const ids = new Set<string>();
  const begin = async (): Promise<void> => {
    const browser = new Browser();
    for (let i = 0; i < 2; i += 1) ids.add((await ask(browser, evenkeel.httpPort)).id);
  };
  for (let batch = 0; batch < 50; batch += 1) await Promise.all(Array.from({ length: 20 }, begin));
  expect(ids.size).toBe(1000);
  const total = (await left('app-a')) + (await left('default/app-b'));
  expect(Math.abs(total / 1000 - 1)).toBeLessThan(0.05);
  expect(await gauge('app-a')).toBe(await left('app-a'));
});

test('the count falls to 0 when the sessions are over, and the port tells nothing else', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  using file = new Configuration(pods(applications, {}, {}));
  await using served = await serveWithSessions(file, '--lanes', '1', '--session-window', '4s');
  const { evenkeel, sessionsPort, left, gauge } = served;
  using browser = await browserOn('a', evenkeel.httpPort);
  expect(await left('app-a')).toBe(1);
  // Goes on as long as it is used.
  const usedUntil = performance.now() + 5_000;
  while (performance.now() < usedUntil) {
    await ask(browser, evenkeel.httpPort);
    expect(await left('app-a')).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await eventually(async () => expect([await left('app-a'), await gauge('app-a')]).toEqual([0, 0]), 20_000);
  const { status, body, headers } = await get(sessionsPort, { path: '/sessions/app-a' });
  expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json; charset=utf-8' });
  expect(JSON.parse(body)).toEqual({ pod: 'app-a', sessions: 0, watchedSeconds: 4, windowSeconds: 4 });
  expect((await get(sessionsPort, { path: '/sessions/app-z' })).status).toBe(404);
  expect((await get(sessionsPort, { path: '/metrics' })).status).toBe(404);
});

test('a pod whose drain is over has no session left, though they were seen just now', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  const drain = { timeout: '5s' };
  using file = new Configuration(pods(applications, {}, drain));
  await using served = await serveWithSessions(file, '--lanes', '1');
  const { evenkeel, left, gauge } = served;
  using browser = await browserOn('a', evenkeel.httpPort);
  expect((await ask(browser, evenkeel.httpPort)).member).toBe('a');
  expect(await left('app-a')).toBe(1);
  await edit(file, pods(applications, { a: { ready: false, serving: true, terminating: true } }, drain), evenkeel);
  expect(await left('app-a')).toBe(1);
  await eventually(async () => expect([await left('app-a'), await gauge('app-a')]).toEqual([0, 0]));
});

test('the preStop hook of the examples waits until no session is left', async () => {
  await using applications = await startApplications('ab', inMemorySessions('sid'));
  using file = new Configuration(pods(applications, {}, { timeout: '5s' }));
  await using served = await serveWithSessions(file, '--lanes', '1');
  const { evenkeel, sessionsPort } = served;
  using browser = await browserOn('a', evenkeel.httpPort);
  const env = {
    ...process.env,
    POD_NAME: 'app-a',
    POD_NAMESPACE: 'default',
    EVENKEEL_SESSIONS: `127.0.0.1:${sessionsPort}`,
    EVENKEEL_SESSIONS_PAUSE: '0.1',
  };
  const startedAt = performance.now();
  const hook = spawn('sh', [join(root, 'examples', 'wait-for-sessions.sh')], { env, stdio: 'inherit' });
  const ended = once(hook, 'exit');
  const terminating = { a: { ready: false, serving: true, terminating: true } };
  await edit(file, pods(applications, terminating, { timeout: '5s' }), evenkeel);
  expect((await ask(browser, evenkeel.httpPort)).member).toBe('a');
  expect(hook.exitCode).toBeNull();
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - startedAt).toBeGreaterThan(5_000);
  expect((await ask(browser, evenkeel.httpPort)).member).toBe('b');
});
