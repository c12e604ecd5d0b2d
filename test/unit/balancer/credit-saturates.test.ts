import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { stick } from '../../../src/balancer/session.ts';
import { balancerUnit, credits, electNames, laneOn, memberUnit, placed, scoreboardFor } from './fixtures.ts';

test('Differs from httpd: lbstatus saturates', () => {
  const unit = balancerUnit([memberUnit('a'), memberUnit('b')]);
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(2), 0));
  for (let hit = 0; hit < 50_000; hit++) stick(balancer, 'a');
  // In httpd b would now be elected 50,000 times in a row.
  expect(credits(balancer)).toEqual({ a: -200_000, b: 200_000 });
  const run = electNames(balancer, 3000).split(' ');
  expect(run.indexOf('a')).toBe(2000);
});

test('a member that is always the busier one does not pile up credit, and the others share as ever', () => {
  const unit = balancerUnit([memberUnit('a'), memberUnit('b', { factor: 300 }), memberUnit('c')], {
    lbMethod: 'bybusyness',
  });
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(3), 0));
  balancer.standings.busyTotal[1] = 1;
  const before = electNames(balancer, 1000);
  for (let round = 0; round < 100_000; round++) elect(balancer);
  expect(credits(balancer).a).toBe(500_000);
  expect(electNames(balancer, 1000)).toBe(before);
});

test('credit never leaves its cell, whatever the factors', () => {
  const unit = balancerUnit(Array.from({ length: 2000 }, (_, at) => memberUnit(`m${at}`, { factor: 10_000 })));
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(2000), 0));
  for (let hit = 0; hit < 20_000; hit++) stick(balancer, 'm7');
  expect(credits(balancer).m7).toBe(-(2 ** 30 - 1));
});
