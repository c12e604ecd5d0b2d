// Strategy Suffix: any application with a session cookie or header of its own.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import type { EvenkeelProcess } from '../../helpers/evenkeel-process.ts';
import { connectRaw } from '../../helpers/raw-client.ts';
import { type Answer, get, getInTurn } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { Scrape } from '../product/scrape.ts';
import { type Application, inMemorySessions, type SessionReport, set, startApplications } from './application.ts';
import { Browser, setCookies } from './browser.ts';
import { edit, serve, sticky } from './sticky-file.ts';

const session = { cookie: 'sid', strategy: 'Suffix' };
/** What stands behind the application's value. */
const SUFFIX = /\.[a-z0-9]{34}/;

const reportOf = ({ body }: Answer): SessionReport => JSON.parse(body) as SessionReport;

/** So many browsers, each of which has got a session. */
async function withSessions(port: number, count: number): Promise<readonly (Browser & { home: string })[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const browser = new Browser();
      const { member } = reportOf(await browser.get(port));
      return Object.assign(browser, { home: member });
    }),
  );
}

test.each([
  ['as express-session', 's%3AabcDEF_-12.k/9+z', ''],
  ['unencoded', 's:abc.def', ''],
  ['a JWT', 'eyJhbGciOi.eyJzdWIiOi.SflKxw', ''],
  ['in quotes', 'a b.c', '"'],
  ['like one of ours', `x.u${'a'.repeat(33)}`, ''],
])(
  'the client gets the value with a suffix, the application sees its own byte for byte: %s',
  async (_, value, quote) => {
    const attributes = '; Path=/; expires=Wed, 01 Jan 2110 00:00:00 GMT;HttpOnly ;  SameSite=Lax';
    const lines = ['theme=dark.blue; Path=/', `sid=${quote}${value}${quote}${attributes}`, 'sidecar=x'];
    await using applications = await startApplications('ab', set({ 'Set-Cookie': lines }));
    using file = new Configuration(sticky(applications, session));
    await using evenkeel = await serve(file);
    const first = await get(evenkeel.httpPort);
    const [theme, sid, sidecar] = setCookies(first);
    expect([theme, sidecar]).toEqual([lines[0], lines[2]]);
    const suffix = SUFFIX.exec(sid!.slice(4 + quote.length + value.length))![0];
    expect(sid).toBe(`sid=${quote}${value}${suffix}${quote}${attributes}`);
    // Among others, some of them alike, in two lines, in a Referer's shadow.
    const client = await connectRaw(evenkeel.httpPort);
    for (let i = 0; i < 4; i += 1) {
      client.send(
        `GET / HTTP/1.1\r\nHost: x\r\nCookie: a=1;sid=${quote}${value}${suffix}${quote} ;xsid=b.c; sid=other.one\r\n` +
          `cOOkie: "sid=q";  sid=${quote}${value}${suffix}${quote}\r\n\r\n`,
      );
      const { body } = await client.takeMessage();
      expect(body).toBe(first.body);
      const home = applications.find(({ name }) => name === first.body)!;
      expect(home.lastLines('cookie')).toEqual([
        `a=1;sid=${quote}${value}${quote} ;xsid=b.c; sid=other.one`,
        `"sid=q";  sid=${quote}${value}${quote}`,
      ]);
    }
    client.destroy();
  },
);

test.each(['__Host-sid', '__Secure-sid'])('%s keeps its prefix, and its deletion stays as it is', async (cookie) => {
  const lines = { 'Set-Cookie': `${cookie}=v.1; Path=/; Secure` };
  await using applications = await startApplications('ab', set(lines));
  using file = new Configuration(sticky(applications, { cookie, strategy: 'Suffix' }));
  await using evenkeel = await serve(file);
  using browser = new Browser();
  const { body } = await browser.get(evenkeel.httpPort);
  const kept = browser.cookies.get(cookie)!;
  expect(kept).toMatch(new RegExp(`^v\\.1${SUFFIX.source}$`));
  for (let i = 0; i < 4; i += 1) expect((await browser.get(evenkeel.httpPort)).body).toBe(body);
  const deletion = `${cookie}=gone; Path=/; Secure; Max-Age=0`;
  for (const application of applications) application.respond = set({ 'Set-Cookie': deletion });
  expect(setCookies(await browser.get(evenkeel.httpPort))).toEqual([deletion]);
  expect((await browser.get(evenkeel.httpPort)).status).toBe(200);
});

test('a cookie never grows past what browsers keep', async () => {
  const value = 'v'.repeat(4_080);
  await using applications = await startApplications('ab', set({ 'Set-Cookie': `sid=${value}` }));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  expect(setCookies(await get(evenkeel.httpPort))).toEqual([`sid=${value}`]);
  await eventually(async () => {
    const scrape = await Scrape.of(evenkeel.adminPort);
    expect(scrape.sum('evenkeel_session_cookies_oversized_total')).toBe(1);
  });
});

