// A lane that dies: it is back within a second, its counts are kept and its busy is given back, and the other lanes
// notice nothing. Lane 0 is killed by the test hook, as if by an uncaught exception.
import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { type EvenkeelProcess, startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get, SteadyLoad } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { type NamedMember, startMembers } from './named-member.ts';
import { expectIdle, Scrape } from './scrape.ts';

const hooks = { EVENKEEL_TEST_HOOKS: 'on' };

/** Kills lane 0; resolves with the milliseconds until it listened again. */
async function killLane(evenkeel: EvenkeelProcess): Promise<number> {
  const seen = evenkeel.log.length;
  const startMs = performance.now();
  evenkeel.signal('SIGUSR2');
  await evenkeel.waitForLog(({ msg }) => msg === 'lane died', 10_000, seen);
  await evenkeel.waitForLog(({ msg, lane }) => msg === 'lane is listening' && lane === 0, 10_000, seen);
  return performance.now() - startMs;
}

function expectNoneFell(before: Scrape, after: Scrape): void {
  const fell = [...before.counters].filter(([series, value]) => !((after.series.get(series) ?? -1) >= value));
  expect(fell).toEqual([]);
}

interface HeldRequest {
  readonly agent: Agent;
  readonly outcome: Promise<string>;
  isOpen: boolean;
}

/** So many requests over as many connections, all of them under way at the member. */
async function holdRequests(port: number, member: NamedMember, count: number): Promise<readonly HeldRequest[]> {
  member.isHolding = true;
  const already = member.held;
  const held = Array.from({ length: count }, (): HeldRequest => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const request: HeldRequest = { agent, isOpen: true, outcome: outcomeOf(get(port, { agent })) };
    void request.outcome.then(() => {
      request.isOpen = false;
    });
    return request;
  });
  await eventually(() => expect(member.held).toBe(already + count));
  return held;
}

async function outcomeOf(answer: ReturnType<typeof get>): Promise<string> {
  try {
    const { status, body } = await answer;
    return `${status} ${body}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('busy is given back, no counter falls, and what other lanes have under way is not touched', async () => {
  await using members = await startMembers('a');
  const a = members[0]!;
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2'], hooks);
  const { adminPort, httpPort } = evenkeel;
  for (let i = 0; i < 20; i += 1) expect((await get(httpPort)).status).toBe(200);

  // The system spreads connections; more are opened until each lane has some.
  const held: HeldRequest[] = [];
  await eventually(async () => {
    held.push(...(await holdRequests(httpPort, a, 8)));
    const metrics = await Scrape.of(adminPort);
    for (const lane of ['0', '1']) expect(metrics.sum('evenkeel_lane_connections', { lane })).toBeGreaterThan(1);
  });
  const before = await Scrape.of(adminPort);
  expect(before.sum('evenkeel_member_busy')).toBe(held.length);
  const onLane0 = before.sum('evenkeel_lane_connections', { lane: '0' });

  await killLane(evenkeel);
  await eventually(() => expect(held.filter(({ isOpen }) => isOpen).length).toBe(held.length - onLane0));
  const after = await Scrape.of(adminPort);
  expectNoneFell(before, after);
  expect(after.sum('evenkeel_member_busy')).toBe(held.length - onLane0);
  expect(after.sum('evenkeel_lane_restarts_total')).toBe(1);

  a.release();
  const outcomes = await Promise.all(held.map(({ outcome }) => outcome));
  expect(outcomes.filter((outcome) => outcome === '200 a').length).toBe(held.length - onLane0);
  // Connections that survived serve on.
  const survivors = held.filter((_, index) => outcomes[index] === '200 a');
  for (const { agent } of survivors) expect(await outcomeOf(get(httpPort, { agent }))).toBe('200 a');
  await expectIdle(adminPort);
  expectNoneFell(after, await Scrape.of(adminPort));
  for (const { agent } of held) agent.destroy();
});

test.each(['0', '1', '2'])('a lane is back within a second, and serves (--lanes %s)', async (lanes) => {
  await using members = await startMembers('a', 'b');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', lanes], hooks);
  if (lanes === '0') {
    // There the lane is the process: the hook ends it, with the reason in the log.
    evenkeel.signal('SIGUSR2');
    expect(await evenkeel.ended).toMatchObject({ code: 1, stdout: expect.stringContaining('uncaught exception') });
    return;
  }
  // The best of three: a machine that stands still for a moment does not tell how long a lane takes.
  const tookMs = [await killLane(evenkeel), await killLane(evenkeel), await killLane(evenkeel)];
  expect(Math.min(...tookMs)).toBeLessThan(1_000);
  await eventually(async () => expect((await get(evenkeel.adminPort, { path: '/readyz' })).status).toBe(200));
  for (let i = 0; i < 20; i += 1) expect((await get(evenkeel.httpPort)).status).toBe(200);
});

test('under load: only what the dead lane had under way is lost', async () => {
  await using members = await startMembers('a', 'b');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2'], hooks);
  await using load = new SteadyLoad(evenkeel.httpPort, 200);
  for (let death = 0; death < 2; death += 1) {
    load.restart();
    await eventually(() => expect(load.answered).toBeGreaterThan(100));
    const before = await Scrape.of(evenkeel.adminPort);
    const lostBefore = load.failures.length;
    await killLane(evenkeel);
    // Everything that was sent while the lane was down has come to its end.
    await load.settled();
    expectNoneFell(before, await Scrape.of(evenkeel.adminPort));
    // A connection that is cut is at most one request; 32 of them are open at most.
    expect(load.failures.length - lostBefore).toBeLessThanOrEqual(32);
    for (const failure of load.failures) expect(failure).toMatch(/ECONNRESET|socket hang up/);
  }
  const { length } = load.failures;
  load.restart();
  await eventually(() => expect(load.answered).toBeGreaterThan(100));
  expect(load.failures.slice(length)).toEqual([]);
  await load.stop();
  await expectIdle(evenkeel.adminPort);
});
