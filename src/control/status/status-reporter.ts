// Looks at all Balancers while this process leads, whenever anything changed, and wishes for a new status where what is
// known differs from what is there: of those that are served, and of those that were and are another class's now. It starts
// from the whole each time, so nothing depends on what it saw before; writing is the writer's business.
import type { Balancer } from '../../api/balancer.ts';
import type { RefusedBalancer } from '../../api/refused-balancer.ts';
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
import { countMembers, type MemberCounts, noMembers } from './member-counts.ts';
import type { StatusWish, StatusWriter } from './status-writer.ts';

export interface StatusReporterOptions {
  readonly reconciler: Pick<Reconciler, 'facts' | 'passes'>;
  readonly publisher: Pick<Publisher, 'placed' | 'acknowledged'>;
  readonly shared: Pick<SharedCells, 'flags' | 'flagChanges'>;
  /** Every Balancer of the cluster that is watched, of any class, as last seen. */
  readonly newest: ReadonlyMap<string, Balancer>;
  /** Those whose newest version does not parse; `newest` has an older one of them, or none. */
  readonly refused: ReadonlyMap<string, RefusedBalancer>;
  /** Another number after each change of `newest` or `refused`. */
  readonly newestChanges: () => number;
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

/** How often it is asked whether there may be something new. */
const LOOK_MS = 100;
/** Between two times that everything is looked at: under constant change that is what costs. */
const GAP_MS = 250;
/** How often everything is looked at while something is under way: a wish, a write that the watch does not show yet. */
const SWEEP_MS = 1_000;
/** How often everything is looked at though nothing seems new: to be on the safe side, and seldom, since with thousands of Balancers that is most of what a quiet process costs. */
const REST_MS = 30_000;
/** A version is on its way to the lanes for some milliseconds; only if it takes longer than this, a status says so. */
const PENDING_MS = 2_000;
/** How long a write of ours may take to come back by the watch. */
const ECHO_MS = 5_000;

/** What was written last, until the watch has it. */
interface Written {
  readonly uid: string;
  readonly status: BalancerStatus | undefined;
  /** resourceVersion of the object that was watched then, and the one that came of the write. */
  readonly watched: string;
  readonly version: string;
  readonly atMs: number;
}

/** All that a status is made of, and the one that is there. */
interface Look {
  readonly facts: BalancerFacts;
  readonly placed: PlacedBalancer | undefined;
  readonly addresses: readonly StatusAddress[] | null;
  readonly before: BalancerStatus | undefined;
  readonly members: MemberCounts;
}

/** A Balancer as the watch shows it, whether or not it parses. */
type Seen = Balancer | RefusedBalancer;

/** A status, and the version of the Balancer that has it. */
type Current = Pick<StatusWish, 'before' | 'basis'>;

export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #written = new Map<string, Written>();
  /** What Balancers looked like whose status is as it should be: most of them, most of the time. */
  readonly #satisfied = new Map<string, Look>();
  #flagChanges = 0;
  #areFlagsSame = false;
  /** Since when versions have been on their way. */
  readonly #pending = new Map<string, number>();
  #sweptMs = Number.NEGATIVE_INFINITY;
  #seen = '';
  #wishes = 0;
  #writtenMs = Number.NEGATIVE_INFINITY;
  /** As they were when everything was looked at last. */
  #addresses: readonly StatusAddress[] | null = null;
  #timer: unknown = null;
  /** Balancers of other classes of which nothing is ours: uid and class. */
  readonly #others = new Map<string, string>();
  #fault = '';

  constructor(options: StatusReporterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }

  /** For the writer: a wish was fulfilled. */
  readonly onWritten = (key: string, { target, status, before }: StatusWish, version: string): void => {
    const { clock, onTransition, newest, refused } = this.#options;
    const seen = refused.get(key) ?? newest.get(key);
    if (seen === undefined) return;
    const watched = seen.metadata.resourceVersion ?? '';
    this.#writtenMs = clock.nowMs();
    this.#written.set(key, { uid: target.uid, status: status ?? undefined, watched, version, atMs: clock.nowMs() });
    if (status === null) this.#others.set(key, classMark(seen));
    else for (const condition of transitions(before, status)) onTransition(target, condition);
  };

  #look(): void {
    const { timers, clock, isLeading, reconciler } = this.#options;
    this.#timer = timers.set(() => this.#look(), LOOK_MS);
    if (!isLeading()) {
      // Whoever leads meanwhile may write what it likes: only the watch knows.
      this.#written.clear();
      this.#satisfied.clear();
      this.#others.clear();
      this.#pending.clear();
      this.#seen = '';
      return;
    }
    if (reconciler.passes === 0) return;
    const seen = this.#state();
    const nowMs = clock.nowMs();
    const sinceMs = nowMs - this.#sweptMs;
    if (sinceMs < this.#gapMs(seen, nowMs)) return;
    this.#seen = seen;
    this.#sweptMs = nowMs;
    this.#sweep(nowMs);
  }

