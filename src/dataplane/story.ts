// The story of one request: match, find its session, elect, forward, fail over, record. It reads top to bottom; who
// carries the bytes is the forwarder's business, who is best the method's.
import { NONE } from '../balancer/compiled-balancer.ts';
import { elect } from '../balancer/elect.ts';
import { decide, type Outcome as Ending, MEMBER_FAULTS, type MemberFault, type Verdict } from '../balancer/failover.ts';
import { markFailed, markSucceeded } from '../balancer/member-state.ts';
import type { Clock } from '../lib/clock.ts';
import type { LaneScoreboard } from '../scoreboard/lane-side.ts';
import { AttemptWatch } from './attempt-watch.ts';
import type { Exchange, Forwarder, Outcome } from './exchange.ts';
import { hashKeyOf } from './hash-key.ts';
import { isIdempotent } from './idempotent.ts';
import { isMembersFault, type ProxyErrorCode, type RequestFault, statusOf } from './proxy-error.ts';
import type { RoutingTable, ServedBalancer, ServedMember } from './routing-table.ts';
import { AWAITED, REJECTED, SessionVisit } from './session-visit.ts';

/** What a story is told with. */
export interface StoryContext<E extends Exchange> {
  readonly table: RoutingTable;
  readonly forwarder: Forwarder<E, ServedMember>;
  readonly scoreboard: LaneScoreboard;
  readonly clock: Clock;
}

/** A session this young whose member is unknown here waits so long for news of it: another replica may know more. */
const NEWS_WAIT_MS = 500;

/** One request on its way. */
interface Journey<E extends Exchange> {
  readonly exchange: E;
  readonly context: StoryContext<E>;
  /** Changes only while the request waits: what is served then is newer. */
  balancer: ServedBalancer;
  readonly visit: SessionVisit | null;
  /** Index of a member that this request was not answered by though it did not go into error, or NONE. */
  avoid: number;
  /** Why the attempt before did not do; what the client is told when no other can be made. */
  lastFault: RequestFault | null;
}

/** Serves one request. Afterwards its answer is complete, cut or refused. */
export async function serve<E extends Exchange>(exchange: E, context: StoryContext<E>): Promise<void> {
  const match = context.table.match(exchange.host, exchange.target);
  if (match.refused !== undefined) return refuse(exchange, match.refused, 0, context);
  const balancer = context.table.balancer(match.balancer);
  if (balancer === undefined) return refuse(exchange, 'no-rule', 0, context);
  const fault = exchange.isLoop ? 'loop' : exchange.admit(balancer.unit.limits, balancer.unit.timeouts);
  if (fault !== null) return refuse(exchange, fault, balancer.row, context);

  const journey = setOut(exchange, balancer, context);
  if (journey.visit !== null && isAheadOfUs(journey)) await hearNews(journey);
  for (let attempts = 1; exchange.fault === null; attempts += 1) {
    let index = chooseInTurn(journey);
    if (index === NONE && journey.balancer.room !== null) index = await waitForMember(journey);
    if (index < 0) return refuse(exchange, faultWithoutMember(journey, index), journey.balancer.row, context);
    const outcome = await attempt(journey, index);
    const verdict = judge(journey, index, attempts, outcome);
    if (verdict.next !== 'try-next') return record(journey, index, outcome);
    release(journey, index);
    journey.avoid = verdict.avoidsMember ? index : NONE;
    journey.lastFault = outcome.kind === 'failed' ? outcome.fault : null;
  }
  refuse(exchange, exchange.fault, journey.balancer.row, context);
}

function setOut<E extends Exchange>(exchange: E, balancer: ServedBalancer, context: StoryContext<E>): Journey<E> {
  const { sessions } = balancer;
  const visit = sessions === null ? null : new SessionVisit(exchange, sessions, context.clock.wallMs());
  if (visit !== null) context.scoreboard.countSession(balancer.row, visit.verdict);
  return { exchange, context, balancer, visit, avoid: NONE, lastFault: null };
}

/**
 * Chooses a member and begins the attempt on it, in one go: of many that wait, the next one must see it busy. NONE or
 * REJECTED when there is none.
 */
function choose<E extends Exchange>(journey: Journey<E>): number {
  const index = find(journey);
  if (index >= 0) journey.context.scoreboard.beginAttempt(journey.balancer.members[index]!.row);
  return index;
}

/** The session's member, or else the one that the method elects. */
function find<E extends Exchange>({ exchange, balancer, visit, avoid }: Journey<E>): number {
  const { sessions, compiled, unit, room } = balancer;
  if (visit !== null && sessions !== null && avoid === NONE) {
    const index = visit.choose(compiled, sessions, room !== null);
    if (index === AWAITED) return NONE;
    if (index !== NONE) return index;
  }
  return elect(compiled, unit.hash === null ? 0 : hashKeyOf(exchange, unit.hash), avoid);
}

/** Nobody overtakes those who wait already. */
function chooseInTurn<E extends Exchange>(journey: Journey<E>): number {
  return journey.balancer.room?.isOccupied ? NONE : choose(journey);
}

