// PURE: the rules by which replicas agree on a leader through one Lease, as client-go's leaderelection does. No I/O, no
// timers; times are monotonic milliseconds of this process alone. It never looks at times that others wrote: that a
// record changed, and when this process saw it change, is all that counts, so no wall clock can break it.

/** What a Lease says, as far as it matters. Both times are for people only. */
export interface LeaseRecord {
  /** Identity of the leader; '': nobody leads. */
  readonly holder: string;
  /** How long the holder may count on it after a renewal, in milliseconds; 0: the Lease does not say. */
  readonly durationMs: number;
  /** How often the holder has changed. */
  readonly transitions: number;
  /** RFC 3339; '': unknown. */
  readonly acquireTime: string;
  readonly renewTime: string;
}

/** A Lease as it was read. */
export interface SeenLease {
  readonly record: LeaseRecord;
  /** Opaque, another one after each write. */
  readonly version: string;
}

/** A write that must be made only if the Lease still is what `over` says; null: only if there is none. */
export interface LeaseClaim<Lease extends SeenLease = SeenLease> {
  readonly record: LeaseRecord;
  readonly over: Lease | null;
}

export interface ElectionTerms {
  /** Unique among all candidates, and of this start of the process. */
  readonly identity: string;
  /** Candidates wait for that long after a record was seen to change before they take it from its holder. Milliseconds. */
  readonly leaseDurationMs: number;
  /** A leader that could not renew for that long stops leading; well below `leaseDurationMs`. Milliseconds. */
  readonly renewDeadlineMs: number;
}

/** What a released Lease holds for, in milliseconds: the least that a Lease can say. */
const RELEASED_DURATION_MS = 1_000;

/**
 * One candidate. Each try is: `step`, then a read whose result goes to `judge`, or the renewal at once; a claim that
 * comes out of it is written, and what came of that is told by `won` or `lostTrack`.
 *
 * Why no two lead at once: a leader counts from before it sent a renewal, to `renewDeadlineMs`; a candidate from after it
 * received a changed record, for the whole `leaseDurationMs`; and writes are made only over what was read.
 */
export class LeaderElection<Lease extends SeenLease = SeenLease> {
  readonly #terms: ElectionTerms;
  /** The newest Lease known, and when it was first seen. */
  #observed: { readonly lease: Lease; readonly atMs: number } | null = null;
  /** Before the last renewal that succeeded was sent; null: this candidate does not lead. */
  #renewedMs: number | null = null;
  #mustRead = true;
  #renewWallMs = 0;

  constructor(terms: ElectionTerms) {
    this.#terms = terms;
  }

  /** Whether this candidate leads at that moment. To be asked before each act of a leader, not remembered. */
  isLeading(nowMs: number): boolean {
    return this.#renewedMs !== null && nowMs < this.#renewedMs + this.#terms.renewDeadlineMs;
  }

  /** The leader as last seen; '': nobody, or not known. */
  get holder(): string {
    return this.#observed?.lease.record.holder ?? '';
  }

  /** How long until the Lease may be taken from another; 0: now, or nothing is known of it. Milliseconds. */
  waitMs(nowMs: number): number {
    if (this.#observed === null || this.#isFree(this.#observed.lease)) return 0;
    return Math.max(0, this.#observed.atMs + this.#durationMs(this.#observed.lease) - nowMs);
  }

  /** How a try begins: with a read, or at once with the renewal of what is held. */
  step(nowMs: number, wallMs: number): LeaseClaim<Lease> | 'read' {
    if (this.#mustRead || this.#observed === null || !this.isLeading(nowMs)) return 'read';
    return this.#renewal(this.#observed.lease, wallMs);
  }

  /** What to write after a read that ended at `nowMs`; null: nothing, another one leads or may lead. */
  judge(lease: Lease | null, nowMs: number, wallMs: number): LeaseClaim<Lease> | null {
    this.#mustRead = false;
    if (lease === null) {
      this.#renewedMs = null;
      // Somebody deleted it. Who held it does not know yet and may lead on.
      if (this.waitMs(nowMs) > 0) return null;
      this.#observed = null;
      return { record: this.#recordOf(0, wallMs), over: null };
    }
    if (lease.version !== this.#observed?.lease.version) this.#observed = { lease, atMs: nowMs };
    if (lease.record.holder === this.#terms.identity) return this.#renewal(lease, wallMs);
    this.#renewedMs = null;
    if (this.waitMs(nowMs) > 0) return null;
    return { record: this.#recordOf(lease.record.transitions + 1, wallMs), over: lease };
  }

  /** The claim was written by a request that was sent at `sentMs`; `lease` is what there is now. */
  won(lease: Lease, sentMs: number): void {
    this.#observed = { lease, atMs: sentMs };
    this.#renewedMs = lease.record.holder === this.#terms.identity ? sentMs : null;
    this.#mustRead = false;
  }

  /**
   * The claim was refused, since the Lease is not what it was, or nobody knows what came of the request. Leading goes on
   * until the deadline, or until a read tells of another leader.
   */
  lostTrack(): void {
    this.#mustRead = true;
  }

  /** Stops leading at once. The claim that lets others lead without waiting; null: there is nothing to give back. */
  resign(nowMs: number): LeaseClaim<Lease> | null {
    const isLeading = this.isLeading(nowMs);
    this.#renewedMs = null;
    if (!isLeading || this.#observed === null) return null;
    const { lease } = this.#observed;
    return { record: { ...lease.record, holder: '', durationMs: RELEASED_DURATION_MS }, over: lease };
  }

  #renewal(lease: Lease, wallMs: number): LeaseClaim<Lease> {
    const { acquireTime, transitions } = lease.record;
    const record = this.#recordOf(transitions, wallMs);
    return { record: acquireTime === '' ? record : { ...record, acquireTime }, over: lease };
  }

  #recordOf(transitions: number, wallMs: number): LeaseRecord {
    // A write that changes nothing gives no new version, and others would not see the renewal: a clock that stands
    // still or goes back must not bring the same time again.
    this.#renewWallMs = Math.max(wallMs, this.#renewWallMs + 1);
    const time = microTime(this.#renewWallMs);
    const { identity, leaseDurationMs } = this.#terms;
    return { holder: identity, durationMs: leaseDurationMs, transitions, acquireTime: time, renewTime: time };
  }

  #isFree(lease: Lease): boolean {
    return lease.record.holder === '' || lease.record.holder === this.#terms.identity;
  }

  /** The holder counts on what it wrote, which may be more than what candidates of our version would write. */
  #durationMs(lease: Lease): number {
    return Math.max(lease.record.durationMs, this.#terms.leaseDurationMs);
  }
}

/** RFC 3339 with six digits, as Kubernetes' MicroTime. */
export function microTime(wallMs: number): string {
  return new Date(Math.floor(wallMs)).toISOString().replace('Z', '000Z');
}
