// Moments as a test can know them: somewhere between two readings of the clock. Milliseconds.

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The processes that are tested have clocks of their own, and coarse ones. */
const BLUR_MS = 20;

/** Whether `now` is more than `ms` after `then`; null where it cannot be told. */
export function isLater(now: Span, then: Span, ms: number): boolean | null {
  if (now.from - then.to > ms + BLUR_MS) return true;
  if (now.to - then.from < ms - BLUR_MS) return false;
  return null;
}
