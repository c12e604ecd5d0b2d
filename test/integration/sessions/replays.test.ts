// Cases of other load balancers that need the whole product, each named after its origin. What became of the other cases is
// in replays.md beside this file.
import { afterAll, describe, expect, test } from 'vitest';
import { type EvenkeelProcess, runEvenkeel } from '../../helpers/evenkeel-process.ts';
import { type Answer, get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { type Application, startApplications } from './application.ts';
import { Browser, post, setCookies } from './browser.ts';
import { podFile } from './pod-file.ts';
import { edit, type Fields, serve, sticky } from './sticky-file.ts';

const insert = { cookie: 'SERVERID', strategy: 'Insert' };

const file = new Configuration(sticky([], { cookie: 'none' }));
let running: EvenkeelProcess | null = null;

/** The same process for all of them, with one lane, once it serves this. */
async function serving(text: string): Promise<EvenkeelProcess> {
  running ??= await serve(file, 1);
  await edit(file, text, running);
  return running;
}

afterAll(async () => {
  await running?.kill();
  file[Symbol.dispose]();
});

/** Answers to so many requests, one after the other, each over a connection of its own. */
async function bodiesOf(port: number, count: number, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  let all = '';
  for (let i = 0; i < count; i += 1) {
    const { status, body } = await get(port, { headers });
    all += status === 200 ? body : `(${status})`;
  }
  return all;
}

const countOf = (answers: string, name: string): number => [...answers].filter((each) => each === name).length;

/** What a browser sends back. */
const cookieOf = (answer: Answer): string => setCookies(answer)[0]!.split(';', 1)[0]!;

/** A second Balancer over the same members, for these rules. */
function another(name: string, text: string, rules: Fields, stickySession: Fields | null): string {
  const document = text.replace('name: test', `name: ${name}`);
  const withRules = document.replace('spec:\n', `spec:\n  rules: ${JSON.stringify([rules])}\n`);
  const kept = withRules.replace(/ {2}stickySession:\n( {4}.*\n)+/, '');
  return stickySession === null ? kept : `${kept}  stickySession: ${JSON.stringify(stickySession)}\n`;
}

const path = (value: string): Fields => ({ hosts: ['shop.example'], paths: [{ type: 'Prefix', value }] });
const onHost = (host: string, target: string): Parameters<typeof get>[1] => ({ path: target, headers: { host } });

describe('ingress-nginx affinity.go', () => {
  test('4: two paths with the same Service, each its own Path', async () => {
    await using applications = await startApplications('ab');
    const text = sticky(applications, insert);
    const own = (value: string): Fields => ({ ...insert, attributes: { path: value } });
    const evenkeel = await serving(
      [
        another('one', text, path('/something'), own('/something')),
        another('other', text, path('/somewhereelse'), own('/somewhereelse')),
      ].join('---\n'),
    );
    for (const value of ['/something', '/somewhereelse']) {
      const answer = await get(evenkeel.httpPort, onHost('shop.example', value));
      expect(setCookies(answer)).toEqual([expect.stringContaining(`; Path=${value};`)]);
    }
  });

  test('10: a path that is sticky inside one that is not, on one host', async () => {
    await using applications = await startApplications('ab');
    const text = sticky(applications, insert);
    const evenkeel = await serving(
      [
        another('sticky', text, path('/foo/bar'), { ...insert, attributes: { path: '/foo/bar' } }),
        another('other', text, path('/foo'), null),
      ].join('---\n'),
    );
    expect(setCookies(await get(evenkeel.httpPort, onHost('shop.example', '/foo')))).toEqual([]);
    expect(setCookies(await get(evenkeel.httpPort, onHost('shop.example', '/foo/bar')))).toEqual([
      expect.stringMatching(/^SERVERID=.*; Path=\/foo\/bar;/),
    ]);
  });

  test('11: no host', async () => {
    await using applications = await startApplications('ab');
    const evenkeel = await serving(sticky(applications, insert));
    expect(setCookies(await get(evenkeel.httpPort, onHost('whatever.example', '/')))[0]).toMatch(/^SERVERID=/);
  });

  test('12: a server with aliases; sticky_test.lua: and one with a wildcard host', async () => {
    await using applications = await startApplications('ab');
    const hosts = ['shop.example', 'a1.example', 'a2.example', '*.wild.example'];
    const evenkeel = await serving(another('aliases', sticky(applications, insert), { hosts }, insert));
    for (const host of ['shop.example', 'a1.example', 'a2.example', 'x.wild.example']) {
      expect(setCookies(await get(evenkeel.httpPort, onHost(host, '/bar')))[0]).toMatch(/^SERVERID=/);
    }
    // sticky_test.lua: no cookie where the location is not listed.
    expect(await get(evenkeel.httpPort, onHost('other.example', '/bar'))).toMatchObject({ status: 404 });
  });
});

test('ingress-nginx affinitymode.go persistent: scaled up ten times, to nothing, and up again', {
  timeout: 60_000,
}, async () => {
  await using applications = await startApplications('abcdefghijklmno');
  const scaled = (count: number): string =>
    podFile({ pods: applications.slice(0, count), stickySession: insert, spec: { drain: { unreadyGrace: '0s' } } });
  const evenkeel = await serving(scaled(5));
  const first = await get(evenkeel.httpPort);
  const headers = { cookie: cookieOf(first) };
  for (let count = 6; count <= 15; count += 1) {
    await edit(file, scaled(count), evenkeel);
    const answer = await get(evenkeel.httpPort, { headers });
    expect(answer.body).toBe(first.body);
    expect(setCookies(answer)).toEqual([]);
  }
  await edit(file, scaled(0), evenkeel);
  expect((await get(evenkeel.httpPort, { headers })).status).toBe(503);
  // Other pods: the old ones never come back.
  const fresh = podFile({ pods: applications.slice(13), stickySession: insert });
  await edit(file, fresh, evenkeel);
  const moved = await get(evenkeel.httpPort, { headers });
  expect('no').toContain(moved.body);
  expect(await bodiesOf(evenkeel.httpPort, 4, { cookie: cookieOf(moved) })).toBe(moved.body.repeat(4));
});

describe('ingress-nginx sticky_test.lua', () => {
  test('change_on_failure true: another member, and its cookie', async () => {
    await using applications = await startApplications('abc');
    const evenkeel = await serving(sticky(applications, insert));
    using browser = new Browser();
    const { body } = await browser.get(evenkeel.httpPort);
    applications.find(({ name }) => name === body)!.kill();
    const moved = await browser.get(evenkeel.httpPort);
    expect(moved.status).toBe(200);
    expect(moved.body).not.toBe(body);
    expect(setCookies(moved)).toEqual([expect.stringMatching(new RegExp(`^SERVERID=${moved.body}\\.`))]);
    for (let i = 0; i < 4; i += 1) expect((await browser.get(evenkeel.httpPort)).body).toBe(moved.body);
  });

  test('change_on_failure false: no other member, and the cookie stays for when it is back', async () => {
    await using applications = await startApplications('abc');
    const evenkeel = await serving(
      sticky(applications, { ...insert, onMemberDown: 'Reject' }, {}, { failover: { retryAfter: '0s' } }),
    );
    using browser = new Browser();
    const { body } = await browser.get(evenkeel.httpPort);
    const home = applications.find(({ name }) => name === body)!;
    home.kill();
    for (let i = 0; i < 3; i += 1) {
      const answer = await browser.get(evenkeel.httpPort);
      expect(answer.status).toBe(503);
      expect(setCookies(answer)).toEqual([]);
    }
    await home.listen();
    expect(await browser.get(evenkeel.httpPort)).toMatchObject({ status: 200, body });
  });

  test('the value is bound to its backend: another Balancer takes none of it', async () => {
    await using applications = await startApplications('ab');
    const text = sticky(applications, insert);
    const evenkeel = await serving(
      [another('one', text, path('/one'), insert), another('two', text, path('/two'), insert)].join('---\n'),
    );
    const { httpPort } = evenkeel;
    const cookie = cookieOf(await get(httpPort, onHost('shop.example', '/one')));
    const answer = await get(httpPort, { path: '/two', headers: { host: 'shop.example', cookie } });
    expect(setCookies(answer)).toEqual([expect.stringMatching(/^SERVERID=[ab]\.[a-z0-9]{34}; /)]);
  });
});

describe('Traefik', () => {
  test('wrr TestSticky: three requests with the cookie, and its value reveals no name or address', async () => {
    await using applications = await startApplications('ab');
    const evenkeel = await serving(podFile({ pods: applications, stickySession: { ...insert, cookie: 'test' } }));
    const first = await get(evenkeel.httpPort);
    const cookie = cookieOf(first);
    expect(cookie).toMatch(/^test=[a-z0-9]{10}\.[a-z0-9]{34}$/);
    expect(await bodiesOf(evenkeel.httpPort, 3, { cookie })).toBe(first.body.repeat(3));
  });

  test.each(['byrequests', 'bytraffic', 'bybusyness', 'leasttime'])(
    'wrr, p2c and leasttime TestSticky_Fenced: %s',
    async (lbMethod) => {
      await using applications = await startApplications('abf');
      const evenkeel = await serving(sticky(applications, insert, {}, { lbMethod }));
      let cookie = '';
      while (!cookie.includes('=f.')) cookie = cookieOf(await get(evenkeel.httpPort));
      await edit(file, sticky(applications, insert, { f: { state: 'Draining' } }, { lbMethod }), evenkeel);
      const without = await bodiesOf(evenkeel.httpPort, 4);
      expect(await bodiesOf(evenkeel.httpPort, 4, { cookie })).toBe('ffff');
      expect(countOf(without, 'f')).toBe(0);
      if (lbMethod === 'byrequests') expect([countOf(without, 'a'), countOf(without, 'b')]).toEqual([2, 2]);
    },
  );

  test('AllServersFenced: nobody new is served, and the sessions that are there are', async () => {
    await using applications = await startApplications('ab');
    const evenkeel = await serving(sticky(applications, insert));
    const first = await get(evenkeel.httpPort);
    const draining = { a: { state: 'Draining' }, b: { state: 'Draining' } };
    await edit(file, sticky(applications, insert, draining), evenkeel);
    expect((await get(evenkeel.httpPort)).status).toBe(503);
    expect(await bodiesOf(evenkeel.httpPort, 3, { cookie: cookieOf(first) })).toBe(first.body.repeat(3));
  });

  test('OneServerZeroWeight: a member that is off gets nothing, and with all of them off it is 503', async () => {
    await using applications = await startApplications('ab');
    const evenkeel = await serving(sticky(applications, insert, { b: { state: 'Disabled' } }));
    expect(await bodiesOf(evenkeel.httpPort, 3)).toBe('aaa');
    const off = { a: { state: 'Disabled' }, b: { state: 'Disabled' } };
    await edit(file, sticky(applications, insert, off), evenkeel);
    expect((await get(evenkeel.httpPort)).status).toBe(503);
  });

  test('ConvertSameSite_CaseInsensitive: another spelling is told, not guessed', async () => {
    await using applications = await startApplications('a');
    for (const sameSite of ['none', 'LAX', '', 'invalid']) {
      using file = new Configuration(sticky(applications, { ...insert, attributes: { sameSite } }));
      const { code, stdout } = await runEvenkeel(['check', file.path]);
      expect(code).toBe(1);
      expect(stdout).toContain('spec.stickySession.attributes.sameSite');
    }
  });

  test('integration TestWRRSticky: weights 3 and 1, four requests with the cookie', async () => {
    await using applications = await startApplications('ab');
    const evenkeel = await serving(sticky(applications, insert, { a: { loadFactor: 3 } }));
    let cookie = '';
    while (!cookie.includes('=b.')) cookie = cookieOf(await get(evenkeel.httpPort));
    expect(await bodiesOf(evenkeel.httpPort, 4, { cookie })).toBe('bbbb');
  });
});

describe('Envoy Gateway', () => {
  test('session_persistence.go header: Session-A, ten requests to the same pod', async () => {
    await using applications = await startApplications('abc', (_, { name }) => ({
      lines: { 'Session-A': `session-of-${name}` },
      body: name,
    }));
    const evenkeel = await serving(
      podFile({ pods: applications, stickySession: { header: 'Session-A', strategy: 'Suffix' } }),
    );
    const first = await get(evenkeel.httpPort);
    const headers = { 'session-a': String(first.headers['session-a']) };
    expect(await bodiesOf(evenkeel.httpPort, 10, headers)).toBe(first.body.repeat(10));
  });

  test('session_persistence.go several backends: elected anew without the cookie, kept with it', async () => {
    await using urls = await startApplications('ab');
    await using pods = await startApplications('cd');
    const members = urls.map(({ name, url }) => ({ url, route: name }));
    const evenkeel = await serving(podFile({ pods, members, stickySession: insert }));
    expect([...new Set(await bodiesOf(evenkeel.httpPort, 16))].sort().join('')).toBe('abcd');
    for (let i = 0; i < 4; i += 1) {
      const first = await get(evenkeel.httpPort);
      expect(await bodiesOf(evenkeel.httpPort, 4, { cookie: cookieOf(first) })).toBe(first.body.repeat(4));
    }
  });

  test('load_balancing.go EndpointOverride: a valid header leads to its member, an invalid one to any', async () => {
    await using applications = await startApplications('abc');
    const evenkeel = await serving(sticky(applications, { header: 'X-Member', strategy: 'Route', separator: '' }));
    expect(await bodiesOf(evenkeel.httpPort, 3, { 'x-member': 'c' })).toBe('ccc');
    expect(new Set(await bodiesOf(evenkeel.httpPort, 3, { 'x-member': 'nobody' })).size).toBeGreaterThan(1);
  });
});

test('haproxy-ingress drain-support-redispatch false: a draining member that fails is 503 for its sessions', async () => {
  await using applications = await startApplications('abc');
  const reject = { ...insert, onMemberDown: 'Reject' };
  const evenkeel = await serving(sticky(applications, reject));
  const first = await get(evenkeel.httpPort);
  await edit(file, sticky(applications, reject, { [first.body]: { state: 'Draining' } }), evenkeel);
  const headers = { cookie: cookieOf(first) };
  expect(await bodiesOf(evenkeel.httpPort, 3, headers)).toBe(first.body.repeat(3));
  applications.find(({ name }) => name === first.body)!.kill();
  expect(await bodiesOf(evenkeel.httpPort, 3, headers)).toBe('(503)(503)(503)');
});

test('haproxy-ingress server-name weakness: an address that another pod has got inherits no session', async () => {
  await using applications = await startApplications('ab');
  const [a, b] = [...applications] as [Application, Application];
  const evenkeel = await serving(podFile({ pods: [a, b], stickySession: insert }));
  let first = await get(evenkeel.httpPort);
  while (first.body !== 'a') first = await get(evenkeel.httpPort);
  const headers = { cookie: cookieOf(first) };
  // Another pod at the same address and port, and the old one is gone.
  const heir = { name: 'heir', port: a.port };
  await edit(file, podFile({ pods: [b, heir], stickySession: insert }), evenkeel);
  const answers = await Promise.all(Array.from({ length: 8 }, () => get(evenkeel.httpPort, { headers })));
  // Each of them is told a new one, whoever answers.
  for (const answer of answers) expect(setCookies(answer)).toHaveLength(1);
});

describe('Apache proxy_balancer.t', () => {
  test.each(['byrequests', 'bytraffic', 'bybusyness', 'heartbeat'])('one GET by %s', async (lbMethod) => {
    await using applications = await startApplications('ab');
    const evenkeel = await serving(sticky(applications, { cookie: 'SID' }, {}, { lbMethod }));
    expect((await get(evenkeel.httpPort)).status).toBe(200);
  });

  test('PR63891: POSTs of 8, 64, 2048 and 4096 octets when the first member is dead', async () => {
    await using applications = await startApplications('ab');
    applications[1]!.respond = (_, __, body) => ({ lines: {}, body });
    const text = sticky(applications, { cookie: 'SID' });
    // A Balancer for each, since a dead member is found dead once.
    const sizes = [8, 64, 2048, 4096];
    const documents = sizes.map((octets) => another(`of-${octets}`, text, { hosts: [`h${octets}.example`] }, null));
    const { httpPort } = await serving(documents.join('---\n'));
    applications[0]!.kill();
    for (const octets of sizes) {
      const body = 'x'.repeat(octets);
      const headers = { host: `h${octets}.example` };
      for (let i = 0; i < 2; i += 1)
        expect(await post(httpPort, body, { headers })).toMatchObject({ status: 200, body });
    }
  });

  test('an empty balancer is 503, and 200 once it has a member', async () => {
    await using applications = await startApplications('a');
    const evenkeel = await serving(podFile({ pods: [], stickySession: insert }));
    expect((await get(evenkeel.httpPort)).status).toBe(503);
    await edit(file, podFile({ pods: applications, stickySession: insert }), evenkeel);
    expect((await get(evenkeel.httpPort)).status).toBe(200);
  });
});

test('ingress-nginx round_robin.go: 600 requests to three replicas, 200 each', async () => {
  await using applications = await startApplications('abc');
  const evenkeel = await serving(sticky(applications, { cookie: 'SID' }));
  const answers = await bodiesOf(evenkeel.httpPort, 600);
  expect(['a', 'b', 'c'].map((name) => countOf(answers, name))).toEqual([200, 200, 200]);
});
