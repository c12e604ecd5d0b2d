// Every example is free of problems, and is served as its first lines say.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, runEvenkeel, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get, getInTurn } from './client.ts';
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
