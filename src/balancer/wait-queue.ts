// Requests that wait for a free member, in the order they came (httpd's balancer `timeout`). Knows nothing of
// members: whoever frees one wakes the queue, and says for each waiter in turn whether it could be placed.
// Differs from httpd: a queue serves every waiter in turn. There waiting zeroes a shared timeout, so that a second
// request does not wait at all.
import type { Clock } from '../lib/clock.ts';

/** A waiter in the queue; what `join` returns and `leave` takes. */
export interface Place<W> {
  readonly waiter: W;
  readonly joinedMs: number;
  /** Counts up by one with each that joins. */
  readonly serial: number;
  previous: Place<W> | null;
  next: Place<W> | null;
  isWaiting: boolean;
}

export class WaitQueue<W> {
  readonly #clock: Clock;
  #waitMs = 0;
  #maxWaiting = 0;
  #first: Place<W> | null = null;
  #last: Place<W> | null = null;
  #length = 0;
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait. While it is not 0, a newcomer joins before it tries: otherwise it would overtake. */
  get length(): number {
    return this.#length;
  }

  /** Takes effect on those who wait already, too. `waitMs` 0: nobody waits. `maxWaiting` 0: no limit. */
  configure(waitMs: number, maxWaiting: number): void {
    this.#waitMs = waitMs;
    this.#maxWaiting = maxWaiting;
  }

  /** Joins at the end; null when there is no waiting, or no room. */
  join(waiter: W): Place<W> | null {
    if (this.#waitMs <= 0 || (this.#maxWaiting > 0 && this.#length >= this.#maxWaiting)) return null;
    this.#serial += 1;
    const place: Place<W> = {
      waiter,
      joinedMs: this.#clock.nowMs(),
      serial: this.#serial,
      previous: this.#last,
      next: null,
      isWaiting: true,
    };
    if (this.#last === null) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#length += 1;
    return place;
  }

  /** Leaves the queue, from wherever it stands; false when it had left already. */
  leave(place: Place<W>): boolean {
    if (!place.isWaiting) return false;
    place.isWaiting = false;
    if (place.previous === null) this.#first = place.next;
    else place.previous.next = place.next;
    if (place.next === null) this.#last = place.previous;
    else place.next.previous = place.previous;
    this.#length -= 1;
    return true;
  }

  /**
   * Asks those who wait, first come first, whether they can be placed now; `tryPlace` says so. Each is asked once,
   * and none that joins meanwhile. Stops when `room` of them were placed; returns how many were.
   */
  wake(tryPlace: (waiter: W) => boolean, room = Infinity): number {
    const lastSerial = this.#serial;
    let placed = 0;
    let place = this.#first;
    while (place !== null && place.serial <= lastSerial && placed < room) {
      if (place.isWaiting && tryPlace(place.waiter)) {
        this.leave(place);
        placed += 1;
      }
      // One that has left still knows who came after it.
      place = place.next;
    }
    return placed;
  }

  /** Takes out the first waiter if its time is up; null when nobody's is. Call it until null. */
  takeExpired(): W | null {
    const place = this.#first;
    if (place === null || this.#clock.nowMs() < place.joinedMs + this.#waitMs) return null;
    this.leave(place);
    return place.waiter;
  }

  /** When the first waiter's time will be up, on the clock's monotonic axis; null when nobody waits. */
  nextExpiryMs(): number | null {
    return this.#first === null ? null : this.#first.joinedMs + this.#waitMs;
  }
}
