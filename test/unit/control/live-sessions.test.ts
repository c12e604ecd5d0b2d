// Counts of live sessions: by pod, through the window's end, across lanes, after a halt; and the port that tells them.
import { afterEach, describe, expect, it } from 'vitest';
import { SessionSketch } from '../../../src/balancer/sessions/session-sketch.ts';
import { LiveSessions, type PodSessions } from '../../../src/control/live-sessions.ts';
import { createLiveSessionsServer, type LiveSessionsServer } from '../../../src/control/live-sessions-server.ts';
import { ControlScoreboard } from '../../../src/scoreboard/control-side.ts';
import { LaneScoreboard } from '../../../src/scoreboard/lane-side.ts';
import { allocateScoreboard } from '../../../src/scoreboard/layout.ts';
import type { PlacedBalancer } from '../../../src/snapshot/lane-protocol.ts';
import type { MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { ManualTime } from '../lib/manual-time.ts';
import { balancer, member } from './fixtures.ts';

const windowMs = 60_000;
const rows = 16;

function pod(name: string, changes: Partial<MemberUnit> = {}): MemberUnit {
  return member(`pod:${name}`, { name, pod: `shop/${name}`, ...changes });
}

/** A balancer with sessions; members have the rows from `firstRow` on. */
function placed(name: string, members: readonly MemberUnit[], firstRow: number): PlacedBalancer {
  const session = { strategy: 'Suffix' } as NonNullable<PlacedBalancer['unit']['session']>;
  const memberRows = members.map((_, index) => firstRow + index);
  return { unit: { ...balancer(name, members), session }, row: 1, memberRows };
}

function setUp(...published: readonly PlacedBalancer[]) {
  const time = new ManualTime();
  const buffers = allocateScoreboard(rows, 4, 2);
  const scoreboard = new ControlScoreboard(buffers);
  const state = { published, generation: 1 };
  const sessions = new LiveSessions({
    memory: { cells: scoreboard.sessionCells, tick: scoreboard.shared.sessionTick },
    busyTotal: scoreboard.shared.busyTotal,
    placed: () => state.published,
    generation: () => state.generation,
    windowMs,
    clock: time.clock,
    timers: time.timers,
  });
  const lanes = [0, 1].map((lane) => {
    const { sessionCells: cells, shared } = new LaneScoreboard(buffers, lane);
    return new SessionSketch({ cells, tick: shared.sessionTick });
  });
  sessions.start();
  return { time, scoreboard, state, sessions, lanes };
}

function see(lane: SessionSketch, row: number, name: string, count: number): void {
  for (let at = 0; at < count; at += 1) lane.observe(row, `${name}-${at}`);
}

describe('live sessions', () => {
  it('are counted over lanes to within 5 %, those that both have seen once', () => {
    const { sessions, lanes } = setUp(placed('app', [pod('a')], 1));
    see(lanes[0]!, 1, 'left', 600);
    see(lanes[1]!, 1, 'right', 400);
    see(lanes[1]!, 1, 'left', 600);
    expect(Math.abs(sessions.ofRow(1) / 1000 - 1)).toBeLessThan(0.05);
  });

  it('are over when nobody has used them for a window', () => {
    const { time, sessions, lanes } = setUp(placed('app', [pod('a')], 1));
    see(lanes[0]!, 1, 'x', 10);
    time.advance(windowMs / 2);
    lanes[0]!.observe(1, 'x-0');
    time.advance(windowMs / 2);
    expect(sessions.ofRow(1)).toBeGreaterThan(8);
    time.advance(windowMs / 60);
    expect(sessions.ofRow(1)).toBe(1);
    time.advance(windowMs / 2);
    expect(sessions.ofRow(1)).toBe(0);
  });

  it('do not come back however long nobody asks, and stay forgotten after a halt of the process', () => {
    const { time, sessions, lanes } = setUp(placed('app', [pod('a'), pod('b')], 1));
    see(lanes[0]!, 1, 'x', 100);
    for (let window = 0; window < 12; window += 1) {
      time.advance(windowMs);
      if (window > 0) expect(sessions.ofRow(1)).toBe(0);
    }
    see(lanes[0]!, 2, 'y', 100);
    // 255 ticks later the clock shows what it showed before; no timer runs meanwhile.
    sessions.stop();
    time.advance((windowMs / 60) * 255);
    sessions.start();
    time.advance(windowMs / 60);
    expect(sessions.ofRow(2)).toBe(0);
  });

  it('of a member that is not asked about are swept all the same, before its cells look new again', () => {
    const { time, scoreboard, lanes } = setUp(placed('app', [pod('a'), pod('b'), pod('c')], 1));
    for (const row of [1, 2, 3]) see(lanes[0]!, row, 'x', 100);
    time.advance((windowMs / 60) * 190);
    expect(scoreboard.sessionCells.some((cell) => cell !== 0)).toBe(false);
  });

  it('are nobody’s when a row goes to another member', () => {
    const { scoreboard, sessions, lanes } = setUp(placed('app', [pod('a'), pod('b')], 1));
    see(lanes[0]!, 1, 'x', 10);
    see(lanes[0]!, 2, 'x', 10);
    scoreboard.wipeMemberRow(1);
    expect([sessions.ofRow(1), sessions.ofRow(2)]).toEqual([0, 10]);
  });
});

describe('sessions of a pod', () => {
  it('are those of all balancers that have it, by its name or with its namespace', () => {
    const { sessions, lanes } = setUp(
      placed('app', [pod('a'), pod('b')], 1),
      placed('other', [pod('a'), pod('a', { identity: 'pod:2', name: 'a2', pod: 'stage/a' })], 3),
    );
    see(lanes[0]!, 1, 'x', 3);
    see(lanes[0]!, 2, 'x', 50);
    see(lanes[0]!, 3, 'x', 4);
    see(lanes[0]!, 4, 'x', 5);
    const count = (name: string): number | undefined => sessions.ofPod(name)?.sessions;
    expect(count('shop/a')).toBe(7);
    expect(count('stage/a')).toBe(5);
    expect(count('a')).toBe(12);
    expect(sessions.ofPod('z')).toBeNull();
    expect(sessions.ofPod('stage/b')).toBeNull();
  });

  it('are none when its drain is over, and at least the requests that are under way', () => {
    const { sessions, lanes, state, scoreboard } = setUp(placed('app', [pod('a', { state: 'Draining' })], 1));
    Atomics.store(scoreboard.shared.busyTotal, 1, 2);
    expect(sessions.ofPod('a')?.sessions).toBe(2);
    see(lanes[0]!, 1, 'x', 5);
    expect(sessions.ofPod('a')?.sessions).toBe(5);
    state.published = [placed('app', [pod('a', { state: 'Drained' })], 1)];
    state.generation += 1;
    expect(sessions.ofPod('a')?.sessions).toBe(0);
    state.published = [];
    state.generation += 1;
    expect(sessions.ofPod('a')).toBeNull();
  });

  it('say for how long they were looked for', () => {
    const { time, sessions } = setUp(placed('app', [pod('a')], 1));
    time.advance(12_500);
    expect(sessions.ofPod('a')).toEqual({ pod: 'a', sessions: 0, watchedSeconds: 12, windowSeconds: 60 });
    time.advance(windowMs);
    expect(sessions.ofPod('a')?.watchedSeconds).toBe(60);
  });
});

describe('the sessions port', () => {
  let server: LiveSessionsServer | null = null;
  afterEach(async () => {
    await server?.close();
    server = null;
  });

  async function fetchFrom(path: string, init: RequestInit = {}): Promise<Response> {
    const find = (name: string): PodSessions | null =>
      name === 'app-1' || name === 'shop/app-1'
        ? { pod: name, sessions: 7, watchedSeconds: 5, windowSeconds: 60 }
        : null;
    server = createLiveSessionsServer({ bind: '127.0.0.1', port: 0, find });
    return fetch(`http://127.0.0.1:${await server.listen()}${path}`, init);
  }

  it.each(['/sessions/app-1', '/sessions/app-1?format=json', '/sessions/app-1?x=1'])('%s: JSON', async (path) => {
    const answer = await fetchFrom(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({ pod: 'app-1', sessions: 7, watchedSeconds: 5, windowSeconds: 60 });
  });

  it.each([
    ['/sessions/app-1?format=text', {}],
    ['/sessions/shop/app-1?format=text', {}],
    ['/sessions/app-1', { accept: 'text/plain' }],
  ])('%s: the number alone', async (path, headers: Record<string, string>) => {
    const answer = await fetchFrom(path, { headers });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toBe('7\n');
  });

  it.each([
    '/',
    '/sessions',
    '/sessions/',
    '/sessions/app-2',
    '/sessions/a/b/c',
    '/sessions/%2e%2e',
    '/metrics',
    `/sessions/${'a'.repeat(300)}`,
  ])('%s: not found', async (path) => {
    expect((await fetchFrom(path)).status).toBe(404);
  });

  it.each(['POST', 'HEAD', 'PUT', 'DELETE'])('takes no %s', async (method) => {
    const answer = await fetchFrom('/sessions/app-1', { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
  });
});
