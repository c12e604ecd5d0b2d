// Heads full of cookies: beyond the limit they are refused at once, below it they cost hardly more than others.
import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { connectRaw } from '../../helpers/raw-client.ts';
import { get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { set, startApplications } from './application.ts';
import { setCookies } from './browser.ts';
import { serve, sticky } from './sticky-file.ts';

const session = { cookie: 'sid', strategy: 'Suffix' };
const ROUNDS = 120;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

test('10,000 cookies are refused, and others do not wait for it', async () => {
  await using applications = await startApplications('ab', set({ 'Set-Cookie': 'sid=v' }));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file, 1);
  const floods = ['a=b; ', 'sid=v.w; '].map(
    (cookie) => `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${cookie.repeat(10_000)}\r\n\r\n`,
  );
  for (let round = 0; round < 10; round += 1) {
    const attackers = await Promise.all(floods.map(() => connectRaw(evenkeel.httpPort)));
    for (const [at, attacker] of attackers.entries()) attacker.send(floods[at]!);
    expect((await get(evenkeel.httpPort)).status).toBe(200);
    for (const attacker of attackers) {
      expect(await attacker.take('\r\n')).toBe('HTTP/1.1 431 Request Header Fields Too Large\r\n');
      attacker.destroy();
    }
  }
  expect(applications.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(10);
});

test('a head that is full of cookies takes little longer than another one', { timeout: 60_000 }, async () => {
  await using applications = await startApplications('ab', set({ 'Set-Cookie': 'sid=v' }));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file, 1);
  const { httpPort } = evenkeel;
  const own = setCookies(await get(httpPort))[0]!;
  const fill = (cookie: string): string => `${cookie.repeat(Math.floor(15_000 / cookie.length))}${own}`;
  const cookies = { others: fill('a=b; '), 'of the name': fill('sid=x.y; '), 'all ours': fill(`${own}; `) };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const tookMs = async (cookie: string): Promise<number> => {
    const startMs = performance.now();
    expect((await get(httpPort, { agent, headers: { cookie } })).status).toBe(200);
    return performance.now() - startMs;
  };
  const took = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    // In turn, so that what else the machine does happens to all of them.
    for (const [name, cookie] of Object.entries({ plain: own, ...cookies })) {
      took.set(name, [...(took.get(name) ?? []), await tookMs(cookie)]);
    }
  }
  agent.destroy();
  // The member and the client, too, have fifteen kilobytes to read, of three thousand cookies.
  const boundMs = 3 * median(took.get('plain')!) + 1;
  for (const name of Object.keys(cookies)) expect(median(took.get(name)!), name).toBeLessThan(boundMs);
});
