import { describe, expect, it } from 'vitest';
import { createBackoff } from '../../../src/lib/backoff.ts';

describe('the back-off', () => {
  it('doubles its ceiling until the maximum', () => {
    const backoff = createBackoff(100, 1_000, () => 1);
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('never draws less than half of the first delay', () => {
    const backoff = createBackoff(100, 1_000, () => 0);
    expect([1, 2, 3].map(() => backoff.next())).toEqual([50, 50, 50]);
  });

  it('begins anew after a reset', () => {
    const backoff = createBackoff(100, 1_000, () => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('stays finite after very many failures', () => {
    const backoff = createBackoff(100, 1_000, () => 1);
    for (let i = 0; i < 5_000; i += 1) backoff.next();
    expect(backoff.next()).toBe(1_000);
  });
});
