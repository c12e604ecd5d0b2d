import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { markFailed } from '../../../src/balancer/member-state.ts';
import { afterUnstuck, stick, Unstuck } from '../../../src/balancer/session.ts';
import type { MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, credits, laneOn, manualClock, memberUnit, placed, scoreboardFor } from './fixtures.ts';

function setUp(members: readonly MemberUnit[]) {
  const clock = manualClock();
  const balancer = compile(placed(balancerUnit(members)), null, laneOn(scoreboardFor(members.length), 0, { clock }));
  return { balancer, clock, to: (route: string) => balancer.members[stick(balancer, route)]?.name ?? '-' };
}

describe('a session finds its member', () => {
  test('while it drains, spares or stands in a higher set, not when it is off', () => {
    const { to } = setUp([
      memberUnit('plain'),
      memberUnit('drains', { state: 'Draining' }),
      memberUnit('spare', { role: 'HotSpare' }),
      memberUnit('standby', { role: 'HotStandby' }),
      memberUnit('later', { lbSet: 9 }),
      memberUnit('disabled', { state: 'Disabled' }),
      memberUnit('stopped', { state: 'Stopped' }),
    ]);
    expect(['drains', 'spare', 'standby', 'later', 'disabled', 'stopped'].map(to)).toEqual([
      'drains',
      'spare',
      'standby',
      'later',
      '-',
      '-',
    ]);
  });

  test('by exact comparison, and never by an empty route', () => {
    const { balancer } = setUp([memberUnit('a', { sessionRoute: 'R1' }), memberUnit('b', { sessionRoute: '' })]);
    expect(stick(balancer, 'r1')).toBe(Unstuck.Unknown);
    expect(stick(balancer, '')).toBe(Unstuck.Unknown);
  });

  test('after an error when its rest is over', () => {
    const { balancer, clock, to } = setUp([memberUnit('a'), memberUnit('b')]);
    markFailed(balancer, 1);
    expect(stick(balancer, 'b')).toBe(Unstuck.Down);
    clock.advanceMs(60_001);
    expect(to('b')).toBe('b');
  });

  test('after forced recovery when all are in error', () => {
    const { balancer, to } = setUp([memberUnit('a'), memberUnit('b')]);
    markFailed(balancer, 0);
    markFailed(balancer, 1);
    expect(to('b')).toBe('b');
  });
});

describe('redirects', () => {
  test('lead on where the member is unusable, over several steps', () => {
    const { to } = setUp([
      memberUnit('a', { state: 'Disabled', redirect: 'b' }),
      memberUnit('b', { state: 'Disabled', redirect: 'c' }),
      memberUnit('c'),
    ]);
    expect(to('a')).toBe('c');
  });

  test('are not followed while the member is usable', () => {
    expect(setUp([memberUnit('a', { redirect: 'b' }), memberUnit('b')]).to('a')).toBe('a');
  });

  test('in a circle end, and quickly, also with many members of one route', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      memberUnit(`m${index}`, { sessionRoute: `r${index % 3}`, redirect: `r${(index + 1) % 3}`, state: 'Disabled' }),
    );
    const { balancer } = setUp(many);
    const from = performance.now();
    expect(stick(balancer, 'r0')).toBe(Unstuck.Down);
    expect(performance.now() - from).toBeLessThan(10_000);
  });
});

describe('what a session costs', () => {
  test('is an election: counted, and paid by its member to those that were to be elected', () => {
    const { balancer } = setUp([memberUnit('a'), memberUnit('b'), memberUnit('h', { role: 'HotStandby' })]);
    stick(balancer, 'h');
    expect(credits(balancer)).toEqual({ a: 100, b: 100, h: -200 });
    stick(balancer, 'a');
    expect(credits(balancer)).toEqual({ a: 0, b: 200, h: -200 });
    expect([...balancer.standings.elected]).toEqual([0, 1, 0, 1]);
    expect(balancer.members[elect(balancer)]!.name).toBe('b');
  });
});

describe('without its member', () => {
  test('a session goes anywhere, unless it may not leave', () => {
    expect(afterUnstuck(Unstuck.Down, 'Redispatch')).toBe('elect');
    expect(afterUnstuck(Unstuck.Full, 'Redispatch')).toBe('elect');
    expect(afterUnstuck(Unstuck.Down, 'Reject')).toBe('reject');
    expect(afterUnstuck(Unstuck.Full, 'Reject')).toBe('reject');
  });

  test('an unknown route is free whatever the rule', () => {
    expect(afterUnstuck(Unstuck.Unknown, 'Reject')).toBe('elect');
  });
});
