import { describe, expect, it } from 'vitest';
import { createHoldOff } from '../../../src/lib/hold-off.ts';
import { ManualTime } from './manual-time.ts';

function setUp() {
  const time = new ManualTime();
  const runs: number[] = [];
  const startMs = time.clock.nowMs();
  const holdOff = createHoldOff({ delayMs: 20, maxDelayMs: 200, clock: time.clock, timers: time.timers }, () => {
    runs.push(time.clock.nowMs() - startMs);
  });
  return { time, runs, holdOff };
}

describe('the hold-off', () => {
  it('runs once after a burst, the delay after its last request', () => {
    const { time, runs, holdOff } = setUp();
    holdOff.request();
    time.advance(15);
    holdOff.request();
    time.advance(100);
    expect(runs).toEqual([35]);
  });

  it('does not wait longer than the ceiling under constant change', () => {
    const { time, runs, holdOff } = setUp();
    for (let i = 0; i < 50; i += 1) {
      holdOff.request();
      time.advance(10);
    }
    expect(runs[0]).toBe(200);
    expect(runs[1]).toBe(400);
  });

  it('starts a new burst after a run', () => {
    const { time, runs, holdOff } = setUp();
    holdOff.request();
    time.advance(500);
    holdOff.request();
    time.advance(500);
    expect(runs).toEqual([20, 520]);
  });

  it('forgets a request that is cancelled', () => {
    const { time, runs, holdOff } = setUp();
    holdOff.request();
    holdOff.cancel();
    time.advance(500);
    expect(runs).toEqual([]);
    expect(time.pending).toBe(0);
  });

  it('takes a request from within a run', () => {
    const time = new ManualTime();
    let runs = 0;
    const holdOff = createHoldOff({ delayMs: 20, maxDelayMs: 200, clock: time.clock, timers: time.timers }, () => {
      runs += 1;
      if (runs < 3) holdOff.request();
    });
    holdOff.request();
    time.advance(1_000);
    expect(runs).toBe(3);
  });
});
