// Strategy Route: applications that write `id.route` themselves, as they do behind httpd.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { type GetOptions, get } from '../product/client.ts';
import { Configuration } from '../product/configuration.ts';
import { Scrape } from '../product/scrape.ts';
import { set, startApplications } from './application.ts';
import { edit, serve, sticky } from './sticky-file.ts';

const session = { cookie: 'JSESSIONID', urlParameter: 'jsessionid' };

async function bodies(port: number, count: number, options: GetOptions = {}): Promise<string> {
  let all = '';
  for (let i = 0; i < count; i += 1) {
    const { status, body } = await get(port, options);
    all += status === 200 ? body : `(${status})`;
  }
  return all;
}

const withCookie = (route: string): GetOptions => ({ headers: { cookie: `x=1; JSESSIONID=0AF3.${route}` } });
const usedBy = (answers: string): string => [...new Set(answers)].sort().join('');

test('a route in cookie, path or query leads to its member, which gets the request untouched', async () => {
  await using applications = await startApplications('abc', set({ 'Set-Cookie': 'JSESSIONID=0AF3.b; Path=/' }));
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  for (const application of applications) {
    const route = application.name;
    const asked: readonly GetOptions[] = [
      withCookie(route),
      { path: `/shop;jsessionid=0AF3.${route}?q=1` },
      { path: `/shop?q=1&jsessionid=0AF3.${route}` },
      // The path before the query, and both before the cookie.
      { path: `/;jsessionid=1.${route}?jsessionid=1.x`, headers: { cookie: 'JSESSIONID=1.y' } },
    ];
    for (const options of asked) {
      expect(await bodies(evenkeel.httpPort, 6, options)).toBe(route.repeat(6));
      expect(application.seen.at(-1)!.target).toBe(options.path ?? '/');
      expect(application.lastLines('cookie')).toEqual(options.headers === undefined ? [] : [options.headers.cookie]);
    }
  }
  const answer = await get(evenkeel.httpPort);
  expect(answer.headers['set-cookie']).toEqual(['JSESSIONID=0AF3.b; Path=/']);
});

test('a route that no member has leaves the choice to the method, under Reject too', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, { ...session, onMemberDown: 'Reject' }));
  await using evenkeel = await serve(file, 1);
  expect(await bodies(evenkeel.httpPort, 6, withCookie('gone'))).toBe('abcabc');
  expect(await bodies(evenkeel.httpPort, 6, { headers: { cookie: 'JSESSIONID=without-a-route' } })).toBe('abcabc');
});

test('redirect: the sessions of a member that is out of use go to the one it names', async () => {
  await using applications = await startApplications('abc');
  const [a] = applications;
  using file = new Configuration(sticky(applications, session, { a: { redirect: 'c' } }));
  await using evenkeel = await serve(file);
  expect(await bodies(evenkeel.httpPort, 6, withCookie('a'))).toBe('aaaaaa');
  a!.kill();
  // The one that finds it dead goes wherever it can.
  expect((await get(evenkeel.httpPort, withCookie('a'))).status).toBe(200);
  await eventually(async () =>
    expect((await Scrape.of(evenkeel.adminPort)).sum('evenkeel_member_in_error', { member: a!.url })).toBe(1),
  );
  expect(await bodies(evenkeel.httpPort, 6, withCookie('a'))).toBe('cccccc');
  await edit(file, sticky(applications, session, { a: { redirect: 'b', state: 'Disabled' } }), evenkeel);
  expect(await bodies(evenkeel.httpPort, 6, withCookie('a'))).toBe('bbbbbb');
});

test('Reject: sessions of a member that is out of use are answered with 503, others served', async () => {
  await using applications = await startApplications('abc');
  const reject = { ...session, onMemberDown: 'Reject' };
  using file = new Configuration(sticky(applications, reject, { b: { state: 'Disabled' } }));
  await using evenkeel = await serve(file);
  expect(await bodies(evenkeel.httpPort, 3, withCookie('b'))).toBe('(503)(503)(503)');
  applications[0]!.kill();
  // Also the one that finds it dead.
  expect(await bodies(evenkeel.httpPort, 3, withCookie('a'))).toBe('(503)(503)(503)');
  expect(await bodies(evenkeel.httpPort, 3, withCookie('c'))).toBe('ccc');
  expect(await bodies(evenkeel.httpPort, 3)).toBe('ccc');
  expect(applications[1]!.seen).toEqual([]);
  await edit(file, sticky(applications, { ...reject, rejectStatus: 410 }, { b: { state: 'Disabled' } }), evenkeel);
  expect(await bodies(evenkeel.httpPort, 1, withCookie('b'))).toBe('(410)');
});

test('a draining member keeps its sessions and gets no new ones', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  expect(usedBy(await bodies(evenkeel.httpPort, 12))).toBe('abc');
  await edit(file, sticky(applications, session, { a: { state: 'Draining' } }), evenkeel);
  expect(usedBy(await bodies(evenkeel.httpPort, 30))).toBe('bc');
  expect(await bodies(evenkeel.httpPort, 12, withCookie('a'))).toBe('a'.repeat(12));
});

test('Redispatch: sessions of a member that is switched off are taken by others, and come back with it', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, session));
  await using evenkeel = await serve(file);
  for (const state of ['Disabled', 'Stopped']) {
    await edit(file, sticky(applications, session, { a: { state } }), evenkeel);
    expect(usedBy(await bodies(evenkeel.httpPort, 12, withCookie('a')))).toBe('bc');
  }
  await edit(file, sticky(applications, session), evenkeel);
  expect(await bodies(evenkeel.httpPort, 6, withCookie('a'))).toBe('aaaaaa');
});

test('without a separator the whole value is the route', async () => {
  await using applications = await startApplications('abc');
  using file = new Configuration(sticky(applications, { cookie: 'NODE', separator: '' }));
  await using evenkeel = await serve(file);
  expect(await bodies(evenkeel.httpPort, 6, { headers: { cookie: 'NODE=c' } })).toBe('cccccc');
});
