// Waiting in tests: for conditions and events with a deadline, never for a fixed time.

/** How long anything may take in a test. Milliseconds. */
export const PATIENCE_MS = 8_000;

/** Resolves as the promise does; rejects with `what` when that takes too long. */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`)),
    patienceMs,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again and again until the condition holds. */
export async function until(
  condition: () => boolean,
  what: string | (() => string),
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) {
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Calls `attempt` again and again until it throws no more; its last error is the one that is reported. */
export async function eventually<T>(attempt: () => T | Promise<T>, patienceMs = 10_000): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
