// Looks at Balancers while this process leads, and wishes for a new status where what is known differs from what is there:
// of those that are served, and of those that were and are another class's now. Which ones are worth a look the plan says;
// a look starts from the whole of what is known of one, so nothing depends on what it saw before. Writing is the writer's business.
import type { Balancer } from '../../api/balancer.ts';
import type { RefusedBalancer } from '../../api/refused-balancer.ts';
import type { Changed } from '../../lib/change-log.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { StatusTarget } from '../../provider/kubernetes/status-client.ts';
import type { SharedCells } from '../../scoreboard/layout.ts';
import type { PlacedBalancer } from '../../snapshot/lane-protocol.ts';
import type { Classed } from '../../translate/balancer-entry.ts';
import type { Publisher } from '../publisher.ts';
import type { BalancerFacts, Reconciler } from '../reconcile.ts';
import {
  type BalancerStatus,
  desiredStatus,
  hasOurConditions,
  isSameStatus,
  refusedStatus,
  type StatusAddress,
  type StatusCondition,
  transitions,
} from './desired-status.ts';
import { LookPlan } from './look-plan.ts';
import { LastWrites } from './last-writes.ts';
import { countMembers, type MemberCounts, noMembers } from './member-counts.ts';
import type { StatusWish, StatusWriter } from './status-writer.ts';

