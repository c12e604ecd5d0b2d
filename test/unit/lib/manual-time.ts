// Time that stands still until a test moves it: a clock and timers on one axis.
import type { Clock } from '../../../src/lib/clock.ts';
import type { Timers } from '../../../src/lib/hold-off.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

export class ManualTime {
  #nowMs = 1_000;
  #order = 0;
  readonly #timers = new Set<Timer>();

  readonly clock: Clock = { nowMs: () => this.#nowMs, wallMs: () => this.#nowMs };

  readonly timers: Timers = {
    set: (callback, delayMs) => {
      this.#order += 1;
      const timer = { dueMs: this.#nowMs + delayMs, order: this.#order, callback };
      this.#timers.add(timer);
      return timer;
    },
    clear: (handle) => void this.#timers.delete(handle as Timer),
  };

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the hands on, running what comes due on the way at its own time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ dueMs }) => dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = endMs;
  }
}
