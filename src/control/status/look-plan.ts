// Which Balancers are worth a look now: those that changed, and those of which something is under way. All of them only
// where nobody can say which, and now and then to be on the safe side: a cluster has thousands, and one change is of one.
import type { Changed } from '../../lib/change-log.ts';
import type { SharedCells } from '../../scoreboard/layout.ts';
import type { StatusAddress } from './desired-status.ts';

export interface LookPlanOptions {
  /** All that name the keys of what changed. */
  readonly changes: readonly Changed[];
  /** The generation that every lane that serves has reached. */
  readonly acknowledged: () => number;
  readonly shared: Pick<SharedCells, 'flagTurns'>;
  readonly addresses: () => readonly StatusAddress[] | null;
  /** Keys of versions that are on their way to the lanes. */
  readonly pending: () => Iterable<string>;
  /** Keys of which something else is under way. */
  readonly unfinished: () => Iterable<string>;
}

/** How often what is under way is looked at. */
const SWEEP_MS = 1_000;
/** How often everything is. */
const REST_MS = 30_000;

export class LookPlan {
  readonly #options: LookPlanOptions;
  /** Versions of `changes` when it was asked last. */
  readonly #versions: number[];
  #flagTurns = 0;
  #acknowledged = 0;
  #addresses: readonly StatusAddress[] | null = null;
  #sweptMs = Number.NEGATIVE_INFINITY;
  #restedMs = Number.NEGATIVE_INFINITY;

  constructor(options: LookPlanOptions) {
    this.#options = options;
    this.#versions = options.changes.map(() => 0);
  }

  /** The keys that are due since it was asked last; null: all. */
  next(nowMs: number): ReadonlySet<string> | null {
    const { changes, pending, unfinished } = this.#options;
    const keys = new Set<string>();
    let isAll = this.#isAllDue(nowMs);
    for (const [index, log] of changes.entries()) {
      const before = this.#versions[index]!;
      if (log.version === before) continue;
      this.#versions[index] = log.version;
      const changed = log.since(before);
      if (changed === null) isAll = true;
      else for (const key of changed) keys.add(key);
    }
    const acknowledged = this.#options.acknowledged();
    // Lanes went, or one serves that is behind: whatever was programmed may not be.
    if (acknowledged < this.#acknowledged) isAll = true;
    if (acknowledged > this.#acknowledged) for (const key of pending()) keys.add(key);
    this.#acknowledged = acknowledged;
    if (isAll) {
      this.#restedMs = nowMs;
      this.#sweptMs = nowMs;
      return null;
    }
    if (nowMs - this.#sweptMs >= SWEEP_MS) {
      this.#sweptMs = nowMs;
      for (const key of pending()) keys.add(key);
      for (const key of unfinished()) keys.add(key);
    }
    return keys;
  }

  /** All are due at the next question. */
  reset(): void {
    this.#restedMs = Number.NEGATIVE_INFINITY;
  }

  /** Neither flags nor addresses say whose they are. */
  #isAllDue(nowMs: number): boolean {
    const flagTurns = Atomics.load(this.#options.shared.flagTurns, 0);
    const addresses = this.#options.addresses();
    const isOther = flagTurns !== this.#flagTurns || addresses !== this.#addresses;
    this.#flagTurns = flagTurns;
    this.#addresses = addresses;
    return isOther || nowMs - this.#restedMs >= REST_MS;
  }
}
