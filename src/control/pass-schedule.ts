// When the control loop makes a pass: soon after something changed, when a drain ends, and again later when a pass failed or
// left something over. Knows nothing of what a pass does.
import { createBackoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { createHoldOff, type HoldOff, type Timers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';

/** What a pass leaves to later ones. */
export interface PassResult {
  /** Something found no room: room is made without anybody saying so. */
  readonly isRoomShort: boolean;
  /** When something is due by itself, in milliseconds of the clock; infinite: nothing is. */
  readonly nextDueMs: number;
}

export interface PassScheduleOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  /**
   * `isAsked`: somebody asked for it, or an earlier pass is to be made again; else only something is due. It may throw, and
   * is made again then.
   */
  readonly pass: (isAsked: boolean) => PassResult;
}

/** Quiet time after a change, and the longest wait under constant change. */
const HOLD_OFF_MS = 20;
const MAX_HOLD_OFF_MS = 100;
/** After a pass in which something found no room. */
const NO_ROOM_RETRY_MS = 1_000;
/** After a pass that threw. */
const FAULT_BASE_DELAY_MS = 1_000;
const FAULT_MAX_DELAY_MS = 30_000;

export class PassSchedule {
  readonly #options: PassScheduleOptions;
  readonly #holdOff: HoldOff;
  readonly #faultDelay;
  readonly #waiting = new Set<{ readonly passes: number; readonly resolve: () => void }>();
  #passes = 0;
  #isAsked = true;
  /** What the last pass threw; empty: nothing. */
  #fault = '';
  #retry: unknown = null;
  #dueTimer: unknown = null;
  #isStopped = false;

  constructor(options: PassScheduleOptions) {
    const { clock, timers, random } = options;
    this.#options = options;
    this.#faultDelay = createBackoff(FAULT_BASE_DELAY_MS, FAULT_MAX_DELAY_MS, random);
    const holdOff = { delayMs: HOLD_OFF_MS, maxDelayMs: MAX_HOLD_OFF_MS, clock, timers };
    this.#holdOff = createHoldOff(holdOff, () => this.passNow());
  }

  /** Passes so far. */
  get passes(): number {
    return this.#passes;
  }

  /** Asks for a pass. */
  request(): void {
    this.#isAsked = true;
    if (!this.#isStopped) this.#holdOff.request();
  }

  /** Never throws. */
  passNow(): void {
    if (this.#isStopped) return;
    const { log, pass } = this.#options;
    this.#retry = this.#clear(this.#retry);
    try {
      const isAsked = this.#isAsked;
      this.#isAsked = false;
      const { isRoomShort, nextDueMs } = pass(isAsked);
      if (this.#fault !== '') log.info({}, 'reconciling works again');
      this.#fault = '';
      this.#faultDelay.reset();
      if (isRoomShort) this.#retryIn(NO_ROOM_RETRY_MS);
      this.#await(nextDueMs);
    } catch (error) {
      const delayMs = Math.round(this.#faultDelay.next());
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      if (reason !== this.#fault) log.error({ reason }, 'reconciling failed and is tried again; what was served stays');
      this.#fault = reason;
      this.#retryIn(delayMs);
    }
    this.#passes += 1;
    for (const waiter of this.#waiting) {
      if (waiter.passes > this.#passes) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Resolves after the pass of that number, from 1; for tests, which must not wait by the clock. */
  whenPassed(passes: number): Promise<void> {
    if (this.#passes >= passes) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ passes, resolve });
    return promise;
  }

  /** No more passes are made. */
  stop(): void {
    this.#isStopped = true;
    this.#holdOff.cancel();
    this.#retry = this.#clear(this.#retry);
    this.#dueTimer = this.#clear(this.#dueTimer);
  }

  #retryIn(delayMs: number): void {
    this.#retry = this.#options.timers.set(() => this.request(), delayMs);
  }

  #await(dueMs: number): void {
    this.#dueTimer = this.#clear(this.#dueTimer);
    const { timers, clock } = this.#options;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    // A timer may be early by a part of a millisecond.
    this.#dueTimer = timers.set(() => this.#holdOff.request(), Math.max(1, Math.ceil(dueMs - clock.nowMs())));
  }

  #clear(timer: unknown): null {
    if (timer !== null) this.#options.timers.clear(timer);
    return null;
  }
}
