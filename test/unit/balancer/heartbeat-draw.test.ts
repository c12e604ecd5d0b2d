import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { stick } from '../../../src/balancer/session.ts';
import type { MemberUnit } from '../../../src/snapshot/snapshot.ts';
import {
  balancerUnit,
  electNames,
  laneOn,
  manualClock,
  memberUnit,
  nameOf,
  placed,
  scoreboardFor,
} from './fixtures.ts';

interface Report {
  readonly ready: number;
  readonly busy: number;
  /** Whole seconds ago. */
  readonly seen: number;
}

interface Vector {
  readonly id: string;
  readonly title: string;
  readonly members: readonly { readonly name: string; readonly host: string }[];
  readonly table: Readonly<Record<string, Report>>;
  readonly cases: readonly { readonly random: number; readonly slots: number; readonly pick: string | null }[];
}

const file = JSON.parse(readFileSync(new URL('../../vectors/lbmethod.json', import.meta.url), 'utf8')) as {
  readonly heartbeat: { readonly vectors: readonly Vector[] };
};

/** A balancer whose members have reported; `draw` is what the next draws come to, of `slots`. */
function setUp(members: readonly MemberUnit[], reports: Readonly<Record<string, Report>>) {
  const clock = manualClock();
  let random = 0;
  const lane = laneOn(scoreboardFor(members.length), 0, { clock, random: () => random });
  const unit = balancerUnit(members, { lbMethod: 'heartbeat' });
  const balancer = compile(placed(unit), null, lane);
  members.forEach((member, index) => {
    const report = reports[member.name];
    if (report === undefined) return;
    const row = balancer.rows[index]!;
    lane.standings.reportedReady[row] = report.ready;
    lane.standings.reportedBusy[row] = report.busy;
    lane.standings.reportedAtS[row] = Math.floor(clock.nowMs() / 1000) - report.seen + 1;
  });
  const draw = (slot: number, slots: number): string => {
    random = slot / slots;
    return nameOf(balancer, elect(balancer));
  };
  return { balancer, lane, clock, draw };
}

function replay(vector: Vector) {
  const byName = Object.fromEntries(vector.members.map(({ name, host }) => [name, vector.table[host]!]));
  return setUp(
    vector.members.map(({ name }) => memberUnit(name)),
    byName,
  );
}

const vectorOf = (id: string): Vector => file.heartbeat.vectors.find((vector) => vector.id === id)!;

describe('draws below the number of slots are those of httpd', () => {
  test.each(['hb-01', 'hb-03', 'hb-05'].map(vectorOf))('$id: $title', (vector) => {
    const { draw } = replay(vector);
    for (const { random, slots, pick } of vector.cases) {
      if (random < slots || slots === 0) expect(draw(random, Math.max(1, slots))).toBe(pick ?? '-');
    }
  });
});

test('Differs from httpd: draws from 0 to slots - 1', () => {
  // hb-05: there the member without a free slot owns the value above the last.
  const { balancer, draw } = replay(vectorOf('hb-05'));
  expect(draw(1.999, 2)).toBe('a');
  expect(balancer.reports!.total).toBe(2);
  // hb-07: members that share an address own what each has reported, not all of it the later one.
  const shared = replay(vectorOf('hb-07'));
  expect([0, 1, 2, 3, 4].map((slot) => shared.draw(slot, 5)).join(' ')).toBe('a a b b c');
});

test('Differs from httpd: heartbeat respects sets, roles and drain', () => {
  const report = { ready: 5, busy: 1, seen: 0 };
  const all = { a: report, s: report, h: report, later: report, drained: report };
  const members = [
    memberUnit('drained', { state: 'Draining' }),
    memberUnit('a'),
    memberUnit('h', { role: 'HotStandby' }),
    memberUnit('later', { lbSet: 1 }),
  ];
  expect(electNames(setUp(members, all).balancer, 3)).toBe('a a a');
  // Who has not reported is like one that is down: a spare, a standby, the next set.
  expect(
    electNames(
      setUp([...members, memberUnit('s', { role: 'HotSpare' })], { ...all, a: { ...report, ready: 0 } }).balancer,
      2,
    ),
  ).toBe('s s');
  expect(electNames(setUp(members, { h: report, later: report }).balancer, 2)).toBe('h h');
  expect(electNames(setUp(members, { later: report }).balancer, 2)).toBe('later later');
});

test('Differs from httpd: where members report in answers only, one that is silent counts one slot', () => {
  const members = [memberUnit('a'), memberUnit('b'), memberUnit('c')];
  const { balancer, lane, draw } = setUp(members, {
    b: { ready: 3, busy: 1, seen: 0 },
    c: { ready: 9, busy: 1, seen: 10 },
  });
  lane.standings.silentSlots[0] = 1;
  expect([0, 1, 2, 3, 4].map((slot) => draw(slot, 5)).join(' ')).toBe('a b b b c');
  expect(balancer.reports!.total).toBe(5);
  // Who says that it takes nothing gets nothing.
  const full = setUp([memberUnit('a'), memberUnit('b')], { a: { ready: 0, busy: 9, seen: 0 } });
  full.lane.standings.silentSlots[0] = 1;
  expect(electNames(full.balancer, 3)).toBe('b b b');
});

test('a report counts for ten seconds, and a new one within a second', () => {
  const { balancer, lane, clock } = setUp([memberUnit('a')], { a: { ready: 5, busy: 1, seen: 0 } });
  clock.advanceMs(9_999);
  expect(electNames(balancer, 1)).toBe('a');
  clock.advanceMs(1);
  expect(electNames(balancer, 1)).toBe('-');
  lane.standings.reportedAtS[balancer.rows[0]!] = Math.floor(clock.nowMs() / 1000) + 1;
  clock.advanceMs(1000);
  expect(electNames(balancer, 1)).toBe('a');
});

test('a session needs no report', () => {
  const { balancer } = setUp([memberUnit('a')], {});
  expect(stick(balancer, 'a')).toBe(0);
});
