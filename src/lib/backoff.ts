// How long to wait before the next try of an operation that failed: exponential with full jitter.
import type { Random } from './random.ts';

/** A growing, randomised delay. */
export interface Backoff {
  /** The next delay in milliseconds; each call doubles the ceiling until `maxMs`. */
  next(): number;
  /** Starts again from the first delay. Call it when the operation has succeeded for a while. */
  reset(): void;
}

/**
 * Full-jitter back-off: the n-th delay is drawn uniformly from [floor, min(maxMs, baseMs · 2ⁿ)],
 * where floor is half of baseMs, so that a tight loop cannot arise from small draws.
 */
export function createBackoff(baseMs: number, maxMs: number, random: Random): Backoff {
  let failures = 0;
  return {
    next() {
      const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(failures, 30));
      failures += 1;
      const floor = baseMs / 2;
      return floor + random() * (ceiling - floor);
    },
    reset() {
      failures = 0;
    },
  };
}
