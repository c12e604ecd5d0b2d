import { expect, test } from 'vitest';
import { agedFirstByteUs, recordFirstByte } from '../../../src/balancer/first-byte.ts';
import { mapShared } from '../../../src/scoreboard/layout.ts';
import { scoreboardFor } from './fixtures.ts';

test('the first sample counts whole, later ones an eighth', () => {
  const cells = mapShared(scoreboardFor(1));
  recordFirstByte(cells, 1, 8000, 5_000_000);
  expect(cells.firstByteUs[1]).toBe(8000);
  recordFirstByte(cells, 1, 16_000, 5_000_500);
  expect(cells.firstByteUs[1]).toBe(9000);
  expect(cells.firstByteAtS[1]).toBe(5000);
});

test('an average fades while nobody asks, so that a member that was slow once is tried again', () => {
  expect(agedFirstByteUs(9000, 0)).toBe(9000);
  expect(agedFirstByteUs(9000, 10)).toBe(4500);
  expect(agedFirstByteUs(9000, 80)).toBe(1000);
});

test('a sample is never nothing and always fits', () => {
  const cells = mapShared(scoreboardFor(1));
  recordFirstByte(cells, 1, 0, 5_000_000);
  expect(cells.firstByteUs[1]).toBe(1);
  recordFirstByte(cells, 1, 1e15, 5_000_000);
  expect(cells.firstByteUs[1]).toBe(2 ** 31 - 1);
});