/** Whether the session's member may be known to another replica already and here in a moment. */
function isAheadOfUs<E extends Exchange>({ visit, balancer }: Journey<E>): boolean {
  return visit !== null && balancer.sessions !== null && visit.isAheadOf(balancer.sessions);
}

async function hearNews<E extends Exchange>(journey: Journey<E>): Promise<void> {
  const { clock, table } = journey.context;
  const untilMs = clock.nowMs() + NEWS_WAIT_MS;
  for (let leftMs = NEWS_WAIT_MS; leftMs > 0 && isAheadOfUs(journey); leftMs = untilMs - clock.nowMs()) {
    await table.change(leftMs);
    catchUp(journey);
  }
}

function waitForMember<E extends Exchange>(journey: Journey<E>): Promise<number> {
  return journey.balancer.room!.wait(() => {
    catchUp(journey);
    // Whoever cannot go on makes room; the story sees why.
    return journey.exchange.fault === null ? choose(journey) : REJECTED;
  });
}

/** What was served when the request began to wait may be out of date. */
function catchUp<E extends Exchange>(journey: Journey<E>): void {
  journey.balancer = journey.context.table.balancer(journey.balancer.unit.key) ?? journey.balancer;
}

function faultWithoutMember<E extends Exchange>(
  { exchange, balancer, lastFault }: Journey<E>,
  index: number,
): RequestFault {
  if (exchange.fault !== null) return exchange.fault;
  return index === REJECTED ? sessionFault(balancer) : (lastFault ?? 'no-member');
}

function sessionFault({ unit }: ServedBalancer): ProxyErrorCode {
  switch (unit.session?.rejectStatus) {
    case 404:
      return 'session-not-found';
    case 410:
      return 'session-gone';
    default:
      return 'session-member-down';
  }
}

/** What `choose` has begun; `release` ends it. */
function attempt<E extends Exchange>(
  { exchange, context, balancer, visit }: Journey<E>,
  index: number,
): Promise<Outcome> {
  const { scoreboard, forwarder, clock } = context;
  const member = balancer.members[index]!;
  const isWatched = AttemptWatch.isNeededBy(balancer);
  exchange.observer = isWatched ? new AttemptWatch(balancer, index, visit, scoreboard, clock) : null;
  return forwarder.forward(exchange, member, balancer.unit.timeouts);
}

/** Puts the member to rest, or wakes it, as the outcome demands; says whether another attempt follows. */
function judge<E extends Exchange>(
  { exchange, balancer, context }: Journey<E>,
  index: number,
  attempts: number,
  outcome: Outcome,
): Verdict {
  const { compiled, unit } = balancer;
  const situation = {
    isIdempotent: isIdempotent(exchange.method),
    isReplayable: exchange.isReplayable,
    attempts,
    ignoresErrors: unit.members[index]!.ignoreErrors,
  };
  const verdict = decide(endingOf(outcome), situation, unit.failover);
  if (outcome.kind !== 'answered' && isMembersFault(outcome.fault)) {
    context.scoreboard.countFailure(compiled.rows[index]!);
  }
  if (verdict.failsMember) markFailed(compiled, index);
  else if (outcome.kind !== 'failed') markSucceeded(compiled, index);
  return verdict;
}

/** What failover has to judge: a fault of the member, or of the request itself. */
function endingOf(outcome: Outcome): Ending {
  if (outcome.kind === 'answered') return outcome;
  if (outcome.fault in MEMBER_FAULTS) return { kind: outcome.fault as MemberFault };
  return { kind: 'bad-request-body', status: statusOf(outcome.fault) };
}

/** The end of a request that reached a member. Every request is counted here or in `refuse`, once. */
function record<E extends Exchange>(journey: Journey<E>, index: number, outcome: Outcome): void {
  const { exchange, context, balancer } = journey;
  if (outcome.kind === 'failed') {
    refuse(exchange, exchange.fault ?? outcome.fault, balancer.row, context);
  } else {
    const isClientLeft = outcome.kind === 'cut' && outcome.fault === 'client-gone';
    context.scoreboard.countResponse(balancer.members[index]!.row, isClientLeft ? 0 : codeClass(outcome.status));
    countDuration(exchange, balancer.row, context);
  }
  release(journey, index);
}

/**
 * Differs from httpd: busy is released when the attempt ends. There a member that refused stays busy until another one
 * has answered. Comes after counting, because the rows of members that are gone are wiped once nothing is open on them.
 */
function release<E extends Exchange>({ context, balancer }: Journey<E>, index: number): void {
  context.scoreboard.endAttempt(balancer.members[index]!.row);
  balancer.room?.wake();
}

function refuse<E extends Exchange>(
  exchange: E,
  fault: RequestFault,
  balancerRow: number,
  context: StoryContext<E>,
): void {
  exchange.refuse(fault);
  context.scoreboard.countOwnResponse(balancerRow, codeClass(statusOf(fault)));
  countDuration(exchange, balancerRow, context);
}

function countDuration<E extends Exchange>(exchange: E, balancerRow: number, context: StoryContext<E>): void {
  context.scoreboard.countDuration(balancerRow, (context.clock.nowMs() - exchange.startedMs) / 1000);
}

/** 0 none, 1 to 5 the first digit of the status. */
function codeClass(status: number): number {
  return Math.floor(status / 100);
}
