// Fair reading. Node reads on from a socket that has more than one read takes, up to 2 MiB in one turn of the loop, while
// all other connections wait; a few hundred such sockets stop a lane for seconds. Whoever has read its share pauses until
// the next turn. Short messages never come near it.

/** A connection that has read its share. */
export interface TurnTaker {
  /** The next turn has begun: it may read again, if it still wants to. */
  onTurn(): void;
}

/** Full reads in a row (64 KiB each) after which a connection pauses. */
export const READS_PER_TURN = 2;

export class ReadTurns {
  readonly #schedule: (turn: () => void) => void;
  #waiting: TurnTaker[] = [];

  /** `schedule`: has it called once this turn is over. */
  constructor(schedule: (turn: () => void) => void = setImmediate) {
    this.#schedule = schedule;
  }

  /** Calls `onTurn` when the next turn begins, whatever becomes of the connection until then. */
  wait(taker: TurnTaker): void {
    this.#waiting.push(taker);
    if (this.#waiting.length === 1) this.#schedule(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const taker of waiting) taker.onTurn();
  };
}
