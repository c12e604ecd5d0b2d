// The clock of a lane: the machine's, looked at once in each turn of the event loop. A look costs as much as a small part of
// a request, a request needs six, and what happens in one turn happens at one time as far as anybody can tell.
import type { Clock } from '../lib/clock.ts';

/** As late as the turn is old, which is far less than a tick of any deadline. */
export class TurnClock implements Clock {
  readonly #clock: Clock;
  readonly #schedule: (turn: () => void) => void;
  /** NaN: this turn has not looked yet. */
  #nowMs = Number.NaN;

  /** `schedule`: has it called once this turn is over, and before the loop waits for anything. */
  constructor(clock: Clock, schedule: (turn: () => void) => void = setImmediate) {
    this.#clock = clock;
    this.#schedule = schedule;
  }

  nowMs(): number {
    if (Number.isNaN(this.#nowMs)) {
      this.#nowMs = this.#clock.nowMs();
      this.#schedule(this.#onTurnOver);
    }
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  readonly #onTurnOver = (): void => {
    this.#nowMs = Number.NaN;
  };
}
