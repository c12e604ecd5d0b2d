// Writes statuses, one request per Balancer at a time: each Balancer has its own pace and its own back-off, so that a fault
// of one does not stop the others, and only the newest wish of each is kept. It asks before each request whether this
// process still leads. What is to be written, and whether that differs from what is there, others decide.
import { type Backoff, createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { ApiError } from '../../provider/kubernetes/api-error.ts';
import type { StatusClient, StatusTarget } from '../../provider/kubernetes/status-client.ts';
import type { BalancerStatus } from './desired-status.ts';

/** One wish for a Balancer. */
export interface StatusWish {
  readonly target: StatusTarget;
  /** Null: say nothing there any more, if we said something. */
  readonly status: BalancerStatus | null;
  /** As it is now. */
  readonly before: BalancerStatus | undefined;
  /** resourceVersion of the Balancer of which `before` is the status. */
  readonly basis: string;
}

/**
 * `unchanged`: the API server found nothing to change. `conflict`: the Balancer was another version, which mostly leads to
 * another request at once. `gone`: it is not there any more.
 */
export type WriteResult = 'written' | 'unchanged' | 'conflict' | 'gone' | 'failed';

export interface StatusWriterOptions {
  readonly client: StatusClient;
  readonly isLeading: () => boolean;
  /** Called after a wish was fulfilled, with the resourceVersion that came of it; must not throw. */
  readonly onWritten: (key: string, wish: StatusWish, resourceVersion: string) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** Between two writes of one Balancer. */
const PACE_MS = 1_000;
const BASE_DELAY_MS = 1_000;
const MAX_DELAY_MS = 60_000;
/** Requests under way at once, and the least time between the beginnings of two: 50 a second. */
const MAX_OPEN = 4;
const SPACING_MS = 20;
/** How often a write is tried again at once, over the version that there is by then. */
const CONFLICT_TRIES = 3;
/** How long requests under way may take to end after the last wish. */
const QUIET_MS = 2_000;

/** One Balancer. */
interface Entry {
  wish: StatusWish | null;
  isOpen: boolean;
  /** Not before this. Monotonic milliseconds. */
  dueMs: number;
  readonly backoff: Backoff;
  /** Kind of the last fault; '': none. */
  fault: string;
  /** That fault was not about this Balancer: there was no answer, or one that blames the server. */
  isOutage: boolean;
}

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #counts: Record<WriteResult, number> = { written: 0, unchanged: 0, conflict: 0, gone: 0, failed: 0 };
  readonly #stopping = new AbortController();
  /** Kinds of faults that were logged and are not over. */
  readonly #faults = new Set<string>();
  readonly #open = new Set<Promise<void>>();
  #nextMs = 0;
  #timer: unknown = null;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** Requests so far, by what came of them. */
  get counts(): Readonly<Record<WriteResult, number>> {
    return this.#counts;
  }

  /** All wishes there are: Balancers that are not among them have none. */
  wish(wishes: ReadonlyMap<string, StatusWish>): void {
    for (const [key, entry] of this.#entries) {
      entry.wish = wishes.get(key) ?? null;
      const isOver = entry.wish === null && !entry.isOpen && entry.dueMs <= this.#options.clock.nowMs();
      if (isOver) this.#entries.delete(key);
    }
    for (const [key, wish] of wishes) {
      if (!this.#entries.has(key)) this.#entries.set(key, this.#createEntry(wish));
    }
    this.#settleFaults();
    this.#pump();
  }

  /** The API server answers again after a time without: what failed for that alone need not wait as long as it was to. */
  retrySoon(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const entry of this.#entries.values()) {
      if (!entry.isOutage) continue;
      entry.isOutage = false;
      entry.backoff.reset();
      entry.dueMs = Math.min(entry.dueMs, nowMs);
    }
    this.#pump();
  }

  /**
   * Takes no more wishes. Resolves to whether every request under way ended by itself: one that was cut may
   * still be carried out by the API server.
   */
  async stop(): Promise<boolean> {
    const { timers } = this.#options;
    for (const entry of this.#entries.values()) entry.wish = null;
    this.#clearTimer();
    let isCut = false;
    const limit = timers.set(() => {
      isCut = this.#open.size > 0;
      this.#stopping.abort(new Error('shutting down'));
    }, QUIET_MS);
    await Promise.all(this.#open);
    timers.clear(limit);
    this.#stopping.abort(new Error('shutting down'));
    return !isCut;
  }

  #createEntry(wish: StatusWish): Entry {
    const backoff = createBackoff(BASE_DELAY_MS, MAX_DELAY_MS, this.#options.random);
    return { wish, isOpen: false, dueMs: 0, backoff, fault: '', isOutage: false };
  }

  /** Begins what may begin now, and comes back for the rest. */
  #pump(): void {
    this.#clearTimer();
    if (this.#stopping.signal.aborted) return;
    const { clock, timers } = this.#options;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [key, entry] of this.#entries) {
      if (entry.wish === null || entry.isOpen) continue;
      if (this.#open.size >= MAX_OPEN) return;
      const nowMs = clock.nowMs();
      const dueMs = Math.max(entry.dueMs, this.#nextMs);
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      this.#nextMs = nowMs + SPACING_MS;
      this.#begin(key, entry, entry.wish);
    }
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = timers.set(() => this.#pump(), Math.max(1, Math.ceil(nextMs - clock.nowMs())));
  }

  #begin(key: string, entry: Entry, wish: StatusWish): void {
    entry.isOpen = true;
    entry.wish = null;
    const write = this.#write(key, entry, wish).finally(() => {
      this.#open.delete(write);
      entry.isOpen = false;
      this.#pump();
    });
    this.#open.add(write);
  }

  async #write(key: string, entry: Entry, wish: StatusWish): Promise<void> {
    const { clock, onWritten } = this.#options;
    try {
      const version = await this.#apply(wish);
      if (version === null) return;
      entry.dueMs = clock.nowMs() + PACE_MS;
      entry.backoff.reset();
      entry.fault = '';
      entry.isOutage = false;
      onWritten(key, wish, version);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#failed(key, entry, error);
    }
  }

  /** The resourceVersion afterwards; null: nothing was done, since this process does not lead any more. */
  async #apply({ target, status, basis }: StatusWish): Promise<string | null> {
    const { client, isLeading } = this.#options;
    const { signal } = this.#stopping;
    let over = basis;
    if (status === null) {
      const { isOurs, uid, resourceVersion } = await client.read(target, signal);
      if (!isOurs || uid !== target.uid) return resourceVersion;
      over = resourceVersion;
    }
    for (let left = CONFLICT_TRIES; ; left -= 1) {
      if (!isLeading()) return null;
      try {
        const version = await client.apply(target, status, over, signal);
        this.#counts[version === over ? 'unchanged' : 'written'] += 1;
        return version;
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 409)) throw error;
        this.#counts.conflict += 1;
        const { uid, resourceVersion } = await client.read(target, signal);
        // Deleted and made anew: what is known is of the old one.
        if (uid !== target.uid || left === 1) throw error;
        over = resourceVersion;
      }
    }
  }

  #failed(key: string, entry: Entry, error: unknown): void {
    const { clock, log } = this.#options;
    const { status, reason, retryAfterMs } =
      error instanceof ApiError ? error : { status: 0, reason: 'Fault', retryAfterMs: null };
    const nowMs = clock.nowMs();
    const delayMs = status === 409 ? PACE_MS : entry.backoff.next();
    entry.dueMs = nowMs + Math.max(delayMs, retryAfterMs ?? 0);
    // What the server cannot bear from one, it cannot bear from the others.
    if (status === 429) this.#nextMs = Math.max(this.#nextMs, nowMs + (retryAfterMs ?? BASE_DELAY_MS));
    if (status === 404) this.#counts.gone += 1;
    else if (status !== 409) this.#counts.failed += 1;
    // Deleted, or deleted and made anew: the watch will say so.
    entry.fault = status === 404 || status === 409 ? '' : `${status} ${reason}`;
    entry.isOutage = error instanceof ApiError && (status === 0 || status >= 500);
    if (entry.fault === '') return;
    if (this.#faults.has(entry.fault)) return;
    this.#faults.add(entry.fault);
    const message = error instanceof Error ? error.message : String(error);
    log.warn({ balancer: key, reason: message }, 'a status cannot be written; trying on');
  }

  #settleFaults(): void {
    if (this.#faults.size === 0 || [...this.#entries.values()].some(({ fault }) => fault !== '')) return;
    this.#faults.clear();
    this.#options.log.info({}, 'statuses can be written again');
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }
}
