import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { isInError } from '../../../src/balancer/member-state.ts';
import { stick, Unstuck } from '../../../src/balancer/session.ts';
import type { MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, electNames, laneOn, memberUnit, placed, scoreboardFor } from './fixtures.ts';

function setUp(members: readonly MemberUnit[], maxConnectionsPerMember: number) {
  const unit = balancerUnit(members, { limits: { maxBodyBytes: 0, maxConnectionsPerMember, maxWaiting: 0 } });
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(members.length), 0));
  const { busyTotal } = balancer.standings;
  return {
    balancer,
    busyTotal,
    open(): string {
      const index = elect(balancer);
      if (index < 0) return '-';
      busyTotal[balancer.rows[index]!]! += 1;
      return balancer.members[index]!.name;
    },
  };
}

test('a full member is not elected, and is again as soon as it has room', () => {
  const { balancer, busyTotal, open } = setUp([memberUnit('a'), memberUnit('b', { factor: 300 })], 2);
  expect([open(), open(), open(), open(), open()].join(' ')).toBe('b a b a -');
  busyTotal[1]! -= 1;
  expect(open()).toBe('a');
  expect(isInError(balancer, 0)).toBe(false);
});

test('a spare or a standby steps in for full members', () => {
  const spares = setUp([memberUnit('a'), memberUnit('s', { role: 'HotSpare' })], 1);
  expect([spares.open(), spares.open(), spares.open()].join(' ')).toBe('a s -');
  const standbys = setUp([memberUnit('a'), memberUnit('h', { role: 'HotStandby' })], 1);
  expect([standbys.open(), standbys.open()].join(' ')).toBe('a h');
});

test('a session whose member is full is told so', () => {
  const { balancer, open } = setUp([memberUnit('a')], 1);
  open();
  expect(stick(balancer, 'a')).toBe(Unstuck.Full);
});

test('the member to avoid is left out once', () => {
  const { balancer } = setUp([memberUnit('a', { factor: 10_000 }), memberUnit('b')], 0);
  expect(elect(balancer, 0, 0)).toBe(1);
  expect(electNames(balancer, 1)).toBe('a');
  const alone = setUp([memberUnit('a')], 0);
  expect(elect(alone.balancer, 0, 0)).toBe(-1);
});
