import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { isInError, markFailed } from '../../../src/balancer/member-state.ts';
import { balancerUnit, credits, electNames, laneOn, memberUnit, placed, scoreboardFor } from './fixtures.ts';

const NAMES = ['a', 'b', 'c'];

test('the order of members, their number and other settings change; credit and errors stay', () => {
  const lane = laneOn(scoreboardFor(3), 0);
  const [a, b, c] = [memberUnit('a'), memberUnit('b', { factor: 200 }), memberUnit('c')];
  const first = compile(placed(balancerUnit([a, b, c]), NAMES), null, lane);
  elect(first);
  elect(first);
  markFailed(first, 2);
  const before = credits(first);
  const second = compile(placed(balancerUnit([c, b, a]), NAMES), first, lane);
  expect(credits(second)).toEqual(before);
  expect(isInError(second, 0)).toBe(true);
  const third = compile(placed(balancerUnit([b, a]), NAMES), second, lane);
  expect(credits(third)).toEqual({ a: before.a, b: before.b });
});

test('elections go on as if nothing had been published', () => {
  const members = [memberUnit('a'), memberUnit('b', { factor: 225 }), memberUnit('c', { factor: 300 })];
  const unit = balancerUnit(members);
  const still = compile(placed(unit), null, laneOn(scoreboardFor(3), 0));
  const lane = laneOn(scoreboardFor(3), 0);
  let moving = compile(placed(unit), null, lane);
  for (let round = 0; round < 100; round++) {
    expect(electNames(moving, 1)).toBe(electNames(still, 1));
    if (round % 3 === 0) moving = compile(placed({ ...unit, members: [...members] }), moving, lane);
  }
  expect(credits(moving)).toEqual(credits(still));
});

test('a request that still holds the old compilation elects by it and disturbs nothing', () => {
  const unit = balancerUnit([memberUnit('a'), memberUnit('b')]);
  const lane = laneOn(scoreboardFor(2), 0);
  const old = compile(placed(unit), null, lane);
  elect(old);
  const now = compile(placed(unit), old, lane);
  const before = credits(now);
  for (let round = 0; round < 7; round++) elect(old);
  markFailed(old, 0);
  expect(electNames(old, 2)).toBe('b b');
  expect(credits(now)).toEqual(before);
});

test('a balancer without members elects nobody', () => {
  const lane = laneOn(scoreboardFor(1), 3 - 3);
  const empty = compile(placed(balancerUnit([])), null, lane);
  expect(electNames(empty, 2)).toBe('- -');
  const one = compile(placed(balancerUnit([memberUnit('a')])), empty, lane);
  expect(electNames(one, 1)).toBe('a');
});
