// Makes of a placed balancer what a lane elects from. Counters live in rows of the scoreboard and stay where
// they are; only members that are new to the lane, or changed their weight or place, are put at a level.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { PlacedBalancer } from '../snapshot/lane-protocol.ts';
import type { MemberUnit } from '../snapshot/snapshot.ts';
import { type CompiledBalancer, Trait } from './compiled-balancer.ts';
import { CreditBook, creditLimitOf } from './credit-book.ts';
import { createHashRing, type HashRing } from './hash-ring.ts';
import { LB_METHODS } from './lbmethods/registry.ts';
import { LevelDue, requestLevel, resetTraffic } from './level.ts';
import { createOffered } from './offered.ts';
import { ReportBook } from './report-book.ts';
import { createRouteTable } from './route-table.ts';
import type { Standings } from './standings.ts';
import { TrafficBook } from './traffic-book.ts';
import { offerByConfiguration, offerForCredit } from './walk.ts';

/** What a lane gives to all its balancers. */
export interface LaneContext {
  /** 0 to lanes - 1. */
  readonly lane: number;
  readonly standings: Standings;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Compiles a balancer. `previous`: what this lane elected from until now, or null when the balancer is new to it
 * (also after a drop). Costs about a microsecond per member.
 */
export function compile(
  placed: PlacedBalancer,
  previous: CompiledBalancer | null,
  context: LaneContext,
): CompiledBalancer {
  const balancer = build(placed, previous, context);
  previous?.credit?.close();
  if (previous === null) start(balancer, context.lane);
  else carryOn(balancer, previous, context.lane);
  return balancer;
}

function build(placed: PlacedBalancer, previous: CompiledBalancer | null, context: LaneContext): CompiledBalancer {
  const { members, lbMethod, failover, limits } = placed.unit;
  const method = LB_METHODS[lbMethod];
  const size = members.length;
  const factors = Int32Array.from(members, (member) => member.factor);
  const limit = creditLimitOf(factors.reduce((sum, factor) => sum + factor, 0));
  const offered = createOffered(size);
  // A copy, since an object put together from others is slow to read.
  const standings = copyOf(context.standings);
  return {
    placed,
    members,
    standings,
    clock: context.clock,
    random: context.random,
    method,
    rows: Int32Array.from(placed.memberRows),
    factors,
    traits: Uint8Array.from(members, traitsOf),
    ...arrangeSets(members),
    retryAfterUs: failover.retryAfterMs * 1000,
    forceRecovery: failover.forceRecovery,
    maxConnectionsPerMember: limits.maxConnectionsPerMember,
    routes: createRouteTable(members),
    credit: method.needs === 'credit' ? new CreditBook(standings.lbstatus, offered, factors, limit) : null,
    traffic: method.needs === 'traffic' ? new TrafficBook(standings, offered, size) : null,
    reports: method.needs === 'reports' ? new ReportBook(standings, offered, size) : null,
    ring: method.needs === 'ring' ? ringOf(members, previous) : null,
    offered,
    levelDue: new Uint8Array(size),
    spares: new Int32Array(size),
    standbys: new Int32Array(size),
  };
}

function copyOf(standings: Standings): Standings {
  return {
    flags: standings.flags,
    flagChanges: standings.flagChanges,
    flagTurns: standings.flagTurns,
    retries: standings.retries,
    busyTotal: standings.busyTotal,
    erroredAtUs: standings.erroredAtUs,
    sentTotal: standings.sentTotal,
    receivedTotal: standings.receivedTotal,
    loadOffset: standings.loadOffset,
    firstByteUs: standings.firstByteUs,
    firstByteAtS: standings.firstByteAtS,
    reportedReady: standings.reportedReady,
    reportedBusy: standings.reportedBusy,
    reportedAtS: standings.reportedAtS,
    silentSlots: standings.silentSlots,
    lbstatus: standings.lbstatus,
    elected: standings.elected,
  };
}

function traitsOf(member: MemberUnit): number {
  let traits = member.ignoreErrors ? Trait.IgnoresErrors : 0;
  if (member.role === 'HotSpare') traits |= Trait.HotSpare;
  if (member.role === 'HotStandby') traits |= Trait.HotStandby;
  switch (member.state) {
    case 'Enabled':
      return traits;
    case 'Draining':
      return traits | Trait.Draining;
    case 'Drained':
    case 'Disabled':
      return traits | Trait.Off;
    case 'Stopped':
      return traits | Trait.Off | Trait.Stopped;
  }
}

function arrangeSets(members: readonly MemberUnit[]): Pick<CompiledBalancer, 'bySet' | 'setEnds'> {
  const sorted = members.map((_, index) => index).sort((a, b) => members[a]!.lbSet - members[b]!.lbSet || a - b);
  const ends: number[] = [];
  sorted.forEach((index, at) => {
    const next = sorted[at + 1];
    if (next === undefined || members[next]!.lbSet !== members[index]!.lbSet) ends.push(at + 1);
  });
  return { bySet: Int32Array.from(sorted), setEnds: Int32Array.from(ends) };
}

/** The ring of before, where nothing that it is made of changed. */
function ringOf(members: readonly MemberUnit[], previous: CompiledBalancer | null): HashRing {
  const before = previous?.ring ?? null;
  if (before !== null && previous !== null && previous.members.length === members.length) {
    const isSame = (member: MemberUnit, index: number): boolean => {
      const old = previous.members[index]!;
      return old.identity === member.identity && old.factor === member.factor;
    };
    if (members.every(isSame)) return before;
  }
  return createHashRing(members);
}

/**
 * Credit starts at nothing. Lanes start at different phases, lest all of them elect the same member at the
 * same time: lane i as if it had held i elections. Lane 0 starts exactly as httpd does.
 */
function start(balancer: CompiledBalancer, lane: number): void {
  const { credit, standings, rows } = balancer;
  for (const row of rows) standings.lbstatus[row] = 0;
  if (credit === null || lane === 0) return;
  offerByConfiguration(balancer);
  // Among idle members credit alone decides, whichever method keeps it.
  for (let phase = 0; phase < lane && balancer.offered.count > 0; phase++) credit.charge(credit.richest());
}

/**
 * Keeps what stayed as it was and has the rest levelled. A new method starts afresh, as httpd's does: its
 * measure may never have been looked after.
 */
function carryOn(balancer: CompiledBalancer, previous: CompiledBalancer, lane: number): void {
  if (previous.method !== balancer.method) {
    start(balancer, lane);
    if (balancer.traffic !== null) resetTraffic(balancer);
    return;
  }
  const before = new Map<string, number>();
  previous.members.forEach((member, index) => {
    before.set(member.identity, index);
  });
  balancer.members.forEach((member, index) => {
    const old = before.get(member.identity);
    if (old === undefined) balancer.standings.lbstatus[balancer.rows[index]!] = 0;
    const due = old === undefined ? EVERYTHING : previous.levelDue[old]! | levelDueOf(member, previous.members[old]!);
    if (due !== 0) requestLevel(balancer, index, due);
  });
  offerForCredit(balancer);
}

const EVERYTHING = LevelDue.Traffic | LevelDue.Credit;

/** A member that the operator lets take requests again keeps its credit, but its bytes stood still meanwhile. */
function levelDueOf(now: MemberUnit, before: MemberUnit): number {
  if (before.factor !== now.factor || before.lbSet !== now.lbSet || before.role !== now.role) return EVERYTHING;
  return now.state === 'Enabled' && before.state !== 'Enabled' ? LevelDue.Traffic : 0;
}
