import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { clearFlag, isInError, markFailed, markSucceeded, raiseFlag } from '../../../src/balancer/member-state.ts';
import { ERROR } from '../../../src/balancer/standings.ts';
import { MemberFlag } from '../../../src/scoreboard/layout.ts';
import type { BalancerUnit, MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, electNames, laneOn, manualClock, memberUnit, placed, scoreboardFor } from './fixtures.ts';

function setUp(members: readonly MemberUnit[], over: Partial<BalancerUnit['failover']> = {}) {
  const failover = { ...balancerUnit([]).failover, retryAfterMs: 10_000, ...over };
  const clock = manualClock();
  const board = scoreboardFor(members.length, 2);
  const unit = balancerUnit(members, { failover });
  const lanes = [0, 1].map((lane) => compile(placed(unit), null, laneOn(board, lane, { clock })));
  return { clock, balancer: lanes[0]!, other: lanes[1]!, standings: lanes[0]!.standings };
}

const TWO = [memberUnit('a'), memberUnit('b')];

test('the error bit is the one of the scoreboard', () => {
  expect(ERROR).toBe(MemberFlag.Error);
});

test('flags that turn are counted, and what only moves the end of a rest is not', () => {
  const { balancer, standings, clock } = setUp(TWO);
  const counted = (): number[] => [standings.flagTurns[0]!, standings.flagChanges[0]!];
  const [turns, changes] = counted() as [number, number];
  markFailed(balancer, 0);
  expect(counted()).toEqual([turns + 1, changes + 1]);
  markFailed(balancer, 0);
  expect(counted()).toEqual([turns + 1, changes + 2]);
  clock.advanceMs(10_001);
  electNames(balancer, 1);
  expect(counted()).toEqual([turns + 2, changes + 3]);
});

describe('the retry check', () => {
  test('lifts an error strictly after the rest, to the microsecond', () => {
    const { balancer, clock } = setUp(TWO);
    markFailed(balancer, 0);
    clock.advanceMs(10_000);
    expect(electNames(balancer, 2)).toBe('b b');
    clock.advanceMs(0.001);
    expect(electNames(balancer, 2)).toBe('a b');
  });

  test('begins the rest anew with each error', () => {
    const { balancer, clock } = setUp(TWO);
    expect(markFailed(balancer, 0)).toBe(true);
    clock.advanceMs(9000);
    expect(markFailed(balancer, 0)).toBe(false);
    clock.advanceMs(9000);
    expect(electNames(balancer, 1)).toBe('b');
  });

  test('with a rest of nothing lifts it as soon as time has passed', () => {
    const { balancer, clock } = setUp(TWO, { retryAfterMs: 0 });
    markFailed(balancer, 0);
    clock.advanceMs(0.001);
    expect(electNames(balancer, 1)).toBe('a');
  });

  test('never lifts the error of a stopped member, and does of a disabled one', () => {
    const { balancer, clock } = setUp([
      memberUnit('stopped', { state: 'Stopped' }),
      memberUnit('disabled', { state: 'Disabled' }),
      memberUnit('c'),
    ]);
    markFailed(balancer, 0);
    markFailed(balancer, 1);
    clock.advanceMs(60_000);
    expect(electNames(balancer, 2)).toBe('c c');
    expect([isInError(balancer, 0), isInError(balancer, 1)]).toEqual([true, false]);
  });

  test('leaves alone what is not looked at: higher sets and drained members', () => {
    const { balancer, clock } = setUp([
      memberUnit('a'),
      memberUnit('drained', { state: 'Draining' }),
      memberUnit('later', { lbSet: 1 }),
    ]);
    markFailed(balancer, 1);
    markFailed(balancer, 2);
    clock.advanceMs(60_000);
    expect(electNames(balancer, 2)).toBe('a a');
    expect([isInError(balancer, 1), isInError(balancer, 2)]).toEqual([true, true]);
  });

  test('is counted once, whichever lane comes first, and forgotten at the next success', () => {
    const { balancer, other, clock, standings } = setUp(TWO);
    markFailed(balancer, 0);
    clock.advanceMs(10_001);
    elect(other);
    elect(balancer);
    expect(standings.retries[1]).toBe(1);
    markSucceeded(balancer, 0);
    expect(standings.retries[1]).toBe(0);
  });
});

describe('ignored errors', () => {
  test('do not put a member to rest', () => {
    const { balancer } = setUp([memberUnit('a', { ignoreErrors: true })]);
    expect(markFailed(balancer, 0)).toBe(false);
    expect(electNames(balancer, 1)).toBe('a');
  });

  test('lift an error from before at once', () => {
    const { balancer, standings } = setUp([memberUnit('a', { ignoreErrors: true }), memberUnit('b')]);
    raiseFlag(standings, 1, ERROR);
    expect(electNames(balancer, 1)).toBe('a');
  });
});

describe('forced recovery', () => {
  test('wakes all members when all of them are in error, the stopped one too', () => {
    const { balancer, standings } = setUp([...TWO, memberUnit('stopped', { state: 'Stopped' })]);
    for (const index of [0, 1, 2]) markFailed(balancer, index);
    expect(electNames(balancer, 2)).toBe('a b');
    expect([...standings.flags.subarray(1, 4)]).toEqual([0, 0, 0]);
    expect([...standings.retries.subarray(1, 4)]).toEqual([1, 1, 1]);
  });

  test('is prevented by one member without error, even a disabled one', () => {
    const { balancer } = setUp([...TWO, memberUnit('off', { state: 'Disabled' })]);
    markFailed(balancer, 0);
    markFailed(balancer, 1);
    expect(electNames(balancer, 2)).toBe('- -');
  });

  test('can be switched off', () => {
    const { balancer } = setUp(TWO, { forceRecovery: false });
    markFailed(balancer, 0);
    markFailed(balancer, 1);
    expect(electNames(balancer, 1)).toBe('-');
  });
});

describe('other flags', () => {
  test('keep a member out until they are cleared, whatever the time', () => {
    const { balancer, clock, standings } = setUp(TWO);
    expect(raiseFlag(standings, 1, 2)).toBe(true);
    expect(raiseFlag(standings, 1, 2)).toBe(false);
    clock.advanceMs(1e6);
    expect(electNames(balancer, 2)).toBe('b b');
    expect(clearFlag(standings, 1, 2)).toBe(true);
    expect(clearFlag(standings, 1, 2)).toBe(false);
    expect(electNames(balancer, 1)).toBe('a');
  });

  test('that were raised behind our back still elect nobody unusable', () => {
    const { balancer, standings } = setUp(TWO);
    elect(balancer);
    standings.flags[2] = 2;
    expect(electNames(balancer, 3)).toBe('a a a');
  });
});
