import { expect, test } from 'vitest';
import { NONE } from '../../../src/balancer/compiled-balancer.ts';
import { SessionSketch } from '../../../src/balancer/sessions/session-sketch.ts';
import { MemberPool } from '../../../src/dataplane/member-pool.ts';
import { RoutingTable } from '../../../src/dataplane/routing-table.ts';
import { mapShared } from '../../../src/scoreboard/layout.ts';
import { balancerUnit, laneOn, memberUnit, placed, scoreboardFor } from '../balancer/fixtures.ts';

/** A table that serves one balancer, and one request that waits there for a member. */
function setUp() {
  const board = scoreboardFor(1);
  const shared = mapShared(board);
  const sketch = new SessionSketch({ cells: new Uint8Array(board.sessions), tick: shared.sessionTick });
  const table = new RoutingTable(laneOn(board, 0), new MemberPool(), sketch);
  let generation = 0;
  const serve = (waitMs: number): void => {
    const unit = balancerUnit([memberUnit('a')]);
    const timeouts = { ...unit.timeouts, waitMs };
    generation += 1;
    table.apply({ generation, rules: null, set: [placed({ ...unit, timeouts })], drop: [] });
  };
  const drop = (): void => {
    generation += 1;
    table.apply({ generation, rules: null, set: [], drop: ['shop/app'] });
  };
  const state = { free: NONE as number, got: null as number | null };
  const wait = async (): Promise<void> => {
    const waiter = { line: () => 'any', choose: () => state.free, isOver: () => false };
    state.got = await table.balancer('shop/app')!.room!.wait(waiter);
  };
  serve(1_000);
  void wait();
  return { table, serve, drop, state, wait };
}

/** What was resolved has been seen. */
async function turn(): Promise<void> {
  for (let left = 0; left < 5; left += 1) await null;
}

test('who waits goes on when the lane looks and a member is free, also after the balancer changed', async () => {
  const { table, serve, state } = setUp();
  table.wakeWaiting();
  await turn();
  expect(state.got).toBeNull();
  serve(2_000);
  state.free = 0;
  table.wakeWaiting();
  await turn();
  expect(state.got).toBe(0);
});

test.each<[string, (world: ReturnType<typeof setUp>) => void]>([
  ['nobody may wait any more', ({ serve }) => serve(0)],
  ['the balancer goes', ({ drop }) => drop()],
])('who waits goes on without a member when %s, and who waits later is looked after', async (_, change) => {
  const world = setUp();
  const { table, serve, state, wait } = world;
  change(world);
  await turn();
  expect(state.got).toBe(NONE);
  serve(1_000);
  state.got = null;
  void wait();
  state.free = 0;
  table.wakeWaiting();
  await turn();
  expect(state.got).toBe(0);
});
