// The clock of a lane: the machine's, looked at once in each turn of the event loop. A look costs as much as a small part of
// a request, a request needs six, and what happens in one turn happens at one time as far as anybody can tell.
import type { Clock } from '../lib/clock.ts';

/** How often the wall clock is looked at: nothing that goes by it is finer. Milliseconds. */
const WALL_LOOK_MS = 100;

/** As late as the turn is old: far less than a tick of any deadline, unless the process stands still in it. */
export class TurnClock implements Clock {
  readonly #clock: Clock;
  readonly #schedule: (turn: () => void) => void;
  /** NaN: this turn has not looked yet. */
  #nowMs = Number.NaN;
  /** What the wall clock shows more than ours, and when that was looked at. */
  #wallAheadMs = 0;
  #wallSeenMs = Number.NEGATIVE_INFINITY;

  /** `schedule`: has it called once this turn is over, and before the loop waits for anything. */
  constructor(clock: Clock, schedule: (turn: () => void) => void = setImmediate) {
    this.#clock = clock;
    this.#schedule = schedule;
  }

  nowMs(): number {
    if (Number.isNaN(this.#nowMs)) this.#look();
    return this.#nowMs;
  }

  /** A jump of the wall clock is noticed `WALL_LOOK_MS` late. */
  wallMs(): number {
    const nowMs = this.nowMs();
    if (nowMs - this.#wallSeenMs >= WALL_LOOK_MS) {
      this.#wallSeenMs = nowMs;
      this.#wallAheadMs = this.#clock.wallMs() - nowMs;
    }
    return Math.round(nowMs + this.#wallAheadMs);
  }

  #look(): void {
    this.#nowMs = this.#clock.nowMs();
    this.#schedule(this.#onTurnOver);
  }

  readonly #onTurnOver = (): void => {
    this.#nowMs = Number.NaN;
  };
}
