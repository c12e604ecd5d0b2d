// Time as an argument: code that needs the time takes a Clock, so tests turn its hands themselves.
// Monotonic times are milliseconds on the hrtime axis, which all threads of the process share;
// performance.now() alone has another origin in each thread and must not be stored in shared memory.

/** A source of time. */
export interface Clock {
  /** Monotonic milliseconds (fractional), comparable between the threads of one process. Never jumps. */
  nowMs(): number;
  /** Wall-clock milliseconds since the epoch. May jump; for what people and other machines read. */
  wallMs(): number;
}

// hrtime and performance.now() tick alike; their distance is fixed when the thread starts.
// performance.now() returns a number without allocating, which process.hrtime() does not.
const originMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => originMs + performance.now(),
  wallMs: () => Date.now(),
};
