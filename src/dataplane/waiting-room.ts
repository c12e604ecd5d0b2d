// The requests of one balancer that wait for a free member, first come first served. Outlives recompiling: who waits
// keeps the place in the queue.
import { NONE } from '../balancer/compiled-balancer.ts';
import { WaitQueue } from '../balancer/wait-queue.ts';
import type { Clock } from '../lib/clock.ts';

interface Waiter {
  /** Tries to get a member; NONE: still none. Anything else ends the wait. */
  readonly choose: () => number;
  readonly resolve: (index: number) => void;
}

export class WaitingRoom {
  readonly #queue: WaitQueue<Waiter>;

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

  /** Resolves with what `choose` got, or NONE when the time is up or there is no room to wait in. */
  wait(choose: () => number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    if (this.#queue.join({ choose, resolve }) === null) resolve(NONE);
    // Those before may each wait for the member of a session: others may be free.
    else this.wake();
    return promise;
  }

  /** A member may be free: whoever can be served goes on. Call it too from time to time, for what nobody tells. */
  wake(): void {
    if (this.#queue.length === 0) return;
    this.#queue.wake(({ choose, resolve }) => {
      const index = choose();
      if (index === NONE) return false;
      resolve(index);
      return true;
    });
    for (let late = this.#queue.takeExpired(); late !== null; late = this.#queue.takeExpired()) late.resolve(NONE);
  }
}