export interface StatusReporterOptions {
  readonly reconciler: Pick<Reconciler, 'factsOf' | 'passes' | 'changes'>;
  readonly publisher: Pick<Publisher, 'placedOf' | 'acknowledged' | 'changes'>;
  readonly shared: Pick<SharedCells, 'flags' | 'flagTurns'>;
  /** Every Balancer of the cluster that is watched, of any class, as last seen. */
  readonly newest: ReadonlyMap<string, Balancer>;
  /** Those whose newest version does not parse; `newest` has an older one of them, or none. */
  readonly refused: ReadonlyMap<string, RefusedBalancer>;
  /** Of `newest` and `refused`. */
  readonly newestChanges: Changed;
  readonly isOurs: (balancer: Classed) => boolean;
  /** Where clients find the proxy; null: not known at the moment. */
  readonly addresses: () => readonly StatusAddress[] | null;
  readonly isLeading: () => boolean;
  readonly writer: Pick<StatusWriter, 'wish'>;
  /** Called with conditions that changed, after the status says so. */
  readonly onTransition: (target: StatusTarget, condition: StatusCondition) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** How often it is asked what is new. Under constant change that is also how often one Balancer is looked at. */
const LOOK_MS = 250;
/** A version is on its way to the lanes for some milliseconds; only if it takes longer than this, a status says so. */
const PENDING_MS = 2_000;
const NO_WISHES: ReadonlyMap<string, StatusWish> = new Map();

/** All that a status is made of, and the one that is there. */
interface Look {
  readonly facts: BalancerFacts;
  readonly placed: PlacedBalancer | undefined;
  readonly addresses: readonly StatusAddress[] | null;
  readonly before: BalancerStatus | undefined;
  readonly members: MemberCounts;
  /** Of the scoreboard, when the members were counted. */
  readonly flagTurns: number;
}

/** A Balancer as the watch shows it, whether or not it parses. */
type Seen = Balancer | RefusedBalancer;

/** Something that is kept by key of the Balancer. */
interface Memory {
  keys(): Iterable<string>;
  delete(key: string): unknown;
  clear(): void;
}

export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #plan: LookPlan;
  readonly #written: LastWrites;
  /** What Balancers looked like whose status is as it should be: most of them, most of the time. */
  readonly #satisfied = new Map<string, Look>();
  /** Since when versions have been on their way. */
  readonly #pending = new Map<string, number>();
  readonly #wishes = new Map<string, StatusWish>();
  /** Keys of wishes that were fulfilled since the last look: made again meanwhile, they are to be taken back. */
  readonly #fulfilled = new Set<string>();
  #flagTurns = 0;
  #timer: unknown = null;
  /** Balancers of other classes of which nothing is ours: uid and class. */
  readonly #others = new Map<string, string>();
  /** Of which no status can be made, and why. */
  readonly #faults = new Map<string, string>();
  /** All that is remembered of single Balancers. */
  readonly #memory: readonly Memory[];
  #wasLeading = false;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    const { reconciler, publisher, newestChanges, shared, addresses, clock } = options;
    this.#written = new LastWrites(clock);
    this.#memory = [
      this.#written,
      this.#satisfied,
      this.#pending,
      this.#wishes,
      this.#fulfilled,
      this.#others,
      this.#faults,
    ];
    this.#plan = new LookPlan({
      changes: [reconciler.changes, publisher.changes, newestChanges],
      acknowledged: () => publisher.acknowledged,
      shared,
      addresses,
      pending: () => this.#pending.keys(),
      unfinished: () => [...this.#wishes.keys(), ...this.#written.awaited()],
    });
  }

  start(): void {
    this.#tick();
  }

  stop(): void {
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }

  /** For the writer: a wish was fulfilled. */
  readonly onWritten = (key: string, wish: StatusWish, version: string): void => {
    const { onTransition, newest, refused } = this.#options;
    const { target, status, before } = wish;
    const seen = refused.get(key) ?? newest.get(key);
    if (seen === undefined) return;
    this.#written.note(key, wish, seen, version);
    this.#fulfilled.add(key);
    if (status === null) this.#others.set(key, classMark(seen));
    else for (const condition of transitions(before, status)) onTransition(target, condition);
  };

  #tick(): void {
    const { timers, clock, reconciler } = this.#options;
    this.#timer = timers.set(() => this.#tick(), LOOK_MS);
    const isLeading = this.#options.isLeading();
    if (isLeading !== this.#wasLeading) this.#forgetAll();
    this.#wasLeading = isLeading;
    if (!isLeading || reconciler.passes === 0) return;
    const nowMs = clock.nowMs();
    const due = this.#plan.next(nowMs);
    const keys = due === null ? this.#allKeys() : this.#fulfilled.union(due);
    if (keys.size > 0) this.#lookAt(keys, nowMs);
  }

  /**
   * At either end of a lead: whoever leads meanwhile may write what it likes, and only the watch knows. Nor is anything
   * wished for any more.
   */
  #forgetAll(): void {
    for (const kept of this.#memory) kept.clear();
    this.#plan.reset();
    this.#options.writer.wish(NO_WISHES);
  }

  /** With those of which something is remembered though they are gone. */
  #allKeys(): ReadonlySet<string> {
    const { newest, refused } = this.#options;
    const keys = new Set([...newest.keys(), ...refused.keys()]);
    for (const kept of this.#memory) for (const key of kept.keys()) keys.add(key);
    return keys;
  }

  #lookAt(keys: ReadonlySet<string>, nowMs: number): void {
    const { newest, refused, shared, writer } = this.#options;
    this.#flagTurns = Atomics.load(shared.flagTurns, 0);
    this.#fulfilled.clear();
    for (const key of keys) {
      const seen = refused.get(key) ?? newest.get(key);
      if (seen === undefined) {
        for (const kept of this.#memory) kept.delete(key);
        continue;
      }
      const wish = this.#tryToWish(key, seen, nowMs);
      if (wish === undefined) this.#wishes.delete(key);
      else this.#wishes.set(key, wish);
    }
    writer.wish(this.#wishes);
  }

  #tryToWish(key: string, seen: Seen, nowMs: number): StatusWish | undefined {
    try {
      const wish = this.#wishOf(key, seen, nowMs);
      this.#faults.delete(key);
      return wish;
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      const isKnown = this.#faults.values().some((known) => known === fault);
      if (!isKnown) this.#options.log.error({ balancer: key, reason: fault }, 'a status cannot be made');
      this.#faults.set(key, fault);
      return undefined;
    }
  }

  #wishOf(key: string, seen: Seen, nowMs: number): StatusWish | undefined {
    const { reconciler, publisher, isOurs } = this.#options;
    const known = reconciler.factsOf(key);
    if (known === undefined) {
      this.#satisfied.delete(key);
      this.#pending.delete(key);
    }
    if (!isOurs(seen)) return this.#farewellTo(key, seen);
    this.#others.delete(key);
    const placed = publisher.placedOf(key);
    if ('problems' in seen) return this.#refusalFor(key, seen, known, placed);
    return known && this.#wishFor(key, seen, known, placed, nowMs);
  }

  #wishFor(
    key: string,
    newest: Balancer,
    facts: BalancerFacts,
    placed: PlacedBalancer | undefined,
    nowMs: number,
  ): StatusWish | undefined {
    const { uid } = facts.balancer.metadata;
    // What is known is of a Balancer that was deleted since.
    if (uid === undefined || uid !== newest.metadata.uid) return undefined;
    const isPending = facts.conditions.accepted.isTrue && !facts.isProgrammed && facts.hindrance === null;
    if (!isPending) this.#pending.delete(key);
    else if (nowMs - this.#pendingSince(key, nowMs) < PENDING_MS) return undefined;
    const addresses = this.#options.addresses();
    const { before, basis } = this.#written.current(key, newest);
    const members = this.#countMembers(key, placed);
    const look: Look = { facts, placed, addresses, before, members, flagTurns: this.#flagTurns };
    const last = this.#satisfied.get(key);
    const isSatisfied = last !== undefined && isSameLook(last, look);
    const status = isSatisfied ? before! : desiredStatus({ ...look, wallMs: this.#options.clock.wallMs() });
    if (isSatisfied || isSameStatus(status, before)) {
      this.#satisfied.set(key, look);
      return undefined;
    }
    this.#satisfied.delete(key);
    return { target: targetOf(newest, uid), status, before, basis };
  }

  /** Of a version that does not parse. What is known is of the one before it, if that is served on. */
  #refusalFor(
    key: string,
    refused: RefusedBalancer,
    known: BalancerFacts | undefined,
    placed: PlacedBalancer | undefined,
  ): StatusWish | undefined {
    const { uid } = refused.metadata;
    if (uid === undefined) return undefined;
    const isSame = known?.balancer.metadata.uid === uid;
    this.#satisfied.delete(key);
    this.#pending.delete(key);
    const { before, basis } = this.#written.current(key, refused);
    const status = refusedStatus({
      refused,
      facts: isSame ? known : null,
      members: isSame ? this.#countMembers(key, placed) : noMembers,
      addresses: this.#options.addresses(),
      before,
      wallMs: this.#options.clock.wallMs(),
    });
    return isSameStatus(status, before) ? undefined : { target: targetOf(refused, uid), status, before, basis };
  }

  /** The same object for as long as the counts stay the same. */
  #countMembers(key: string, placed: PlacedBalancer | undefined): MemberCounts {
    if (placed === undefined) return noMembers;
    const last = this.#satisfied.get(key);
    if (last?.placed === placed && last.flagTurns === this.#flagTurns) return last.members;
    const counts = countMembers(placed, this.#options.shared);
    return last !== undefined && isSameCounts(last.members, counts) ? last.members : counts;
  }

  /** Of another class: if the status says something that only we say, the writer finds out whether we said it. */
  #farewellTo(key: string, newest: Seen): StatusWish | undefined {
    const { uid } = newest.metadata;
    if (this.#others.get(key) === classMark(newest)) return undefined;
    const { before, basis } = this.#written.current(key, newest);
    if (uid === undefined || !hasOurConditions(before)) return undefined;
    return { target: targetOf(newest, uid), status: null, before, basis };
  }

  #pendingSince(key: string, nowMs: number): number {
    const sinceMs = this.#pending.get(key) ?? nowMs;
    this.#pending.set(key, sinceMs);
    return sinceMs;
  }
}

function targetOf({ metadata }: Seen, uid: string): StatusTarget {
  return { namespace: metadata.namespace, name: metadata.name, uid };
}

function classMark({ metadata, spec }: Seen): string {
  return `${metadata.uid ?? ''} ${spec.className ?? ''}`;
}

function isSameLook(a: Look, b: Look): boolean {
  return (
    a.placed === b.placed &&
    a.members === b.members &&
    a.before === b.before &&
    a.addresses === b.addresses &&
    a.facts.balancer === b.facts.balancer &&
    a.facts.conditions === b.facts.conditions &&
    a.facts.hostRecord === b.facts.hostRecord &&
    a.facts.isProgrammed === b.facts.isProgrammed &&
    a.facts.hindrance?.message === b.facts.hindrance?.message
  );
}

function isSameCounts(a: MemberCounts, b: MemberCounts): boolean {
  const isSame = a.total === b.total && a.ready === b.ready && a.draining === b.draining;
  return isSame && a.inError === b.inError && a.off === b.off;
}
