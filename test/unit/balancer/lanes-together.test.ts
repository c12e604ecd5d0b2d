import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { markFailed } from '../../../src/balancer/member-state.ts';
import { LaneScoreboard } from '../../../src/scoreboard/lane-side.ts';
import type { LbMethodName } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, electNames, laneOn, manualClock, memberUnit, placed, scoreboardFor } from './fixtures.ts';

function lanesOn(count: number, size: number, lbMethod: LbMethodName) {
  const board = scoreboardFor(size, count);
  const clock = manualClock();
  const unit = balancerUnit(
    Array.from({ length: size }, (_, index) => memberUnit('abcdefgh'[index]!)),
    { lbMethod },
  );
  return Array.from({ length: count }, (_, lane) => ({
    balancer: compile(placed(unit), null, laneOn(board, lane, { clock })),
    side: new LaneScoreboard(board, lane),
    clock,
  }));
}

test('lanes start at different phases, the first as httpd does', () => {
  const starts = lanesOn(4, 3, 'byrequests').map(({ balancer }) => electNames(balancer, 3));
  expect(starts).toEqual(['a b c', 'b c a', 'c a b', 'a b c']);
});

test('phases are started once: a lane that compiles again goes on', () => {
  const [, second] = lanesOn(2, 3, 'byrequests');
  const again = compile(second!.balancer.placed, second!.balancer, {
    ...laneOn(scoreboardFor(3), 1),
    standings: second!.balancer.standings,
  });
  expect(electNames(again, 3)).toBe('b c a');
});

test('busy is one number for all lanes: attempts of two lanes spread over the members', () => {
  const [one, two] = lanesOn(2, 4, 'bybusyness');
  const chosen: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const lane = attempt % 2 === 0 ? one! : two!;
    const index = elect(lane.balancer);
    lane.side.beginAttempt(lane.balancer.rows[index]!);
    chosen.push(index);
  }
  expect([...one!.side.shared.busyTotal.subarray(1)]).toEqual([2, 2, 2, 2]);
  chosen.forEach((index, attempt) => {
    const lane = attempt % 2 === 0 ? one! : two!;
    lane.side.endAttempt(lane.balancer.rows[index]!);
  });
  expect([...one!.side.shared.busyTotal]).toEqual([0, 0, 0, 0, 0]);
});

test('an error that one lane finds keeps the member out of all', () => {
  const [one, two] = lanesOn(2, 2, 'byrequests');
  electNames(two!.balancer, 2);
  markFailed(one!.balancer, 0);
  expect(electNames(two!.balancer, 3)).toBe('b b b');
  one!.clock.advanceMs(60_001);
  expect(electNames(one!.balancer, 3)).toContain('a');
  expect(electNames(two!.balancer, 3)).toContain('a');
});

test('bytes that other lanes count are seen', () => {
  const [one, two] = lanesOn(2, 3, 'bytraffic');
  expect(electNames(one!.balancer, 1)).toBe('a');
  two!.side.countSent(1, 5000);
  expect(electNames(one!.balancer, 1)).toBe('b');
  two!.side.countReceived(2, 6000);
  two!.side.countReceived(3, 7000);
  expect(electNames(one!.balancer, 1)).toBe('a');
});

test('bybusyness elects a member that is busier than the least busy one by less than the number of lanes', () => {
  const lanes = 4;
  // A lane elects and then begins; in between, others may have done either.
  const steps = fc.array(fc.record({ lane: fc.nat(lanes - 1), ends: fc.boolean() }), { minLength: 20, maxLength: 200 });
  fc.assert(
    fc.property(steps, (schedule) => {
      const all = lanesOn(lanes, 6, 'bybusyness');
      const elected: (number | null)[] = all.map(() => null);
      const open: number[][] = all.map(() => []);
      // What is true: attempts under way, and those that are elected and about to begin.
      const truth = new Array<number>(6).fill(0);
      for (const { lane, ends } of schedule) {
        const { balancer, side } = all[lane]!;
        const pending = elected[lane]!;
        if (pending !== null) {
          side.beginAttempt(balancer.rows[pending]!);
          open[lane]!.push(pending);
          elected[lane] = null;
        } else if (ends && open[lane]!.length > 0) {
          const index = open[lane]!.shift()!;
          side.endAttempt(balancer.rows[index]!);
          truth[index]! -= 1;
        } else {
          const index = elect(balancer);
          expect(truth[index]! - Math.min(...truth)).toBeLessThanOrEqual(lanes - 1);
          truth[index]! += 1;
          elected[lane] = index;
        }
      }
    }),
    { numRuns: 500 },
  );
});
