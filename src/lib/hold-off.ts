// Bundles bursts of "something changed" into one run: each call restarts a short delay, but never
// beyond a ceiling, so that constant change cannot starve the run.
import type { Clock } from './clock.ts';

/** What the hold-off needs to wait; the real one is setTimeout. */
export interface Timers {
  set(callback: () => void, delayMs: number): unknown;
  clear(handle: unknown): void;
}

export const systemTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

export interface HoldOffOptions {
  /** Quiet time after the last call before the run. Milliseconds. */
  readonly delayMs: number;
  /** Longest time from the first call of a burst to its run. Milliseconds. */
  readonly maxDelayMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
}

export interface HoldOff {
  /** Asks for a run. */
  request(): void;
  /** Forgets a run that was asked for. */
  cancel(): void;
}

export function createHoldOff(options: HoldOffOptions, run: () => void): HoldOff {
  const { delayMs, maxDelayMs, clock, timers } = options;
  let burstStartMs: number | null = null;
  let handle: unknown = null;

  const fire = (): void => {
    handle = null;
    burstStartMs = null;
    run();
  };

  return {
    request() {
      const nowMs = clock.nowMs();
      burstStartMs ??= nowMs;
      if (handle !== null) timers.clear(handle);
      const leftMs = burstStartMs + maxDelayMs - nowMs;
      handle = timers.set(fire, Math.max(0, Math.min(delayMs, leftMs)));
    },
    cancel() {
      if (handle !== null) timers.clear(handle);
      handle = null;
      burstStartMs = null;
    },
  };
}
