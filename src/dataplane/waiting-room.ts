// The requests of one balancer that wait for a free member, first come first served. Outlives recompiling: who waits
// keeps the place in the queue.
import { NONE } from '../balancer/compiled-balancer.ts';
import { WaitQueue } from '../balancer/wait-queue.ts';
import type { Clock } from '../lib/clock.ts';

/** A request, as the room sees it. */
export interface Waiter {
  /** What it waits for: whoever says the same gets the same from `choose`. */
  readonly line: () => string;
  /** Tries to get a member; NONE: still none. Anything else ends the wait. */
  readonly choose: () => number;
  /** Whether it waits in vain, because its client is gone. */
  readonly isOver: () => boolean;
}

interface Waiting {
  readonly waiter: Waiter;
  readonly resolve: (index: number) => void;
}

export class WaitingRoom {
  readonly #queue: WaitQueue<Waiting>;

  constructor(clock: Clock) {
    this.#queue = new WaitQueue(clock);
  }

  /** `waitMs` 0: nobody waits. `maxWaiting` 0: no limit. */
  configure(waitMs: number, maxWaiting: number): void {
    this.#queue.configure(waitMs, maxWaiting);
  }

  /** Whether somebody waits, whom a newcomer must not overtake. */
  get isOccupied(): boolean {
    return this.#queue.length > 0;
  }

  /** Resolves with what `choose` got, or NONE when the time is up, when it is over or when there is no room to wait in. */
  wait(waiter: Waiter): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    if (this.#queue.join({ waiter, resolve }, waiter.line()) === null) resolve(NONE);
    // Those before may each wait for the member of a session: others may be free.
    else this.wake();
    return promise;
  }

  /** A member may be free: whoever can be served goes on. */
  wake(): void {
    if (this.#queue.length === 0) return;
    this.#queue.wake(({ waiter, resolve }) => {
      const index = waiter.choose();
      if (index === NONE) return false;
      resolve(index);
      return true;
    });
    for (let late = this.#queue.takeExpired(); late !== null; late = this.#queue.takeExpired()) late.resolve(NONE);
  }

  /** What is served has changed, and perhaps what each of those waits for. */
  rearrange(): void {
    this.#queue.rearrange(({ waiter }) => waiter.line());
    this.wake();
  }

  /** To be called from time to time, for what nobody tells. */
  tick(): void {
    this.#queue.clear(({ waiter, resolve }) => {
      if (!waiter.isOver()) return false;
      resolve(NONE);
      return true;
    });
    this.wake();
  }
}
