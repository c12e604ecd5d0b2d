import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import type { CompiledBalancer } from '../../../src/balancer/compiled-balancer.ts';
import { elect } from '../../../src/balancer/elect.ts';
import type { BalancerUnit, LbMethodName, MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, credits, laneOn, memberUnit, placed, scoreboardFor } from './fixtures.ts';

const NAMES = ['a', 'b', 'c', 'd'];

function setUp(lbMethod: LbMethodName, members: readonly MemberUnit[]) {
  const lane = laneOn(scoreboardFor(NAMES.length), 0);
  const unitOf = (now: readonly MemberUnit[]): BalancerUnit => balancerUnit(now, { lbMethod });
  let balancer = compile(placed(unitOf(members), NAMES), null, lane);
  return {
    change(now: readonly MemberUnit[]): CompiledBalancer {
      balancer = compile(placed(unitOf(now), NAMES), balancer, lane);
      return balancer;
    },
    /** Serves `count` requests of 10,000 bytes and returns how many each member got. */
    serve(count: number): Record<string, number> {
      const got: Record<string, number> = Object.fromEntries(balancer.members.map(({ name }) => [name, 0]));
      for (let request = 0; request < count; request++) {
        const index = elect(balancer);
        got[balancer.members[index]!.name]! += 1;
        Atomics.add(lane.standings.receivedTotal.whole, balancer.rows[index]!, 10_000n);
      }
      return got;
    },
    received: (row: number) => Number(lane.standings.receivedTotal.whole[row]),
    balancer: () => balancer,
  };
}

const [A, B, C] = [memberUnit('a'), memberUnit('b'), memberUnit('c')];

test('bytraffic: a newcomer takes its turn and no more', () => {
  const { change, serve } = setUp('bytraffic', [A, B]);
  serve(1000);
  change([C, A, B]);
  expect(serve(300)).toEqual({ c: 100, a: 100, b: 100 });
});

test('bytraffic: two newcomers at once share alike', () => {
  const { change, serve } = setUp('bytraffic', [A, B]);
  serve(1000);
  change([A, B, C, memberUnit('d')]);
  expect(serve(400)).toEqual({ a: 100, b: 100, c: 100, d: 100 });
});

test('bytraffic: a member that is re-weighted serves by its new factor from now on', () => {
  const { change, serve } = setUp('bytraffic', [A, B]);
  serve(1000);
  change([A, memberUnit('b', { factor: 300 })]);
  expect(serve(400)).toEqual({ a: 100, b: 300 });
  change([A, B]);
  expect(serve(400)).toEqual({ a: 200, b: 200 });
});

test('bytraffic: a member that was switched off meanwhile comes back at the level', () => {
  const { change, serve } = setUp('bytraffic', [A, B]);
  serve(100);
  change([A, memberUnit('b', { state: 'Disabled' })]);
  serve(1000);
  change([A, B]);
  expect(serve(100)).toEqual({ a: 50, b: 50 });
});

test('bytraffic: a member far ahead does not lift the level', () => {
  const { change, serve, balancer } = setUp('bytraffic', [A, B]);
  serve(100);
  Atomics.add(balancer().standings.sentTotal.whole, balancer().rows[0]!, 10_000_000_000n);
  change([A, B, C]);
  expect(serve(100)).toEqual({ a: 0, b: 50, c: 50 });
});

test('bytraffic: a spare that joined while it was not needed is put at the level when it first serves', () => {
  const spare = memberUnit('c', { role: 'HotSpare' });
  const { change, serve } = setUp('bytraffic', [A, B]);
  serve(100);
  change([A, B, spare]);
  serve(1000);
  change([A, memberUnit('b', { state: 'Stopped' }), spare]);
  expect(serve(100)).toEqual({ a: 50, b: 0, c: 50 });
});

test('bytraffic: byte counts themselves are not touched', () => {
  const { change, serve, received } = setUp('bytraffic', [A, B]);
  serve(100);
  change([A, B, C]);
  expect([1, 2, 3].map(received)).toEqual([500_000, 500_000, 0]);
});

test('bytraffic: a method that is switched to starts afresh', () => {
  const { serve, balancer } = setUp('byrequests', [A, memberUnit('b', { factor: 100 })]);
  serve(100);
  const lane = laneOn(scoreboardFor(4), 0, { standings: balancer().standings });
  Atomics.add(lane.standings.sentTotal.whole, 1, 5_000_000n);
  const now = compile(placed(balancerUnit([A, B], { lbMethod: 'bytraffic' }), NAMES), balancer(), lane);
  expect(now.members[elect(now)]!.name).toBe('a');
});

test.each(['byrequests', 'bybusyness'] as const)('%s: a newcomer gets the mean credit of the others', (lbMethod) => {
  const { change, balancer } = setUp(lbMethod, [A, B]);
  balancer().standings.lbstatus.set([0, 700, 100, -9999]);
  // Credit was written from outside here; the book has not been opened yet.
  expect(credits(change([A, B, C]))).toEqual({ a: 700, b: 100, c: 400 });
});

test('byrequests: a member that changes its weight, set or role starts at the level; one that rested in error does not', () => {
  const { change, balancer } = setUp('byrequests', [A, B, C]);
  balancer().standings.lbstatus.set([0, 700, 100, -300]);
  expect(credits(change([A, B, memberUnit('c', { factor: 200 })]))).toEqual({ a: 700, b: 100, c: 400 });
  expect(credits(change([A, B, memberUnit('c', { factor: 200, state: 'Draining' })]))).toEqual({
    a: 700,
    b: 100,
    c: 400,
  });
});
