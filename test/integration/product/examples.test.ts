// Every example is free of problems, and is served as its first lines say.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { root, runEvenkeel, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { type Answer, get, getInTurn } from './client.ts';
import { Configuration } from './configuration.ts';
import { type NamedMember, startMembers } from './named-member.ts';

const folder = join(root, 'examples');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** The example with the ports of these members for 8081, 8082, … */
function withMembers(name: string, members: readonly NamedMember[]): string {
  return read(name).replace(/\b808[1-4]\b/g, (port) => String(members[Number(port) - 8081]!.port));
}

test.each(names)('%s says what it shows, and is fine on its own', async (name) => {
  expect(read(name)).toMatch(/^# \w/);
  const { code, stdout } = await runEvenkeel(['check', join(folder, name)]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/ 0 errors, 0 notices\n$/) });
});

test('the list of examples names each of them', () => {
  const list = read('README.md');
  expect(names.filter((name) => !list.includes(`](${name})`))).toEqual([]);
});

const shown: Readonly<Record<string, (httpPort: number, members: readonly NamedMember[]) => Promise<void>>> = {
  'first-balancer.yaml': async (port) => {
    expect((await getInTurn(port, 9)).join('')).toBe('abcabcabc');
  },
  'load-factors.yaml': async (port) => {
    expect((await getInTurn(port, 12)).join(' ')).toBe('b a b b c b b a b b c b');
  },
  'service-members.yaml': async (port) => {
    expect([...new Set(await getInTurn(port, 9))].sort()).toEqual(['a', 'b', 'c']);
  },
  'sticky-sessions.yaml': async (port) => {
    for (let session = 0; session < 3; session += 1) {
      const first = await get(port);
      const cookie = String(first.headers['set-cookie']).split(';', 1)[0]!;
      // What the application has set, and the session route behind it.
      expect(cookie).toMatch(new RegExp(`^DEMOSESSION=of-${first.body}\\.\\w+$`));
      for (let i = 0; i < 4; i += 1) expect((await get(port, { headers: { cookie } })).body).toBe(first.body);
    }
  },
  'sticky-route.yaml': async (port, members) => {
    for (const route of ['a', 'b', 'c']) {
      const { body } = await get(port, { headers: { cookie: `JSESSIONID=5F3C9A.${route}` } });
      expect(body + (await get(port, { path: `/x;jsessionid=5F3C9A.${route}` })).body).toBe(route + route);
    }
    const ask = async (): Promise<string> => (await get(port, { headers: { cookie: 'JSESSIONID=5F3C9A.a' } })).body;
    members[0]!.kill();
    // The first one finds it dead, and goes wherever it can.
    await ask();
    expect(await ask()).toBe('c');
  },
  'sticky-suffix.yaml': async (port) => {
    for (let session = 0; session < 6; session += 1) {
      const first = await get(port);
      const cookie = String(first.headers['set-cookie']).split(';', 1)[0]!;
      expect(cookie).toMatch(new RegExp(`^DEMOSESSION=of-${first.body}\\.s\\w{53}$`));
      // c is draining.
      expect('ab').toContain(first.body);
      for (let i = 0; i < 4; i += 1) expect((await get(port, { headers: { cookie } })).body).toBe(first.body);
    }
  },
  'sticky-insert.yaml': async (port) => {
    const first = await get(port);
    const inserted = String(first.headers['set-cookie']).split(',').at(-1)!;
    expect(inserted).toMatch(/^LB=[abc]\.\w+; Path=\/; Max-Age=28800; HttpOnly; SameSite=Lax$/);
    expect(first.headers['cache-control']).toBe('private');
    const cookie = inserted.split(';', 1)[0]!;
    for (let i = 0; i < 4; i += 1) {
      const again = await get(port, { headers: { cookie } });
      expect(again.body).toBe(first.body);
      expect(String(again.headers['set-cookie'])).not.toContain('LB=');
    }
  },
  'drain.yaml': async (port) => {
    for (let session = 0; session < 6; session += 1) {
      const first = await get(port);
      const cookie = String(first.headers['set-cookie']).split(';', 1)[0]!;
      // c is terminating.
      expect('ab').toContain(first.body);
      for (let i = 0; i < 2; i += 1) expect((await get(port, { headers: { cookie } })).body).toBe(first.body);
    }
  },
  'mcp-session.yaml': async (port, members) => {
    const first = await get(port, { path: '/mcp' });
    const id = String(first.headers['mcp-session-id']);
    expect(id).toMatch(new RegExp(`^of-${first.body}\\.\\w{34}$`));
    const ask = (): Promise<Answer> => get(port, { path: '/mcp', headers: { 'mcp-session-id': id } });
    for (let i = 0; i < 4; i += 1) expect((await ask()).body).toBe(first.body);
    members.find(({ name }) => name === first.body)!.kill();
    expect((await ask()).status).toBe(404);
  },
  'spares-and-standbys.yaml': async (port, members) => {
    expect((await getInTurn(port, 3)).join('')).toBe('aaa');
    for (const [index, next] of ['bbb', 'ccc', 'ddd'].entries()) {
      members[index]!.kill();
      expect((await getInTurn(port, 3)).join('')).toBe(next);
    }
  },
  'overrides.yaml': async (port) => {
    expect((await getInTurn(port, 9)).toSorted().join('')).toBe('aaaaaabbb');
  },
  'hash.yaml': async (port, members) => {
    const tenants = Array.from({ length: 60 }, (_, number) => `tenant-${number}`);
    // One after the other: a member with more than its share of the requests under way hands some over.
    const ask = async (): Promise<readonly string[]> => {
      const names: string[] = [];
      for (const tenant of tenants) names.push((await get(port, { headers: { 'x-tenant': tenant } })).body);
      return names;
    };
    const before = await ask();
    expect([...new Set(before)].sort()).toEqual(['a', 'b', 'c']);
    expect(await ask()).toEqual(before);
    members[0]!.kill();
    // Whoever finds it dead goes elsewhere, to where its tenants are from now on.
    await ask();
    const after = await ask();
    expect(after).not.toContain('a');
    expect(after).toEqual(before.map((name, index) => (name === 'a' ? after[index] : name)));
  },
  'heartbeat.yaml': async (port, members) => {
    const loads = ['ready=0,named_metrics.busy=8', 'ready=4,named_metrics.busy=4', 'ready=4,named_metrics.busy=4'];
    // Who has not reported is drawn as well as anybody.
    await vi.waitUntil(async () => new Set(await getInTurn(port, 9)).size === 3, 10_000);
    for (const [index, load] of loads.entries())
      members[index]!.headers = { 'endpoint-load-metrics': `TEXT named_metrics.${load}` };
    await vi.waitUntil(async () => !(await getInTurn(port, 40)).includes('a'), 10_000);
    expect([...new Set(await getInTurn(port, 40))].sort()).toEqual(['b', 'c']);
  },
  'waiting.yaml': async (port, members) => {
    for (const member of members) member.isHolding = true;
    const asked = Array.from({ length: 5 }, () => get(port));
    // Two are at the members and two wait: the fifth one is told so at once.
    expect((await Promise.race(asked)).status).toBe(503);
    for (const member of members) member.release();
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.sort().join(' ')).toBe('200 200 200 200 503');
    expect((await get(port, { headers: { 'content-length': '10000001' } })).status).toBe(413);
  },
  'failover.yaml': async (port, members) => {
    members[0]!.kill();
    expect((await getInTurn(port, 6)).join('')).toMatch(/^[bc]{6}$/);
    members[1]!.status = 503;
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) statuses.push((await get(port)).status);
    expect(statuses.sort().join(' ')).toBe('200 200 200 200 200 503');
    members[1]!.status = 200;
    expect((await getInTurn(port, 6)).join('')).toBe('cccccc');
  },
  'hosts-and-paths.yaml': async (port) => {
    const ask = async (host: string, path: string): Promise<string> =>
      (await get(port, { path, headers: { host } })).body;
    expect(await ask('shop.example.com', '/')).toBe('a');
    expect(await ask('DE.shop.example.com:8080', '/cart')).toBe('a');
    expect(await ask('shop.example.com', '/cart/7')).toBe('b');
    expect(await ask('shop.example.com', '/cartoon')).toBe('a');
    expect(await ask('shop.example.com', '/checkout')).toBe('b');
    expect(await ask('shop.example.com', '/checkout/x')).toBe('a');
    expect(await ask('a.b.shop.example.com', '/')).toBe('c');
  },
};

test.each(names)('%s is served as it says', async (name) => {
  await using members = await startMembers('a', 'b', 'c', 'd');
  using file = new Configuration(withMembers(name, members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  const show = shown[name];
  if (show === undefined) throw new Error(`nothing here shows what ${name} does`);
  await show(evenkeel.httpPort, members);
});