test('a session stays on its member over 50 requests, whatever others do', async () => {
  await using applications = await startApplications('abcde', inMemorySessions('sid'));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  const browsers = await withSessions(evenkeel.httpPort, 5);
  for (let round = 0; round < 50; round += 1) {
    const [answers] = await Promise.all([
      Promise.all(browsers.map((browser) => browser.get(evenkeel.httpPort))),
      getInTurn(evenkeel.httpPort, round % 4),
    ]);
    for (const [index, answer] of answers.entries()) {
      expect(reportOf(answer)).toMatchObject({ member: browsers[index]!.home, count: round + 2, isLost: false });
    }
  }
  expect(new Set(browsers.map(({ home }) => home)).size).toBeGreaterThan(2);
});

test('the session is found in URLs, goes to the member without its suffix, and comes back in redirects', async () => {
  const urls = { Location: '/next;jsessionid=1F.x?a=1#f', 'Content-Location': 'http://other.example/;jsessionid=1F.x' };
  await using applications = await startApplications('abc', set(urls));
  using file = new Configuration(sticky(applications, { urlParameter: 'jsessionid', strategy: 'Suffix' }));
  await using evenkeel = await serve(file);
  const { headers, body } = await get(evenkeel.httpPort);
  expect(headers['content-location']).toBe(urls['Content-Location']);
  const location = String(headers.location);
  const suffix = SUFFIX.exec(location)![0];
  expect(location).toBe(`/next;jsessionid=1F.x${suffix}?a=1#f`);
  const home = applications.find(({ name }) => name === body)!;
  for (const path of [`/next;jsessionid=1F.x${suffix}?a=1`, `/next?a=1&jsessionid=1F.x${suffix}`]) {
    const referer = `http://shop.example/;jsessionid=1F.x${suffix}`;
    for (let i = 0; i < 6; i += 1) {
      expect((await get(evenkeel.httpPort, { path, headers: { referer } })).body).toBe(body);
      expect(home.seen.at(-1)!.target).toBe(path.replace(suffix, ''));
      expect(home.lastLines('referer')).toEqual(['http://shop.example/;jsessionid=1F.x']);
    }
  }
});

test('sessions outlive a restart, and another process knows them too: there is no table', async () => {
  await using applications = await startApplications('abcde', inMemorySessions('sid'));
  using file = new Configuration(sticky(applications, session));
  const before = await serve(file);
  const browsers = await withSessions(before.httpPort, 20);
  await before.stop();
  await using restarted = await serve(file);
  await using beside = await serve(file);
  for (const browser of browsers) {
    for (const { httpPort } of [restarted, beside]) {
      const answer = await browser.get(httpPort);
      expect(reportOf(answer)).toMatchObject({ member: browser.home, isLost: false });
      expect(setCookies(answer)).toEqual([]);
    }
  }
});

test('when a member is gone, every lane and every process sends a session of it to the same other one', async () => {
  // The application knows every session: they are in a store that all members share.
  await using applications = await startApplications('abcde', set({}));
  for (const { name } of applications) {
    let count = 0;
    applications.find((each) => each.name === name)!.respond = () => {
      count += 1;
      return { lines: { 'Set-Cookie': `sid=${name}${count}` }, body: name };
    };
  }
  using file = new Configuration(sticky(applications, session));
  await using one = await serve(file, 2);
  await using two = await serve(file, 2);
  const sessions: { readonly cookie: string; readonly home: string }[] = [];
  for (let i = 0; i < 120; i += 1) {
    const answer = await get(one.httpPort);
    sessions.push({ cookie: setCookies(answer)[0]!, home: answer.body });
  }
  for (const application of applications) application.respond = (_, { name }) => ({ lines: {}, body: name });
  const left = applications.filter(({ name }) => name !== 'b');
  await edit(file, sticky(left, session), one, two);
  const heirs = new Set<string>();
  for (const { cookie, home } of sessions) {
    const answers = await answersOf(cookie, one, two);
    expect(answers).toHaveLength(1);
    if (home === 'b') heirs.add(answers[0]!);
    else expect(answers).toEqual([home]);
  }
  expect(heirs.size).toBeGreaterThan(2);
  // Likewise for one that is still there but cannot be used; but one that drains inherits nothing.
  await edit(file, sticky(left, session, { a: { state: 'Disabled' }, c: { state: 'Draining' } }), one, two);
  for (const { cookie, home } of sessions) {
    const answers = await answersOf(cookie, one, two);
    expect(answers).toHaveLength(1);
    if (home === 'a' || home === 'b') expect('de').toContain(answers[0]);
    else expect(answers).toEqual([home]);
  }
});

