// When drains began, and what that makes of a balancer now: between translate, which knows no time, and publish, which asks
// for none. A member whose drain is over becomes Drained; one that stopped serving keeps its place, for its sessions only,
// until its grace is over. Decides by the clock it is given, sets no timer: whoever owns it asks when to look again.
import type { Clock } from '../lib/clock.ts';
import type { BalancerUnit, MemberUnit } from '../snapshot/snapshot.ts';

/** The drain of a member that is there, or was until lately. Monotonic milliseconds. */
interface Drain {
  readonly beganMs: number;
  /** Null: it is there. */
  goneMs: number | null;
}

/** A member that stopped serving. */
interface Lingerer {
  readonly member: MemberUnit;
  readonly goneMs: number;
}

/** What is remembered of one balancer; members by identity. */
interface Page {
  /** As it was handed in last, and what became of it. */
  unit: BalancerUnit;
  staged: BalancerUnit;
  /** Whether `staged` was made of `unit` yet. */
  isNoted: boolean;
  readonly drains: Map<string, Drain>;
  readonly lingerers: Map<string, Lingerer>;
  /** When another stage begins; Infinity: never by itself. */
  deadlineMs: number;
}

/** One member that is on its way out. */
export interface DrainingMember {
  readonly member: MemberUnit;
  /** How long it has been draining, in milliseconds. */
  readonly forMs: number;
  /** How long it goes on keeping its sessions, in milliseconds; 0: not any more; null: as long as it is there. */
  readonly leftMs: number | null;
}

/** A draining member that is away for no longer than this goes on with the drain that it had. */
const RETURN_MS = 600_000;

/**
 * Drains are known by balancer and identity of the member, so changes of the configuration do not begin them anew; being
 * Enabled, Disabled or Stopped ends them. They are in memory only: a new process begins them when it first sees them.
 */
export class DrainBook {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #pages = new Map<string, Page>();
  /** Keys of balancers in which a stage ends by itself. */
  readonly #waiting = new Set<string>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /**
   * The balancer as it is to be published now. Call it with what translate made: for each balancer that changed, and for
   * those that `due` names. The same object comes back where nothing of this concerns it, and the same as last time where
   * nothing has changed since.
   */
  stage(unit: BalancerUnit): BalancerUnit {
    const nowMs = this.#clock.nowMs();
    const page = this.#pages.get(unit.key) ?? createPage(unit);
    if (page.isNoted && page.unit === unit && page.deadlineMs > nowMs) return page.staged;
    noteLingerers(page, unit, nowMs);
    noteDrains(page, unit, nowMs);
    const members = stagedMembers(page, unit, nowMs);
    if (unit !== page.unit || !isSameList(members, page.staged.members)) {
      page.staged = isSameList(members, unit.members) ? unit : { ...unit, members };
    }
    page.unit = unit;
    page.isNoted = true;
    page.deadlineMs = nextDeadline(page, nowMs);
    this.#pages.set(unit.key, page);
    if (page.deadlineMs === Number.POSITIVE_INFINITY) this.#waiting.delete(unit.key);
    else this.#waiting.add(unit.key);
    return page.staged;
  }

  /** When to call `due` next: milliseconds of the clock; Infinity: not before the next change. */
  get nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const key of this.#waiting) next = Math.min(next, this.#pages.get(key)!.deadlineMs);
    return next;
  }

  /** Keys of the balancers that are to be staged again at that time, from what translate made of them last. */
  due(nowMs: number): string[] {
    return [...this.#waiting].filter((key) => this.#pages.get(key)!.deadlineMs <= nowMs);
  }

  /** The balancer is gone. */
  forget(key: string): void {
    this.#pages.delete(key);
    this.#waiting.delete(key);
  }

  /** Members of the balancer that drain or have drained, as of now, in their order. */
  draining(key: string): readonly DrainingMember[] {
    const page = this.#pages.get(key);
    if (page === undefined) return [];
    const nowMs = this.#clock.nowMs();
    return page.staged.members.flatMap((member) => {
      if (member.state !== 'Draining' && member.state !== 'Drained') return [];
      const lingerer = page.lingerers.get(member.identity);
      const beganMs = Math.min(
        page.drains.get(member.identity)?.beganMs ?? Number.POSITIVE_INFINITY,
        lingerer?.goneMs ?? Number.POSITIVE_INFINITY,
      );
      const endMs = Math.min(
        drainEnd(page, member.identity),
        lingerer === undefined ? Infinity : graceEnd(page, lingerer),
      );
      const leftMs = endMs === Number.POSITIVE_INFINITY ? null : Math.max(0, endMs - nowMs);
      return [{ member, forMs: nowMs - beganMs, leftMs: member.state === 'Drained' ? 0 : leftMs }];
    });
  }
}

