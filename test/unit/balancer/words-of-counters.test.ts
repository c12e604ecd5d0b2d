import { expect, test } from 'vitest';
import { readInt64 } from '../../../src/balancer/standings.ts';
import { mapShared } from '../../../src/scoreboard/layout.ts';
import { scoreboardFor } from './fixtures.ts';

test.each([0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 5n * 2n ** 32n + 7n, 2n ** 53n - 1n])(
  '%s is read whole',
  (value) => {
    const { sentTotal } = mapShared(scoreboardFor(2));
    Atomics.store(sentTotal.whole, 2, value);
    expect(readInt64(sentTotal, 2)).toBe(Number(value));
    expect(readInt64(sentTotal, 1)).toBe(0);
  },
);
