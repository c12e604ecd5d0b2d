// So many at a time, in the order in which they came: keeps what is wanted all at once from being asked for all at once.

/** One that has its turn calls what it was given when it is done; calling it again changes nothing. */
export type EndTurn = () => void;

export class Turns {
  readonly #most: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when it is its turn. Rejects with the signal's reason as soon as that is aborted. */
  take(signal: AbortSignal): Promise<EndTurn> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const leave = (): void => {
        this.#waiting.delete(enter);
        reject(signal.reason);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        this.#taken += 1;
        resolve(this.#createEnd());
      };
      if (this.#taken < this.#most) {
        enter();
        return;
      }
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #createEnd(): EndTurn {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#taken -= 1;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next();
    };
  }
}
