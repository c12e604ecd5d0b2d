// Every example is free of problems, and is served as its first lines say.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
