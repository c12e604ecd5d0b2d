// Addresses of members that are named. Names are looked up by threads of which the process has few, and a name server
// that does not answer holds each for many seconds: so what was found is used for a while, and on while it is looked up
// again, a name is never looked up twice at the same time, and of those that failed slowly one at a time is looked up.
// Connects to nothing.
import type { LookupAddress } from 'node:dns';
import type { Clock } from '../lib/clock.ts';

/** An answer this old is looked up anew. */
const FRESH_MS = 5_000;
/** Up to this age it is used at once, while it is looked up. */
const STALE_MS = 30_000;
/** Up to this age it is better than none. */
const LAST_GOOD_MS = 300_000;
/** Whoever has only an old answer waits so long for a new one. */
const PATIENCE_MS = 1_000;
/** A name that was not found is looked for again after this, or after as long as the failure took. */
const MIN_REST_MS = 1_000;
const MAX_REST_MS = 30_000;
/** A failure that takes so long is that of a name server that does not answer. */
const SLOW_MS = 2_000;
/** Names kept; the one that came first goes first. */
const MAX_NAMES = 1_024;

type Found = readonly LookupAddress[];
type Done = (error: NodeJS.ErrnoException | null, addresses: Found) => void;

interface Entry {
  /** What was found last; empty: nothing yet, or not any more. */
  addresses: Found;
  foundMs: number;
  /** Why the last look-up failed; null: it did not. */
  error: NodeJS.ErrnoException | null;
  /** Whether that took so long that a name server must have been silent. */
  isSlow: boolean;
  /** Until then it is not looked up again. */
  restsUntilMs: number;
  /** Who waits for the look-up that is under way; null: none is. */
  waiting: Set<Done> | null;
}

export interface NameResolverOptions {
  /** Calls back once, with at least one address or an error. */
  readonly lookUp: (name: string, done: Done) => void;
  readonly clock: Clock;
}

export class NameResolver {
  readonly #lookUp: NameResolverOptions['lookUp'];
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** Whether a slow name is being looked up. */
  #isSlowOneUnderWay = false;

  constructor({ lookUp, clock }: NameResolverOptions) {
    this.#lookUp = lookUp;
    this.#clock = clock;
  }

  /** Calls `done` once, at once or later. */
  resolve(name: string, done: Done): void {
    const entry = this.#entryOf(name);
    const nowMs = this.#clock.nowMs();
    const ageMs = nowMs - entry.foundMs;
    const isKnown = entry.addresses.length > 0 && ageMs < LAST_GOOD_MS;
    const isDue = entry.waiting === null && ageMs >= FRESH_MS && nowMs >= entry.restsUntilMs;
    if (isDue && !(entry.isSlow && this.#isSlowOneUnderWay)) this.#refresh(name, entry);
    if (isKnown && ageMs < STALE_MS) return done(null, entry.addresses);
    // The look-up may have been answered within the call.
    if (entry.waiting === null) return answer(entry, done);
    if (!isKnown) return void entry.waiting.add(done);
    this.#waitABit(entry, entry.waiting, done);
  }

  #waitABit(entry: Entry, waiting: Set<Done>, done: Done): void {
    const waiter: Done = (error, addresses) => {
      clearTimeout(timer);
      done(error, addresses);
    };
    const timer = setTimeout(() => {
      if (waiting.delete(waiter)) answer(entry, done);
    }, PATIENCE_MS);
    waiting.add(waiter);
  }

  #refresh(name: string, entry: Entry): void {
    const startedMs = this.#clock.nowMs();
    const waiting = new Set<Done>();
    const isSlow = entry.isSlow;
    entry.waiting = waiting;
    if (isSlow) this.#isSlowOneUnderWay = true;
    this.#lookUp(name, (error, addresses) => {
      const nowMs = this.#clock.nowMs();
      entry.waiting = null;
      entry.error = error;
      entry.isSlow = error !== null && nowMs - startedMs >= SLOW_MS;
      if (isSlow) this.#isSlowOneUnderWay = false;
      if (error === null) {
        entry.addresses = addresses;
        entry.foundMs = nowMs;
      } else {
        entry.restsUntilMs = nowMs + Math.min(MAX_REST_MS, Math.max(MIN_REST_MS, nowMs - startedMs));
        // A name server that is in trouble takes nothing back; one that says there is no such name does.
        const isLost = error.code === 'ENOTFOUND' || nowMs - entry.foundMs >= LAST_GOOD_MS;
        if (isLost) entry.addresses = [];
      }
      for (const done of waiting) answer(entry, done);
    });
  }

  #entryOf(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = {
        addresses: [],
        foundMs: Number.NEGATIVE_INFINITY,
        error: null,
        isSlow: false,
        restsUntilMs: 0,
        waiting: null,
      };
      if (this.#entries.size >= MAX_NAMES) this.#entries.delete(this.#entries.keys().next().value!);
      this.#entries.set(name, entry);
    }
    return entry;
  }
}

function answer({ addresses, error }: Entry, done: Done): void {
  if (addresses.length > 0) done(null, addresses);
  else done(error ?? Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' }), []);
}
