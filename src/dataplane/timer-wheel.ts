// Timeouts of a whole lane with one timer. Setting a deadline is two stores; only a deadline that
// comes earlier than planned moves its entry. Deadlines fire up to one tick late, never early; up to two ticks after the
// process has stood still.

import type { Clock } from '../lib/clock.ts';

/** Something with a deadline; connections extend it. */
export abstract class Timed {
  /** The first tick at which the deadline has passed; 0: there is none. Owned by the wheel. */
  deadlineTick = 0;
  /** The tick at which the wheel looks at this entry next; 0: it does not. Owned by the wheel. */
  plannedTick = 0;
  /** Place in the slot of that tick. Owned by the wheel. */
  slotPlace = 0;

  /** The deadline has passed. It is unset before the call. */
  abstract onDeadline(): void;
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: Timed[][];
  /** The tick that was looked at last. */
  #tick: number;
  /** Of the last call of `advance`. */
  #calledMs: number;
  /** Whether that came too late to fire anything. */
  #wasLate = false;

  /** `slots` × `tickMs` is how far ahead an entry can be planned; later deadlines are planned again on the way. */
  constructor(clock: Clock, tickMs = 100, slots = 1024) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#slots = Array.from({ length: slots }, () => []);
    this.#calledMs = clock.nowMs();
    this.#tick = Math.floor(this.#calledMs / tickMs);
  }

  get tickMs(): number {
    return this.#tickMs;
  }

  /** Sets or moves the deadline to so many milliseconds from now; 0: unsets it. */
  set(entry: Timed, timeoutMs: number): void {
    if (timeoutMs > 0) this.arm(entry, this.#clock.nowMs() + timeoutMs);
    else this.disarm(entry);
  }

  /** Sets or moves the deadline to a time of the clock. */
  arm(entry: Timed, deadlineMs: number): void {
    const tick = Math.max(1, Math.ceil(deadlineMs / this.#tickMs));
    entry.deadlineTick = tick;
    if (entry.plannedTick !== 0) {
      // Planned for an earlier look: that look will plan it again.
      if (entry.plannedTick <= tick) return;
      this.#remove(entry);
    }
    this.#plan(entry, tick);
  }

  /** Unsets the deadline; cheap, for entries that will be armed again. */
  disarm(entry: Timed): void {
    entry.deadlineTick = 0;
  }

  /** Unsets the deadline and lets go of the entry: what is gone must not be kept alive by its last deadline. */
  forget(entry: Timed): void {
    entry.deadlineTick = 0;
    if (entry.plannedTick !== 0) this.#remove(entry);
  }

  /**
   * Fires what is due. Call it every `tickMs` or so; ticks that were missed are made up for. A call that comes late leaves it
   * to the next one: while we were held up, by other work or because the machine gave us no time, whoever is waited for may
   * have answered, and is read before that.
   */
  advance(nowMs: number): void {
    const isLate = nowMs - this.#calledMs > this.#tickMs * 1.5;
    this.#calledMs = nowMs;
    this.#wasLate = isLate && !this.#wasLate;
    if (this.#wasLate) return;
    const nowTick = Math.floor(nowMs / this.#tickMs);
    // After a long sleep each slot need be looked at only once.
    const first = Math.max(this.#tick + 1, nowTick - this.#slots.length + 1);
    for (let tick = first; tick <= nowTick; tick += 1) {
      this.#tick = tick;
      this.#lookAt(this.#slots[tick % this.#slots.length]!, nowTick);
    }
  }

  // What is planned meanwhile goes to other slots, and what is forgotten leaves this one.
  #lookAt(slot: Timed[], nowTick: number): void {
    while (slot.length > 0) {
      const entry = slot.pop()!;
      entry.plannedTick = 0;
      if (entry.deadlineTick === 0) continue;
      if (entry.deadlineTick > nowTick) {
        this.#plan(entry, entry.deadlineTick);
        continue;
      }
      entry.deadlineTick = 0;
      entry.onDeadline();
    }
  }

  #plan(entry: Timed, tick: number): void {
    const planned = Math.min(Math.max(tick, this.#tick + 1), this.#tick + this.#slots.length - 1);
    const slot = this.#slots[planned % this.#slots.length]!;
    entry.plannedTick = planned;
    entry.slotPlace = slot.length;
    slot.push(entry);
  }

  #remove(entry: Timed): void {
    const slot = this.#slots[entry.plannedTick % this.#slots.length]!;
    const last = slot.pop()!;
    if (last !== entry) {
      slot[entry.slotPlace] = last;
      last.slotPlace = entry.slotPlace;
    }
    entry.plannedTick = 0;
  }
}