/** Who answers this session, asked often enough to reach every lane of each process. */
async function answersOf(cookie: string, ...processes: readonly EvenkeelProcess[]): Promise<readonly string[]> {
  const asked = processes.flatMap(({ httpPort }) =>
    Array.from({ length: 6 }, () => get(httpPort, { headers: { cookie } })),
  );
  return [...new Set((await Promise.all(asked)).map(({ body }) => body))];
}

test('an application that lost its session sets a new one, and that has the new member behind it', async () => {
  await using applications = await startApplications('abc', inMemorySessions('sid'));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  const browsers = await withSessions(evenkeel.httpPort, 12);
  await edit(file, sticky(applications.slice(1), session), evenkeel);
  for (const browser of browsers) {
    const first = reportOf(await browser.get(evenkeel.httpPort));
    expect(first.isLost).toBe(browser.home === 'a');
    for (let i = 0; i < 4; i += 1) {
      expect(reportOf(await browser.get(evenkeel.httpPort))).toMatchObject({ member: first.member, isLost: false });
    }
  }
  expect(browsers.filter(({ home }) => home === 'a').length).toBeGreaterThan(0);
});

test('Mcp-Session-Id: the session is in a header, and 404 tells the client that it is over', async () => {
  const mcp = { header: 'Mcp-Session-Id', strategy: 'Suffix', onMemberDown: 'Reject', rejectStatus: 404 };
  await using applications = await startApplications('abc');
  for (const application of applications) {
    application.respond = ({ headers }, { name }) =>
      headers['mcp-session-id'] === undefined
        ? { lines: { 'Mcp-Session-Id': `of-${name}` }, body: name }
        : { lines: {}, body: name };
  }
  using file = new Configuration(sticky(applications, mcp));
  await using evenkeel = await serve(file);
  const { httpPort } = evenkeel;
  const ask = (id: string): Promise<Answer> => get(httpPort, { headers: { 'mcp-session-id': id } });
  const ids = new Map<string, string>();
  while (ids.size < 3) {
    const { headers, body } = await get(httpPort);
    ids.set(body, String(headers['mcp-session-id']));
  }
  for (const [name, id] of ids) {
    expect(id).toMatch(new RegExp(`^of-${name}${SUFFIX.source}$`));
    for (let i = 0; i < 6; i += 1) expect((await ask(id)).body).toBe(name);
    expect(named(applications, name).lastLines('mcp-session-id')).toEqual([`of-${name}`]);
  }
  await edit(file, sticky(applications.slice(1), mcp), evenkeel);
  applications[1]!.kill();
  for (const name of ['a', 'b']) {
    for (let i = 0; i < 3; i += 1) expect((await ask(ids.get(name)!)).status).toBe(404);
  }
  expect(await ask(ids.get('c')!)).toMatchObject({ status: 200, body: 'c' });
  // What is no session of ours the members must judge.
  expect((await ask('made-up')).status).toBe(200);
});

function named(applications: readonly Application[], name: string): Application {
  return applications.find((application) => application.name === name)!;
}

test('100 cookies of the name are fine, and the one that holds counts', async () => {
  await using applications = await startApplications('abc', set({ 'Set-Cookie': 'sid=v' }));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  const first = await get(evenkeel.httpPort);
  const mine = setCookies(first)[0]!;
  const others = Array.from({ length: 99 }, (_, index) => `sid=other.${index}`);
  const cookie = [...others.slice(0, 50), mine, ...others.slice(50)].join('; ');
  for (let i = 0; i < 6; i += 1) {
    expect((await get(evenkeel.httpPort, { headers: { cookie } })).body).toBe(first.body);
    const seen = named(applications, first.body).lastLines('cookie');
    expect(seen).toEqual([cookie.replace(mine, 'sid=v')]);
  }
});

test('a megabyte of cookies is refused, and harms nobody', async () => {
  await using applications = await startApplications('abc', inMemorySessions('sid'));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  using browser = new Browser();
  const { member } = reportOf(await browser.get(evenkeel.httpPort));
  const requests = applications.reduce((sum, { seen }) => sum + seen.length, 0);
  const flood = `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${'sid=a.b; '.repeat(120_000)}\r\n\r\n`;
  const attackers = await Promise.all(Array.from({ length: 8 }, () => connectRaw(evenkeel.httpPort)));
  for (const attacker of attackers) attacker.send(flood);
  for (let i = 0; i < 20; i += 1) {
    expect(reportOf(await browser.get(evenkeel.httpPort))).toMatchObject({ member, count: i + 2 });
  }
  for (const attacker of attackers) {
    expect(await attacker.take('\r\n')).toBe('HTTP/1.1 431 Request Header Fields Too Large\r\n');
    attacker.destroy();
  }
  expect(applications.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(requests + 20);
});
