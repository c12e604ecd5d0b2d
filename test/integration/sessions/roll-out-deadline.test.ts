// A deployment that does not wait for ever, under 500 users: each old member keeps its sessions up to its drain deadline, and
// then whoever was there gets one new session elsewhere.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { Configuration } from '../product/configuration.ts';
import { inMemorySessions, startApplications } from './application.ts';
import { Crowd } from './crowd.ts';
import { podFile } from './pod-file.ts';
import { edit, serve } from './sticky-file.ts';

const CLIENTS = 500;
const THINK_MS = 700;
const DRAIN_MS = 2_500;
/** How late a deadline may be noticed on a busy machine. Milliseconds. */
const PATIENCE_MS = 30_000;

test('five pods end in turn: no session is lost before its deadline, and exactly one per user at it', {
  timeout: 240_000,
}, async () => {
  const respond = inMemorySessions('sid');
  await using first = await startApplications('abcde', respond);
  await using later = await startApplications('fghij', respond);
  const pods = new Map(first.map((pod) => [pod.name, pod]));
  const terminating = new Set<string>();
  const textNow = (): string =>
    podFile({
      pods: [...pods.values()],
      stickySession: { cookie: 'sid', strategy: 'Suffix' },
      terminating,
      spec: { drain: { timeout: `${DRAIN_MS}ms` } },
    });
  using file = new Configuration(textNow());
  await using evenkeel = await serve(file);
  await using crowd = new Crowd(CLIENTS, { ports: [evenkeel.httpPort], thinkMs: THINK_MS });
  await crowd.requestsOfAll(2);
  let lostBefore = 0;
  for (const [at, old] of first.entries()) {
    const successor = later[at]!;
    pods.set(successor.name, successor);
    terminating.add(old.name);
    const affected = crowd.users.filter(({ home }) => home === old.name);
    expect(affected.length).toBeGreaterThan(0);
    // No drain can have begun before this.
    const beganMs = performance.now();
    await edit(file, textNow(), evenkeel);
    await eventually(
      () => expect(crowd.losses.length).toBeGreaterThanOrEqual(lostBefore + affected.length),
      DRAIN_MS + PATIENCE_MS,
    );
    // Nobody comes back, and nobody moves on.
    await crowd.requestsOfAll(1);
    const lost = crowd.losses.slice(lostBefore);
    expect(lost.length).toBe(affected.length);
    for (const user of affected) expect(user.losses.filter(({ before }) => before.member === old.name)).toHaveLength(1);
    for (const { before, after, atMs } of lost) {
      expect(before.member).toBe(old.name);
      expect(terminating.has(after.member)).toBe(false);
      expect(atMs - beganMs).toBeGreaterThanOrEqual(DRAIN_MS);
    }
    expect(crowd.failures).toEqual([]);
    lostBefore += lost.length;

    // The pod may go now: nobody is there.
    const requests = old.seen.length;
    pods.delete(old.name);
    terminating.delete(old.name);
    await edit(file, textNow(), evenkeel);
    old.kill();
    expect(old.seen.length).toBe(requests);
  }
  await crowd.requestsOfAll(1);
  await crowd.leave();
  expect(crowd.failures).toEqual([]);
  expect(crowd.losses.length).toBe(lostBefore);
  expect(crowd.strays).toBe(0);
});