  /** Changes when anything of what a status is made of may have changed, but for the addresses and the time. */
  #state(): string {
    const { reconciler, publisher, shared, newestChanges } = this.#options;
    return `${reconciler.passes} ${publisher.acknowledged} ${Atomics.load(shared.flagChanges, 0)} ${newestChanges()}`;
  }

  /** How long after one look at everything the next one is due. */
  #gapMs(seen: string, nowMs: number): number {
    if (seen !== this.#seen || this.#addresses !== this.#options.addresses()) return GAP_MS;
    // Not later than the first look after a write must have come back.
    const isUnderWay = this.#wishes > 0 || this.#pending.size > 0 || nowMs - this.#writtenMs <= ECHO_MS + 2 * SWEEP_MS;
    return isUnderWay ? SWEEP_MS : REST_MS;
  }

  #sweep(nowMs: number): void {
    const { reconciler, publisher, shared, newest, refused, isOurs, writer, log } = this.#options;
    const flagChanges = Atomics.load(shared.flagChanges, 0);
    this.#areFlagsSame = flagChanges === this.#flagChanges;
    this.#flagChanges = flagChanges;
    this.#addresses = this.#options.addresses();
    const facts = reconciler.facts();
    const placed = new Map<string, PlacedBalancer>();
    for (const each of publisher.placed()) placed.set(each.unit.key, each);
    const wishes = new Map<string, StatusWish>();
    let fault = '';
    const seen = new Map<string, Seen>([...newest, ...refused]);
    for (const [key, balancer] of seen) {
      const known = facts.get(key);
      try {
        if (isOurs(balancer)) this.#others.delete(key);
        const wish = isOurs(balancer)
          ? 'problems' in balancer
            ? this.#refusalFor(key, balancer, known, placed.get(key), nowMs)
            : known && this.#wishFor(key, balancer, known, placed.get(key), nowMs)
          : this.#farewellTo(key, balancer, nowMs);
        if (wish !== undefined) wishes.set(key, wish);
      } catch (error) {
        fault = error instanceof Error ? error.message : String(error);
        if (fault !== this.#fault) log.error({ balancer: key, reason: fault }, 'a status cannot be made');
      }
    }
    this.#fault = fault;
    for (const key of this.#written.keys()) if (!seen.has(key)) this.#written.delete(key);
    for (const key of this.#others.keys()) if (!seen.has(key)) this.#others.delete(key);
    for (const key of this.#satisfied.keys()) if (!facts.has(key)) this.#satisfied.delete(key);
    for (const key of this.#pending.keys()) if (!facts.has(key)) this.#pending.delete(key);
    this.#wishes = wishes.size;
    writer.wish(wishes);
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
    const { before, basis } = this.#current(key, newest, nowMs);
    const look: Look = { facts, placed, addresses, before, members: this.#countMembers(key, placed) };
    const last = this.#satisfied.get(key);
    if (last !== undefined && isSameLook(last, look)) return undefined;
    const status = desiredStatus({ ...look, wallMs: this.#options.clock.wallMs() });
    if (isSameStatus(status, before)) {
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
    nowMs: number,
  ): StatusWish | undefined {
    const { uid } = refused.metadata;
    if (uid === undefined) return undefined;
    const isSame = known?.balancer.metadata.uid === uid;
    this.#satisfied.delete(key);
    this.#pending.delete(key);
    const { before, basis } = this.#current(key, refused, nowMs);
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
    if (last?.placed === placed && this.#areFlagsSame) return last.members;
    const counts = countMembers(placed, this.#options.shared);
    return last !== undefined && isSameCounts(last.members, counts) ? last.members : counts;
  }

  /** Of another class: if the status says something that only we say, the writer finds out whether we said it. */
  #farewellTo(key: string, newest: Seen, nowMs: number): StatusWish | undefined {
    const { uid } = newest.metadata;
    if (this.#others.get(key) === classMark(newest)) return undefined;
    const { before, basis } = this.#current(key, newest, nowMs);
    if (uid === undefined || !hasOurConditions(before)) return undefined;
    return { target: targetOf(newest, uid), status: null, before, basis };
  }

  #pendingSince(key: string, nowMs: number): number {
    const sinceMs = this.#pending.get(key) ?? nowMs;
    this.#pending.set(key, sinceMs);
    return sinceMs;
  }

  /** The status that is there: as watched, unless the watch cannot have what was just written yet. */
  #current(key: string, newest: Seen, nowMs: number): Current {
    const { uid, resourceVersion = '' } = newest.metadata;
    const written = this.#written.get(key);
    const asWatched = { before: newest.status, basis: resourceVersion };
    if (written === undefined || written.uid !== uid || written.version === resourceVersion) return asWatched;
    const isAwaited = nowMs - written.atMs < ECHO_MS || written.watched === resourceVersion;
    return isAwaited ? { before: written.status, basis: written.version } : asWatched;
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
    a.facts.isProgrammed === b.facts.isProgrammed &&
    a.facts.hindrance?.message === b.facts.hindrance?.message
  );
}

function isSameCounts(a: MemberCounts, b: MemberCounts): boolean {
  const isSame = a.total === b.total && a.ready === b.ready && a.draining === b.draining;
  return isSame && a.inError === b.inError && a.off === b.off;
}
