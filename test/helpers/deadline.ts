// Waiting in tests: never for a fixed time, always for something to become true, and never for ever.

/** Rejects with the text of `describe` if `promise` is not settled in time. */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number, describe: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`after ${deadlineMs} ms: ${describe()}`)), deadlineMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Calls `attempt` again and again until it throws no more; its last error is the one that is reported. */
export async function eventually<T>(attempt: () => T | Promise<T>, deadlineMs = 10_000): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
