// Which members the next election compares, and in which order: sets, holes, spares, standbys
// (httpd proxy_util.c proxy_balancer_get_best_worker), after forced recovery (mod_proxy_balancer.c).
// Done again only when a flag changed or a rest is over; elections in between reuse the result.
import { type CompiledBalancer, NONE, Trait } from './compiled-balancer.ts';
import { levelOffered } from './level.ts';
import { isFull, isInError, isUsable, nowUs, retryDueUs } from './member-state.ts';
import { liftErrorIfDue, recover } from './recovery.ts';

/** How a walk treats members in error. */
type Manner =
  /** Runs the retry check on those it looks at: elections. */
  | 'lift'
  /** Leaves them as they are: the credits of a session. */
  | 'look'
  /** Takes no notice of flags and caps: what the configuration alone would offer. */
  | 'blind';

interface Walk {
  readonly manner: Manner;
  /** Index of a member that is not offered, or NONE. */
  readonly avoid: number;
  /** One time for the whole walk: microseconds on the hrtime axis. */
  readonly atUs: number;
}

const RESERVED = Trait.HotSpare | Trait.HotStandby;

/** Brings `offered` up to date for an election. `avoid`: index of a member not to offer, or NONE. */
export function offerForElection(balancer: CompiledBalancer, avoid: number): void {
  const { offered } = balancer;
  if (avoid === NONE && isCurrent(balancer)) {
    if (offered.nextDueUs === Infinity || nowUs(balancer) <= offered.nextDueUs) return;
  }
  walk(balancer, 'lift', avoid);
}

/** Brings `offered` up to date without lifting any error. */
export function offerForCredit(balancer: CompiledBalancer): void {
  if (!isCurrent(balancer)) walk(balancer, 'look', NONE);
}

/** Offers what the configuration alone would. */
export function offerByConfiguration(balancer: CompiledBalancer): void {
  walk(balancer, 'blind', NONE);
}

function isCurrent(balancer: CompiledBalancer): boolean {
  const { offered } = balancer;
  if (!offered.isKept || offered.asOfChange !== Atomics.load(balancer.standings.flagChanges, 0)) return false;
  return offered.fullCount === 0 || !isAnyFreeAgain(balancer);
}

function isAnyFreeAgain(balancer: CompiledBalancer): boolean {
  const { offered, standings, maxConnectionsPerMember } = balancer;
  for (let at = 0; at < offered.fullCount; at++) {
    if (standings.busyTotal[offered.fullRows[at]!]! < maxConnectionsPerMember) return true;
  }
  return false;
}

function walk(balancer: CompiledBalancer, manner: Manner, avoid: number): void {
  const { offered, setEnds, credit } = balancer;
  credit?.settle();
  offered.asOfChange = Atomics.load(balancer.standings.flagChanges, 0);
  offered.isKept = avoid === NONE && manner !== 'blind';
  offered.nextDueUs = Infinity;
  offered.count = 0;
  offered.totalFactor = 0;
  offered.fullCount = 0;
  offered.placeOf.fill(NONE);
  const atUs = nowUs(balancer);
  if (manner === 'lift') recover(balancer, atUs);
  if (manner !== 'blind') noteRestingPrefix(balancer);
  const thisWalk: Walk = { manner, avoid, atUs };
  for (let set = 0; set < setEnds.length && offered.count === 0; set++) offerSet(balancer, set, thisWalk);
  if (offered.isLevelDue && manner !== 'blind') levelOffered(balancer);
  credit?.open();
  balancer.traffic?.open();
  balancer.reports?.open(atUs / 1e6);
  // Reports come and age without a flag, so they are looked at every second.
  if (balancer.reports !== null) offered.nextDueUs = Math.min(offered.nextDueUs, atUs - (atUs % 1e6) + 999_999);
}

/** What recovery has to do next time: look at those in error before the first that is not, or wake all of them. */
function noteRestingPrefix(balancer: CompiledBalancer): void {
  const size = balancer.rows.length;
  let index = 0;
  for (; index < size && isInError(balancer, index); index++) noteDue(balancer, index);
  if (index === size && balancer.forceRecovery) balancer.offered.nextDueUs = -Infinity;
}

function noteDue(balancer: CompiledBalancer, index: number): void {
  const { offered } = balancer;
  offered.nextDueUs = Math.min(offered.nextDueUs, retryDueUs(balancer, index));
}

/** Offers the usable ordinary members of a set, a spare for each one that is missing, else the standbys. */
function offerSet(balancer: CompiledBalancer, set: number, walk: Walk): void {
  const { bySet, setEnds, traits, rows, spares, standbys, offered, standings } = balancer;
  const { flags } = standings;
  const isSimple = walk.manner !== 'blind' && balancer.maxConnectionsPerMember === 0 && balancer.reports === null;
  let holes = 0;
  let spareCount = 0;
  let standbyCount = 0;
  for (let at = set === 0 ? 0 : setEnds[set - 1]!; at < setEnds[set]!; at++) {
    const index = bySet[at]!;
    const trait = traits[index]!;
    // What holds for nearly all members, without a call.
    if (isSimple && trait === 0 && flags[rows[index]!] === 0 && index !== walk.avoid) {
      offer(balancer, index);
      continue;
    }
    const mayTake = (trait & Trait.Draining) === 0 && index !== walk.avoid && isReady(balancer, index, walk);
    if (!mayTake) holes += (trait & RESERVED) === 0 ? 1 : 0;
    else if ((trait & Trait.HotSpare) !== 0) spares[spareCount++] = index;
    else if ((trait & Trait.HotStandby) !== 0) standbys[standbyCount++] = index;
    else offer(balancer, index);
  }
  for (let at = 0; at < Math.min(holes, spareCount); at++) offer(balancer, spares[at]!);
  if (offered.count > 0) return;
  for (let at = 0; at < standbyCount; at++) offer(balancer, standbys[at]!);
}

/** Whether a member that does not drain can be offered; the walk has looked at it now. */
function isReady(balancer: CompiledBalancer, index: number, walk: Walk): boolean {
  if (walk.manner === 'blind') return (balancer.traits[index]! & Trait.Off) === 0;
  if (isInError(balancer, index)) {
    if (walk.manner === 'look' || !liftErrorIfDue(balancer, index, walk.atUs)) {
      noteDue(balancer, index);
      return false;
    }
  }
  if (!isUsable(balancer, index)) return false;
  if (balancer.reports !== null && !balancer.reports.hasSlots(balancer.rows[index]!, walk.atUs / 1e6)) return false;
  if (!isFull(balancer, index)) return true;
  const { offered } = balancer;
  offered.fullRows[offered.fullCount++] = balancer.rows[index]!;
  return false;
}

function offer(balancer: CompiledBalancer, index: number): void {
  const { offered } = balancer;
  const at = offered.count++;
  const factor = balancer.factors[index]!;
  offered.index[at] = index;
  offered.row[at] = balancer.rows[index]!;
  offered.factor[at] = factor;
  offered.totalFactor += factor;
  offered.placeOf[index] = at;
}
