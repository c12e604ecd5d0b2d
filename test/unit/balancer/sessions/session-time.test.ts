// What the session part of a request may cost. Bounds are twice what is promised: a test shares its machine.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';

const SLACK = 2;
let measuredNs: Readonly<Record<string, number>> = {};

beforeAll(() => {
  const program = join(import.meta.dirname, 'session-time.ts');
  measuredNs = JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as typeof measuredNs;
}, 60_000);

test.each([
  ['Route', 1_500],
  ['Suffix', 1_500],
  ['Insert', 1_500],
  ['Suffix, signed', 6_000],
  ['Insert, signed', 6_000],
])('a lookup among ten cookies: %s, at most %i ns', (name, boundNs) => {
  expect(measuredNs[name]).toBeLessThan(SLACK * boundNs);
});

// A microsecond for each; some more for the first signatures, of which only a few are looked at.
test.each([
  '10,000 other cookies',
  '10,000 cookies of the name',
  '10,000 cookies of the name, all ours',
  '10,000 cookies of the name, all forged',
])('%s: at most ten milliseconds', (name) => {
  expect(measuredNs[name]).toBeLessThan(SLACK * 10_000_000);
});
