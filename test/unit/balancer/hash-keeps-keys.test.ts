import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { hash32 } from '../../../src/balancer/hash32.ts';
import type { MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, laneOn, memberUnit, nameOf, placed, scoreboardFor } from './fixtures.ts';

const KEYS = Array.from({ length: 20_000 }, (_, at) => hash32(`client ${at}`));

function setUp(members: readonly MemberUnit[]) {
  const unit = balancerUnit(members, { lbMethod: 'hash' });
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(members.length), 0));
  return { balancer, of: (key: number) => nameOf(balancer, elect(balancer, key)) };
}

const members = (count: number, over: Partial<MemberUnit> = {}) =>
  Array.from({ length: count }, (_, at) => memberUnit(`m${at}`, over));

test('a key stays with its member, whatever the order', () => {
  const [one, other] = [setUp(members(20)), setUp(members(20).reverse())];
  for (const key of KEYS.slice(0, 2000)) {
    expect(one.of(key)).toBe(other.of(key));
    expect(one.of(key)).toBe(one.of(key));
  }
});

test('when a member goes, only its keys move', () => {
  const [all, fewer] = [setUp(members(20)), setUp(members(19))];
  const moved = KEYS.filter((key) => all.of(key) !== fewer.of(key));
  expect(moved.every((key) => all.of(key) === 'm19')).toBe(true);
  expect(moved.length).toBeGreaterThan(0);
});

test('a member that is off is left out, and its keys spread over the others', () => {
  const { of } = setUp(members(10).map((member, at) => (at === 3 ? { ...member, state: 'Disabled' } : member)));
  const whole = setUp(members(10));
  const heirs = new Set(KEYS.filter((key) => whole.of(key) === 'm3').map(of));
  expect(heirs.has('m3')).toBe(false);
  expect(heirs.size).toBe(9);
});

test('shares go by factor', () => {
  const { of } = setUp([memberUnit('one'), memberUnit('three', { factor: 300 })]);
  const ones = KEYS.filter((key) => of(key) === 'one').length;
  expect(ones / KEYS.length).toBeGreaterThan(0.2);
  expect(ones / KEYS.length).toBeLessThan(0.3);
});

test('nobody gets more than a quarter above its share of what is under way', () => {
  const { balancer } = setUp(members(8));
  const { busyTotal } = balancer.standings;
  const popular = hash32('everybody');
  for (let open = 1; open <= 400; open++) {
    busyTotal[balancer.rows[elect(balancer, popular)]!]! += 1;
    expect(Math.max(...busyTotal)).toBeLessThanOrEqual(Math.ceil((1.25 * open) / 8));
  }
});

test('10,000 members fit', () => {
  const { balancer, of } = setUp(members(10_000));
  expect(balancer.ring!.points.length).toBe(80_000);
  expect(new Set(KEYS.map(of)).size).toBeGreaterThan(7000);
});

test('the ring is kept while nothing that it is made of changes', () => {
  const { balancer } = setUp(members(5));
  const lane = laneOn(scoreboardFor(5), 0, { standings: balancer.standings });
  const unit = balancerUnit(members(5, { state: 'Draining' }), { lbMethod: 'hash' });
  expect(compile(placed(unit), balancer, lane).ring).toBe(balancer.ring);
});
