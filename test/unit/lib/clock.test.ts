import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';

describe('the system clock', () => {
  it('counts on the hrtime axis, which all threads of a process share', () => {
    const hrtimeMs = () => Number(process.hrtime.bigint()) / 1e6;
    const before = hrtimeMs();
    const now = systemClock.nowMs();
    const after = hrtimeMs();
    // The axes are aligned to a microsecond when the thread starts.
    expect(now).toBeGreaterThan(before - 1);
    expect(now).toBeLessThan(after + 1);
  });

  it('never goes back', () => {
    let last = systemClock.nowMs();
    for (let i = 0; i < 10_000; i += 1) {
      const now = systemClock.nowMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});
