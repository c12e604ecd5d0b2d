import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import type { CompiledBalancer } from '../../../src/balancer/compiled-balancer.ts';
import { elect } from '../../../src/balancer/elect.ts';
import type { LbMethodName } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, laneOn, memberUnit, nameOf, placed, scoreboardFor } from './fixtures.ts';

const NAMES = ['best', 'middle', 'worst', 'worst of all'];

/** What makes the members as good as their names say, per method; 0 is the best. */
const RANKS: readonly [LbMethodName, (balancer: CompiledBalancer, row: number, rank: number) => void][] = [
  [
    'byrequests',
    ({ standings }, row, rank) => {
      standings.lbstatus[row] = -rank;
    },
  ],
  [
    'bybusyness',
    ({ standings }, row, rank) => {
      standings.busyTotal[row] = rank + 1;
    },
  ],
  [
    'bytraffic',
    ({ standings }, row, rank) => {
      standings.sentTotal.whole[row] = BigInt(rank * 2 ** 33);
      standings.receivedTotal.whole[row] = BigInt(1000 - rank);
    },
  ],
  [
    'leasttime',
    ({ standings }, row, rank) => {
      standings.firstByteUs[row] = 1000 + rank;
      standings.firstByteAtS[row] = 1000;
    },
  ],
];

test.each(RANKS)('%s elects the best member wherever it stands', (lbMethod, rate) => {
  for (const order of permutations(NAMES)) {
    const unit = balancerUnit(
      order.map((name) => memberUnit(name)),
      { lbMethod },
    );
    const balancer = compile(placed(unit), null, laneOn(scoreboardFor(order.length), 0));
    order.forEach((name, index) => {
      rate(balancer, balancer.rows[index]!, NAMES.indexOf(name));
    });
    expect(nameOf(balancer, elect(balancer)), order.join()).toBe('best');
  }
});

test.each(RANKS)('%s gives ties to the member that stands first', (lbMethod, rate) => {
  const unit = balancerUnit(
    ['worst', 'one', 'two', 'three'].map((name) => memberUnit(name)),
    { lbMethod },
  );
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(4), 0));
  balancer.rows.forEach((row, index) => {
    rate(balancer, row, index === 0 ? 1 : 0);
  });
  expect(nameOf(balancer, elect(balancer))).toBe('one');
});

test('bybusyness compares factors only between members that are equally busy', () => {
  const unit = balancerUnit(
    [memberUnit('heavy', { factor: 10_000 }), memberUnit('light'), memberUnit('mid', { factor: 200 })],
    {
      lbMethod: 'bybusyness',
    },
  );
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(3), 0));
  balancer.standings.busyTotal.set([0, 2, 1, 1]);
  expect(nameOf(balancer, elect(balancer))).toBe('mid');
});

test('leasttime weighs time by attempts under way and by factor', () => {
  const unit = balancerUnit([memberUnit('fast'), memberUnit('slow', { factor: 300 }), memberUnit('new')], {
    lbMethod: 'leasttime',
  });
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(3), 0));
  const { busyTotal, firstByteUs, firstByteAtS } = balancer.standings;
  firstByteAtS.fill(1000);
  firstByteUs.set([0, 1000, 2000, 0]);
  const picks: string[] = [];
  for (let open = 0; open < 10; open++) {
    const index = elect(balancer);
    picks.push(nameOf(balancer, index));
    busyTotal[balancer.rows[index]!]! += 1;
  }
  // The new one counts as a trifle faster than the fastest: it is tried, and not flooded.
  expect(picks.join(' ')).toBe('slow new fast slow new fast slow slow new fast');
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
