// The grammar of durations (GEP-2257) and what they amount to.
import { describe, expect, test } from 'vitest';
import { durationMs, isDuration } from '../../../src/api/duration.ts';

describe('a duration', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1m', 60_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['2h45m30s500ms', 9_930_500],
    ['500ms1s', 1_500],
    ['1m1m', 120_000],
    ['99999h', 359_996_400_000],
  ])('%s is %d milliseconds', (text, ms) => {
    expect(isDuration(text)).toBe(true);
    expect(durationMs(text)).toBe(ms);
  });

  test.each(['', '10', 's', '1.5s', '-1s', '+1s', '1 s', '10S', '1d', '100000s', '1h1m1s1ms1h', ' 1s', '1s\n'])(
    '%j is refused',
    (text) => {
      expect(isDuration(text)).toBe(false);
      expect(() => durationMs(text)).toThrow(RangeError);
    },
  );
});
