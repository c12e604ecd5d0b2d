// What the watches of one kind are up to, for metrics: whether all of it was read, when the server was heard last, and how
// often something went wrong. Reflectors write it; it decides nothing.

/** The watches of one kind together. */
export interface WatchState {
  /** Whether each of them has read everything once. */
  readonly isSynced: boolean;
  /** Since the one that is silent longest heard an event or a bookmark, in milliseconds; null: there is none, or it never did. */
  readonly silentMs: number | null;
  /** Lists after the first one. */
  readonly relists: number;
  /** Requests that failed or were cut; a watch that was too far behind is a re-list and no fault. */
  readonly faults: number;
}

/** One reflector's part. */
export interface WatchLine {
  isSynced: boolean;
  /** Monotonic milliseconds. */
  heardMs: number | null;
}

export class WatchTally {
  readonly #lines = new Set<WatchLine>();
  #isUsed = false;
  relists = 0;
  faults = 0;

  open(): WatchLine {
    const line: WatchLine = { isSynced: false, heardMs: null };
    this.#lines.add(line);
    this.#isUsed = true;
    return line;
  }

  /** It is watched no more; what was counted stays. */
  close(line: WatchLine): void {
    this.#lines.delete(line);
  }

  /** Null: nothing of the kind was ever watched. */
  read(nowMs: number): WatchState | null {
    if (!this.#isUsed) return null;
    let silentMs: number | null = null;
    let isSynced = true;
    for (const line of this.#lines) {
      isSynced &&= line.isSynced;
      if (line.heardMs !== null) silentMs = Math.max(silentMs ?? 0, nowMs - line.heardMs);
    }
    return { isSynced, silentMs, relists: this.relists, faults: this.faults };
  }
}
