// Strategy Insert: the proxy sets a cookie of its own.
import { expect, test } from 'vitest';
import { get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { type AnswerLines, sayName, set, startApplications } from './application.ts';
import { Browser, setCookies } from './browser.ts';
import { edit, type Fields, serve, sticky } from './sticky-file.ts';

const session = { cookie: 'LB', strategy: 'Insert' };

test.each<[Fields, string]>([
  [{}, '; Path=/; HttpOnly; SameSite=Lax'],
  [
    { path: '/shop', domain: 'shop.example', sameSite: 'Strict', httpOnly: false, maxAge: '8h' },
    '; Path=/shop; Domain=shop.example; Max-Age=28800; SameSite=Strict',
  ],
  [{ secure: 'Always', sameSite: 'None', partitioned: true }, '; Path=/; Secure; HttpOnly; SameSite=None; Partitioned'],
  // Browsers refuse both without Secure, and this client did not come by HTTPS.
  [{ sameSite: 'None', partitioned: true }, '; Path=/; HttpOnly'],
  [{ secure: 'Never', sameSite: 'Lax' }, '; Path=/; HttpOnly; SameSite=Lax'],
])('the cookie has exactly the attributes of %j', async (attributes, text) => {
  await using applications = await startApplications('ab', set({ 'Set-Cookie': 'own=1' }));
  using file = new Configuration(sticky(applications, { ...session, attributes }));
  await using evenkeel = await serve(file, 1);
  const [own, inserted, ...rest] = setCookies(await get(evenkeel.httpPort));
  expect(own).toBe('own=1');
  expect(inserted).toMatch(/^LB=[ab]\.[a-z0-9]{34}; /);
  expect(inserted!.slice(inserted!.indexOf(';'))).toBe(text);
  expect(rest).toEqual([]);
});

test('it is set once, hidden from the member, and set again only when the member has changed', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  using browser = new Browser();
  browser.cookies.set('first', '"1.x"');
  const { body } = await browser.get(evenkeel.httpPort);
  const inserted = browser.cookies.get('LB');
  expect(inserted).toBeDefined();
  browser.cookies.set('last', 's%3Aa.b');
  const home = applications.find(({ name }) => name === body)!;
  for (let i = 0; i < 12; i += 1) {
    const answer = await browser.get(evenkeel.httpPort);
    expect(answer.body).toBe(body);
    expect(setCookies(answer)).toEqual([]);
    expect(answer.headers['cache-control']).toBeUndefined();
    expect(home.lastLines('cookie')).toEqual(['first="1.x"; last=s%3Aa.b']);
  }
  expect((await get(evenkeel.httpPort, { headers: { cookie: `LB=${inserted}` } })).body).toBe(body);
  expect(home.lastLines('cookie')).toEqual([]);

  await edit(file, sticky(applications, session, { [body]: { state: 'Disabled' } }), evenkeel);
  const moved = await browser.get(evenkeel.httpPort);
  expect(moved.body).not.toBe(body);
  expect(setCookies(moved)).toHaveLength(1);
  for (let i = 0; i < 6; i += 1) {
    const answer = await browser.get(evenkeel.httpPort);
    expect(answer.body).toBe(moved.body);
    expect(setCookies(answer)).toEqual([]);
  }
});

test('a draining member keeps the browsers that it has', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  using browser = new Browser();
  const { body } = await browser.get(evenkeel.httpPort);
  await edit(file, sticky(applications, session, { [body]: { state: 'Draining' } }), evenkeel);
  for (let i = 0; i < 9; i += 1) {
    expect((await browser.get(evenkeel.httpPort)).body).toBe(body);
    expect((await get(evenkeel.httpPort)).body).not.toBe(body);
  }
});

test.each<[AnswerLines, Fields, string | undefined]>([
  [{}, {}, 'private'],
  [{ 'Cache-Control': 'public, max-age=60' }, {}, 'public, max-age=60, private'],
  [{ 'Cache-Control': 'max-age=0, Private' }, {}, 'max-age=0, Private'],
  [{ 'Cache-Control': 'no-store' }, {}, 'no-store'],
  [{}, { cacheControl: 'Unchanged' }, undefined],
])('an answer with the cookie and %j, %j says %s to shared caches', async (lines, fields, said) => {
  await using applications = await startApplications('ab', set(lines));
  using file = new Configuration(sticky(applications, { ...session, ...fields }));
  await using evenkeel = await serve(file, 1);
  using browser = new Browser();
  expect((await browser.get(evenkeel.httpPort)).headers['cache-control']).toBe(said);
  expect((await browser.get(evenkeel.httpPort)).headers['cache-control']).toBe(lines['Cache-Control']);
});

// ingress-nginx test/e2e/annotations/affinity.go, "should change cookie name on ingress definition change".
test('another name is in force without a restart, and without stickySession nothing is set', async () => {
  await using applications = await startApplications('ab', sayName);
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  expect(setCookies(await get(evenkeel.httpPort))[0]).toMatch(/^LB=/);
  await edit(file, sticky(applications, { ...session, cookie: 'OTHER' }), evenkeel);
  expect(setCookies(await get(evenkeel.httpPort))[0]).toMatch(/^OTHER=/);
  await edit(file, sticky(applications, session).replace(/ {2}stickySession:[\s\S]*/, ''), evenkeel);
  expect(setCookies(await get(evenkeel.httpPort))).toEqual([]);
});

// Traefik pkg/server/service/loadbalancer/wrr TestSticky_Fallback: a raw value is taken, and replaced.
test('a bare route of a member is taken, and replaced by one of ours', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  for (const cookie of ['LB=b', 'LB=.b']) {
    for (let i = 0; i < 3; i += 1) {
      const answer = await get(evenkeel.httpPort, { headers: { cookie } });
      expect(answer.body).toBe('b');
      expect(setCookies(answer)[0]).toMatch(/^LB=b\.[a-z0-9]{34};/);
    }
  }
});