function createPage(unit: BalancerUnit): Page {
  return {
    unit,
    staged: unit,
    isNoted: false,
    drains: new Map(),
    lingerers: new Map(),
    deadlineMs: Number.POSITIVE_INFINITY,
  };
}

function noteDrains({ drains, lingerers }: Page, unit: BalancerUnit, nowMs: number): void {
  const present = new Set<string>();
  for (const { identity, state } of unit.members) {
    present.add(identity);
    const drain = drains.get(identity);
    if (state !== 'Draining') drains.delete(identity);
    else if (drain === undefined) drains.set(identity, { beganMs: nowMs, goneMs: null });
    else drain.goneMs = null;
  }
  for (const [identity, drain] of drains) {
    if (present.has(identity)) continue;
    drain.goneMs ??= nowMs;
    if (nowMs - drain.goneMs > RETURN_MS && !lingerers.has(identity)) drains.delete(identity);
  }
}

/**
 * Whom the balancer had until now and has no more, for as long as nobody else has its identity, its address, its name or its
 * session route: an address that was given to another pod is no longer this one's.
 */
function noteLingerers({ lingerers, unit: before }: Page, unit: BalancerUnit, nowMs: number): void {
  const { unreadyGraceMs } = unit.drain;
  if (unreadyGraceMs === 0 || unit.session === null) return lingerers.clear();
  if (before === unit && lingerers.size === 0) return;
  const taken = new Set(unit.members.flatMap(marksOf));
  for (const member of before.members) {
    if (lingerers.has(member.identity) || !canLinger(member)) continue;
    if (!marksOf(member).some((mark) => taken.has(mark))) lingerers.set(member.identity, { member, goneMs: nowMs });
  }
  for (const [identity, { member, goneMs }] of lingerers) {
    if (goneMs + unreadyGraceMs <= nowMs || marksOf(member).some((mark) => taken.has(mark))) lingerers.delete(identity);
  }
}

/**
 * Only endpoints come and go by themselves: a member with a URL that is not there any more was taken out. One that was
 * terminating has ended.
 */
function canLinger({ identity, state, isLeaving }: MemberUnit): boolean {
  if (identity.startsWith('url:') || isLeaving) return false;
  return state === 'Enabled' || state === 'Draining';
}

function marksOf({ identity, name, sessionRoute, host, port }: MemberUnit): string[] {
  return [`i ${identity}`, `n ${name}`, `r ${sessionRoute}`, `a ${host} ${port}`];
}

/** Those who linger come last: they are not elected, so their place means nothing. */
function stagedMembers(page: Page, unit: BalancerUnit, nowMs: number): readonly MemberUnit[] {
  const at = { ...page, unit };
  const stageOf = (member: MemberUnit): MemberUnit => {
    const isOver = member.state === 'Draining' && drainEnd(at, member.identity) <= nowMs;
    return isOver ? withState(member, 'Drained') : member;
  };
  const lingering = [...page.lingerers.values()].map(({ member }) => stageOf(withState(member, 'Draining')));
  return [...unit.members.map(stageOf), ...lingering];
}

const restaged = { Draining: new WeakMap<MemberUnit, MemberUnit>(), Drained: new WeakMap<MemberUnit, MemberUnit>() };

/** The member in that state; the same object each time. */
function withState(member: MemberUnit, state: 'Draining' | 'Drained'): MemberUnit {
  if (member.state === state) return member;
  const next = restaged[state].get(member) ?? { ...member, state };
  restaged[state].set(member, next);
  return next;
}

function drainEnd({ drains, unit }: Pick<Page, 'drains' | 'unit'>, identity: string): number {
  const { timeoutMs } = unit.drain;
  const drain = drains.get(identity);
  return drain === undefined || timeoutMs === null ? Number.POSITIVE_INFINITY : drain.beganMs + timeoutMs;
}

function graceEnd({ unit }: Pick<Page, 'unit'>, { goneMs }: Lingerer): number {
  return goneMs + unit.drain.unreadyGraceMs;
}

function nextDeadline(page: Page, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const [identity, { goneMs }] of page.drains) {
    const endMs = drainEnd(page, identity);
    if (endMs > nowMs && (goneMs === null || page.lingerers.has(identity))) next = Math.min(next, endMs);
  }
  for (const lingerer of page.lingerers.values()) next = Math.min(next, graceEnd(page, lingerer));
  return next;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
