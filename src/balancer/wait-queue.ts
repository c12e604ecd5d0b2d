// Requests that wait for a free member, in the order they came (httpd's balancer `timeout`). Knows nothing of
// members: whoever frees one wakes the queue, and says for each waiter in turn whether it could be placed.
// Those who wait for the same stand in one line: what its first cannot have the others cannot have either, so they
// are not asked, and waking costs as much as there are lines, not waiters.
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
  /** The one behind it in its line; may have left already. */
  nextInLine: Place<W> | null;
  isWaiting: boolean;
}

interface Line<W> {
  readonly name: string;
  /** May have left already: `firstOf` knows. */
  first: Place<W> | null;
  last: Place<W> | null;
}

export class WaitQueue<W> {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line<W>>();
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

  /** Joins at the end, in the line of this name; null when there is no waiting, or no room. */
  join(waiter: W, line: string): Place<W> | null {
    if (this.#waitMs <= 0 || (this.#maxWaiting > 0 && this.#length >= this.#maxWaiting)) return null;
    this.#serial += 1;
    const place: Place<W> = {
      waiter,
      joinedMs: this.#clock.nowMs(),
      serial: this.#serial,
      previous: this.#last,
      next: null,
      nextInLine: null,
      isWaiting: true,
    };
    if (this.#last === null) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    this.#length += 1;
    this.#lineUp(place, line);
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
    if (this.#length === 0) this.#lines.clear();
    return true;
  }

  /**
   * Asks those who wait, first come first, whether they can be placed now; `tryPlace` says so. Nobody is asked behind one
   * of the same line who could not, nor any that joins meanwhile. Stops when `room` of them were placed; returns how many
   * were.
   */
  wake(tryPlace: (waiter: W) => boolean, room = Infinity): number {
    const lastSerial = this.#serial;
    const open = this.#linesByAge();
    let placed = 0;
    while (open.length > 0 && placed < room) {
      const line = open.shift()!;
      const place = firstOf(line);
      if (place === null || place.serial > lastSerial || !tryPlace(place.waiter)) continue;
      this.leave(place);
      placed += 1;
      const next = firstOf(line);
      if (next !== null) insertByAge(open, line, next.serial);
    }
    return placed;
  }

  /** Has everybody stand in the line that they wait in now; they keep their turn. */
  rearrange(lineOf: (waiter: W) => string): void {
    this.#lines.clear();
    for (let place = this.#first; place !== null; place = place.next) {
      place.nextInLine = null;
      this.#lineUp(place, lineOf(place.waiter));
    }
  }

  /** Takes out those who wait no longer; `isOver` says so for each. */
  clear(isOver: (waiter: W) => boolean): void {
    for (let place = this.#first; place !== null; place = place.next) {
      if (isOver(place.waiter)) this.leave(place);
    }
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

  #lineUp(place: Place<W>, name: string): void {
    const line = this.#lines.get(name);
    if (line === undefined) {
      this.#lines.set(name, { name, first: place, last: place });
      return;
    }
    if (firstOf(line) === null) line.first = place;
    else line.last!.nextInLine = place;
    line.last = place;
  }

  /** Those in which somebody stands; the one whose first came first is the first. */
  #linesByAge(): Line<W>[] {
    const lines: Line<W>[] = [];
    for (const line of this.#lines.values()) {
      if (firstOf(line) === null) this.#lines.delete(line.name);
      else lines.push(line);
    }
    return lines.length < 2 ? lines : lines.sort((one, other) => one.first!.serial - other.first!.serial);
  }
}

function firstOf<W>(line: Line<W>): Place<W> | null {
  while (line.first !== null && !line.first.isWaiting) line.first = line.first.nextInLine;
  return line.first;
}

function insertByAge<W>(lines: Line<W>[], line: Line<W>, serial: number): void {
  let at = 0;
  while (at < lines.length && (firstOf(lines[at]!)?.serial ?? 0) < serial) at += 1;
  lines.splice(at, 0, line);
}
