// Fair reading. Node reads on from a socket that has more than one read takes, up to 2 MiB in one turn of the loop, while
// all other connections wait; a few hundred such sockets stop a lane for seconds. Whoever has read its share pauses until
// the next turn. Short messages never come near it.
import type { Socket } from 'node:net';

/** Full reads in a row (64 KiB each) after which a connection pauses. */
export const READS_PER_TURN = 2;

/** Somebody whose turn is over. */
export interface TurnTaker {
  /** The next turn has begun. */
  onTurn(): void;
}

export class ReadTurns {
  readonly #schedule: (turn: () => void) => void;
  #waiting: TurnTaker[] = [];

  /** `schedule`: has it called once this turn is over. */
  constructor(schedule: (turn: () => void) => void = setImmediate) {
    this.#schedule = schedule;
  }

  /** Calls `onTurn` when the next turn begins, whatever became of the taker until then. */
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

/** What one connection reads in a turn. It is for nothing else that it pauses the socket. */
export class ReadShare implements TurnTaker {
  readonly #turns: ReadTurns;
  readonly #socket: Socket;
  readonly #readOn: () => void;
  #fullReads = 0;
  #isOver = false;

  /** `readOn`: resumes the socket, if it is still to be read from. */
  constructor(turns: ReadTurns, socket: Socket, readOn: () => void) {
    this.#turns = turns;
    this.#socket = socket;
    this.#readOn = readOn;
  }

  /** Whether the socket pauses until the next turn. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A read was dealt with. `isFull`: it filled its buffer, so there may be more. */
  count(isFull: boolean): void {
    if (!isFull) this.#fullReads = 0;
    else if (++this.#fullReads >= READS_PER_TURN && !this.#socket.isPaused()) this.end();
  }

  /** Pauses until the next turn. */
  end(): void {
    this.#fullReads = 0;
    this.#isOver = true;
    this.#socket.pause();
    this.#turns.wait(this);
  }

  /** The socket pauses for another reason from now on. */
  forget(): void {
    this.#isOver = false;
  }

  onTurn(): void {
    if (!this.#isOver) return;
    this.#isOver = false;
    this.#readOn();
  }
}
