// Two replicas that know nothing of each other, and users whose requests go to either.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { Configuration } from '../product/configuration.ts';
import { type Application, inMemorySessions, startApplications } from './application.ts';
import { Crowd } from './crowd.ts';
import { podFile } from './pod-file.ts';
import { edit, serve, sticky } from './sticky-file.ts';

const session = { cookie: 'sid', strategy: 'Suffix' };
/** How much later one of them learns of a pod. */
const LAG_MS = 2_000;

test('both agree on every session while members come, drain and go', { timeout: 120_000 }, async () => {
  await using applications = await startApplications('abcd', inMemorySessions('sid'));
  const [a, b, c, d] = [...applications] as [Application, Application, Application, Application];
  using file = new Configuration(sticky([a, b, c], session));
  await using one = await serve(file, 1);
  await using two = await serve(file, 2);
  await using crowd = new Crowd(60, { ports: [one.httpPort, two.httpPort], thinkMs: 100, fickleEach: 2 });
  await crowd.requestsOfAll(3);
  await edit(file, sticky([d, c, b, a], session), one, two);
  await crowd.requestsOfAll(6);
  // While one knew of the new member and the other did not, requests may have gone elsewhere; never afterwards.
  const { strays } = crowd;
  await edit(file, sticky([d, c, b, a], session, { a: { state: 'Draining' }, d: { loadFactor: 3 } }), one, two);
  await crowd.requestsOfAll(6);
  expect(crowd.losses).toEqual([]);
  await edit(file, sticky([b, c, d], session), one, two);
  await crowd.requestsOfAll(3);
  // Whoever was on the member that is gone has lost one session, not one with each of the two.
  expect(crowd.losses.length).toBeGreaterThan(0);
  expect(crowd.losses.filter(({ before }) => before.member !== 'a')).toEqual([]);
  expect(new Set(crowd.losses.map(({ before }) => before.id)).size).toBe(crowd.losses.length);
  await crowd.leave();
  expect(crowd.failures).toEqual([]);
  expect(crowd.strays).toBe(strays);
});

test('one that learns of a pod two seconds later loses no session that the other has put there', {
  timeout: 120_000,
}, async () => {
  await using pods = await startApplications('ab', inMemorySessions('sid'));
  await using more = await startApplications('cd', pods[0]!.respond);
  using early = new Configuration(podFile({ pods, stickySession: session }));
  using late = new Configuration(podFile({ pods, stickySession: session }));
  await using first = await serve(early);
  await using second = await serve(late);
  await using crowd = new Crowd(60, { ports: [first.httpPort, second.httpPort], thinkMs: 100, fickleEach: 2 });
  await crowd.requestsOfAll(2);
  const now: Application[] = [...pods];
  for (const pod of more) {
    now.push(pod);
    const text = podFile({ pods: now, stickySession: session });
    await edit(early, text, first);
    const knownMs = performance.now();
    // So late, and not much later than the first session there: for ten seconds a session is young.
    await eventually(() => {
      expect(crowd.users.some(({ home }) => home === pod.name)).toBe(true);
      expect(performance.now() - knownMs).toBeGreaterThan(LAG_MS);
    }, 30_000);
    await edit(late, text, second);
    await crowd.requestsOfAll(4);
    expect(crowd.losses).toEqual([]);
    expect(crowd.failures).toEqual([]);
  }
  // From here on the late one knows all there is.
  const { strays } = crowd;
  await crowd.requestsOfAll(4);
  expect(crowd.strays).toBe(strays);
  await crowd.leave();
  expect(crowd.failures).toEqual([]);
});
