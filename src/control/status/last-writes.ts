// What was written last, for as long as the watch may not show it yet: the watch comes later than the answer to a write, and
// what it still shows of the time before is no change that somebody made.
import type { Clock } from '../../lib/clock.ts';
import type { BalancerStatus } from './desired-status.ts';
import type { StatusWish } from './status-writer.ts';

interface Written {
  readonly uid: string;
  readonly status: BalancerStatus | undefined;
  /** resourceVersion of the object that was watched then, and the one that came of the write. */
  readonly watched: string;
  readonly version: string;
  readonly atMs: number;
}

/** A Balancer as the watch shows it, as far as that matters here. */
interface Watched {
  readonly metadata: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined };
  readonly status?: BalancerStatus | undefined;
}

/** How long a write of ours may take to come back by the watch. */
const ECHO_MS = 5_000;
/** How long after a write it is asked again and again: until a look that no longer waits for the watch. */
const AWAIT_MS = ECHO_MS + 2_000;

export class LastWrites {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #written = new Map<string, Written>();
  /** Keys of late writes, the oldest first. */
  readonly #late = new Set<string>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** `watched`: the Balancer as the watch shows it now; `version`: the resourceVersion that came of the write. */
  note(key: string, { target, status }: StatusWish, watched: Watched, version: string): void {
    const { resourceVersion = '' } = watched.metadata;
    const atMs = this.#clock.nowMs();
    this.#written.set(key, { uid: target.uid, status: status ?? undefined, watched: resourceVersion, version, atMs });
    this.#late.delete(key);
    this.#late.add(key);
  }

  /** The status that is there: as watched, unless the watch cannot have what was just written yet. */
  current(key: string, { metadata, status }: Watched): Pick<StatusWish, 'before' | 'basis'> {
    const { uid, resourceVersion = '' } = metadata;
    const written = this.#written.get(key);
    const asWatched = { before: status, basis: resourceVersion };
    if (written === undefined || written.uid !== uid) return asWatched;
    if (written.version === resourceVersion) {
      // It came back: whatever is shown from now on is newer.
      this.delete(key);
      return asWatched;
    }
    const isAwaited = this.#clock.nowMs() - written.atMs < ECHO_MS || written.watched === resourceVersion;
    return isAwaited ? { before: written.status, basis: written.version } : asWatched;
  }

  /** Keys of which `current` may become another though the watch shows nothing new. */
  awaited(): Iterable<string> {
    const sinceMs = this.#clock.nowMs() - AWAIT_MS;
    for (const key of this.#late) {
      if ((this.#written.get(key)?.atMs ?? 0) > sinceMs) break;
      this.#late.delete(key);
    }
    return this.#late;
  }

  keys(): Iterable<string> {
    return this.#written.keys();
  }

  delete(key: string): void {
    this.#written.delete(key);
    this.#late.delete(key);
  }

  clear(): void {
    this.#written.clear();
    this.#late.clear();
  }
}
