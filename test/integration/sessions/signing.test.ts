// Signed sessions: what no key of ours has signed is no session, and keys are changed under way.
import { expect, test } from 'vitest';
import { compileSession } from '../../../src/balancer/sessions/compiled-session.ts';
import { routeHash } from '../../../src/balancer/sessions/route-hash.ts';
import { issueToken } from '../../../src/balancer/sessions/token-issue.ts';
import type { EvenkeelProcess } from '../../helpers/evenkeel-process.ts';
import { get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { type Application, inMemorySessions, type SessionReport, set, startApplications } from './application.ts';
import { Browser, setCookies } from './browser.ts';
import { edit, type Fields, secret, serve, sticky, verdicts } from './sticky-file.ts';

const KEYS = ['first', 'second', 'third'].map((name) => Buffer.from(name.padEnd(32, '.')).toString('base64'));
const [ONE, TWO, THREE] = KEYS as [string, string, string];
const signed = (changes: Fields = {}): Fields => ({
  cookie: 'sid',
  strategy: 'Suffix',
  signing: { secretName: 'keys', mode: 'Require', ...changes },
});

function fileOf(applications: readonly Application[], session: Fields, ...keys: readonly string[]): string {
  return sticky(applications, session) + secret('keys', ...keys);
}

/** A cookie as such a file makes it, of the member that answered. */
async function cookieOf(text: string): Promise<string> {
  using file = new Configuration(text);
  await using evenkeel = await serve(file, 1);
  return setCookies(await get(evenkeel.httpPort))[0]!;
}

/** How many members answer this cookie, in twelve requests. */
async function answersOf({ httpPort }: EvenkeelProcess, cookie: string): Promise<number> {
  const bodies = new Set<string>();
  for (let i = 0; i < 12; i += 1) bodies.add((await get(httpPort, { headers: { cookie } })).body);
  return bodies.size;
}

test('Require: what is forged, foreign, expired, unsigned or garbled is no session, and is counted apart', async () => {
  await using applications = await startApplications('abc', set({ 'Set-Cookie': 'sid=v.1' }));
  const text = fileOf(applications, signed({ maxAge: '1m' }), ONE);
  using file = new Configuration(text);
  await using evenkeel = await serve(file);
  const own = setCookies(await get(evenkeel.httpPort))[0]!;
  expect(own).toMatch(/^sid=v\.1\.[a-z0-9]{54}$/);
  expect(await answersOf(evenkeel, own)).toBe(1);
  expect(await verdicts(evenkeel, 'valid')).toBe(12);

  const unit = {
    signing: { mode: 'Require', keys: [ONE], maxAgeMs: 60_000 },
    strategy: 'Suffix',
    cookie: 'sid',
  } as const;
  const compiled = compileSession(
    {
      header: null,
      urlParameter: null,
      separator: '.',
      attributes: null,
      onMemberDown: 'Redispatch',
      rejectStatus: 503,
      informsMember: false,
      ...unit,
    },
    'default/test',
    ['a'],
    null,
  );
  const agedMinutes = (minutes: number): string =>
    `sid=v.1.${issueToken(compiled, routeHash('default/test', 'a'), Date.now() - minutes * 60_000, 'v.1')}`;
  const cases: readonly (readonly [verdict: string, cookie: string])[] = [
    ['forged', await cookieOf(fileOf(applications, signed(), TWO))],
    // Taken from one session and put behind another.
    ['forged', own.replace('v.1', 'v.2')],
    ['foreign', await cookieOf(text.replace('name: test', 'name: other'))],
    ['unsigned', await cookieOf(sticky(applications, { cookie: 'sid', strategy: 'Suffix' }))],
    ['garbled', own.slice(0, -1) + (own.endsWith('a') ? 'b' : 'a')],
    ['garbled', own.slice(0, -3)],
    ['expired', agedMinutes(3)],
    ['expired', agedMinutes(-3)],
    ['none', 'sid=v.1'],
  ];
  for (const [verdict, cookie] of cases) {
    const before = await verdicts(evenkeel, verdict);
    expect(await answersOf(evenkeel, cookie), cookie).toBeGreaterThan(1);
    expect(await verdicts(evenkeel, verdict), cookie).toBe(before + 12);
  }
  // Sixty seconds of skew.
  expect(await answersOf(evenkeel, agedMinutes(1.5))).toBe(1);
  expect(await answersOf(evenkeel, agedMinutes(-0.5))).toBe(1);
  expect(await verdicts(evenkeel, 'valid')).toBe(12 + 24);
});

test('Prefer takes unsigned sessions too, and forged ones never', async () => {
  await using applications = await startApplications('abc', set({ 'Set-Cookie': 'sid=v' }));
  using file = new Configuration(fileOf(applications, signed({ mode: 'Prefer' }), ONE));
  await using evenkeel = await serve(file);
  const unsigned = await cookieOf(sticky(applications, { cookie: 'sid', strategy: 'Suffix' }));
  expect(await answersOf(evenkeel, unsigned)).toBe(1);
  expect(await verdicts(evenkeel, 'unsigned')).toBe(12);
  expect(await answersOf(evenkeel, await cookieOf(fileOf(applications, signed(), TWO)))).toBeGreaterThan(1);
});

test('keys are changed by editing the Secret, and no session is lost', async () => {
  await using applications = await startApplications('abcde', inMemorySessions('sid'));
  const session = signed();
  using file = new Configuration(fileOf(applications, session, ONE));
  await using evenkeel = await serve(file);
  const browsers = Array.from({ length: 10 }, () => new Browser());
  const ask = async (browser: Browser): Promise<SessionReport> =>
    JSON.parse((await browser.get(evenkeel.httpPort)).body) as SessionReport;
  const homes = await Promise.all(browsers.map(async (browser) => (await ask(browser)).member));
  const allAreAtHome = async (): Promise<void> => {
    for (const [index, browser] of browsers.entries()) {
      for (let i = 0; i < 3; i += 1) expect(await ask(browser)).toMatchObject({ member: homes[index], isLost: false });
    }
  };
  await allAreAtHome();
  for (const keys of [
    [ONE, TWO],
    [TWO, ONE],
  ]) {
    await edit(file, fileOf(applications, session, ...keys), evenkeel);
    await allAreAtHome();
  }
  // Those that began under the new key stay when the old one goes.
  const late = new Browser();
  const home = (await ask(late)).member;
  await edit(file, fileOf(applications, session, TWO, THREE), evenkeel);
  for (let i = 0; i < 6; i += 1) expect(await ask(late)).toMatchObject({ member: home, isLost: false });
  const forged = await verdicts(evenkeel, 'forged');
  await browsers[0]!.get(evenkeel.httpPort);
  expect(await verdicts(evenkeel, 'forged')).toBe(forged + 1);
});

test('when the Secret goes away, the last keys stay, and the problem is told', async () => {
  await using applications = await startApplications('abc', set({ 'Set-Cookie': 'sid=v' }));
  using file = new Configuration(fileOf(applications, signed(), ONE));
  await using evenkeel = await serve(file);
  const own = setCookies(await get(evenkeel.httpPort))[0]!;
  const seen = evenkeel.log.length;
  file.write(sticky(applications, signed()));
  const told = await evenkeel.waitForLog(({ msg }) => msg === 'problem found', 10_000, seen);
  expect(JSON.stringify(told)).toContain('no Secret');
  expect(await answersOf(evenkeel, own)).toBe(1);
  expect(setCookies(await get(evenkeel.httpPort))[0]).toMatch(/^sid=v\.s[a-z0-9]{53}$/);
  // Nothing that was written tells a key.
  expect(evenkeel.written).not.toContain(ONE);
});
