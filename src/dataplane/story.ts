// The story of one request: match, find its session, elect, forward, fail over, record. It reads top to bottom; who
// carries the bytes is the forwarder's business, who is best the method's.
import { NONE } from '../balancer/compiled-balancer.ts';
import { elect } from '../balancer/elect.ts';
import { decide, type Outcome as Ending, MEMBER_FAULTS, type MemberFault, type Verdict } from '../balancer/failover.ts';
import { markFailed, markSucceeded } from '../balancer/member-state.ts';
import type { Clock } from '../lib/clock.ts';
import type { LaneScoreboard } from '../scoreboard/lane-side.ts';
import { AttemptWatch } from './attempt-watch.ts';
import type { AttemptOwner, Exchange, Forwarder, Outcome } from './exchange.ts';
import { hashKeyOf } from './hash-key.ts';
import { isIdempotent } from './idempotent.ts';
import { isMembersFault, type ProxyErrorCode, type RequestFault, statusOf } from './proxy-error.ts';
import type { RequestFacts, RequestWitness } from './request-facts.ts';
import type { RoutingTable, ServedBalancer, ServedMember } from './routing-table.ts';
import { ANYONE, AWAITED, REJECTED, SessionVisit } from './session-visit.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What a story is told with. */
export interface StoryContext<E extends Exchange> {
  readonly table: RoutingTable;
  readonly forwarder: Forwarder<E, ServedMember>;
  readonly scoreboard: LaneScoreboard;
  readonly clock: Clock;
  /**
   * A young session whose member is unknown here waits so long for news of it: another replica may know more.
   * Milliseconds.
   */
  readonly newsWaitMs: number;
  /** Who takes notes of requests; null: nobody. */
  witness: RequestWitness | null;
}

/**
 * Serves one request. Afterwards, perhaps before this returns, `exchange.end` is called once: the answer is complete, cut
 * or refused then.
 */
export function serve<E extends Exchange>(exchange: E, context: StoryContext<E>): void {
  const match = context.table.match(exchange.host, exchange.target);
  const facts = context.witness === null ? null : context.witness.begin(exchange, match.rule ?? null);
  if (match.refused !== undefined) return refuse(exchange, match.refused, 0, context, facts);
  const balancer = context.table.balancer(match.balancer);
  if (balancer === undefined) return refuse(exchange, 'no-rule', 0, context, facts);
  const fault = exchange.isLoop ? 'loop' : exchange.admit(balancer.unit.limits, balancer.unit.timeouts);
  facts?.belongs(balancer);
  if (fault !== null) return refuse(exchange, fault, balancer.row, context, facts);
  new Journey(exchange, balancer, context, facts).setOut();
}

/**
 * One request on its way to a member. Each method is a stage and calls the next one; there are no promises but where it
 * waits, because each costs about a microsecond of every request.
 */
class Journey<E extends Exchange> implements AttemptOwner {
  readonly #exchange: E;
  readonly #context: StoryContext<E>;
  readonly #facts: RequestFacts | null;
  /** Changes only while the request waits: what is served then is newer. */
  #balancer: ServedBalancer;
  readonly #visit: SessionVisit | null;
  /** Attempts that have begun. */
  #attempts = 0;
  /** Index of the member that the attempt under way is made on. */
  #index = NONE;
  /** Index of a member that this request was not answered by though it did not go into error, or NONE. */
  #avoid = NONE;
  /** Why the attempt before did not do; what the client is told when no other can be made. */
  #lastFault: RequestFault | null = null;

  constructor(exchange: E, balancer: ServedBalancer, context: StoryContext<E>, facts: RequestFacts | null) {
    this.#exchange = exchange;
    this.#context = context;
    this.#facts = facts;
    this.#balancer = balancer;
    const { sessions } = balancer;
    this.#visit = sessions === null ? null : new SessionVisit(exchange, sessions, context.clock.wallMs());
    if (this.#visit === null) return;
    context.scoreboard.countSession(balancer.row, this.#visit.verdict);
    facts?.visits(this.#visit);
  }

  setOut(): void {
    if (this.#isAheadOfUs()) void this.#hearNews();
    else this.#tryNext();
  }

  /** Nobody overtakes those who wait for a member already. */
  #tryNext(): void {
    const { room } = this.#balancer;
    if (this.#exchange.fault !== null) return this.#refuse(this.#exchange.fault);
    const index = room?.isOccupied ? NONE : this.#choose();
    if (index === NONE && room !== null) void this.#waitForMember(room);
    else this.#attempt(index);
  }

  /** What `choose` has begun; `release` ends it. */
  #attempt(index: number): void {
    if (index < 0) return this.#refuse(this.#faultWithoutMember(index));
    const balancer = this.#balancer;
    const { scoreboard, forwarder, clock } = this.#context;
    this.#index = index;
    this.#attempts += 1;
    const isWatched = AttemptWatch.isNeededBy(balancer);
    const observer = isWatched ? new AttemptWatch(balancer, index, this.#visit, scoreboard, clock) : null;
    this.#exchange.observer = this.#facts === null ? observer : this.#facts.tries(balancer, index, observer);
    this.#visit?.inform(balancer, index);
    forwarder.forward(this.#exchange, balancer.members[index]!, balancer.unit.timeouts, this);
  }

  attemptEnded(outcome: Outcome): void {
    const verdict = this.#judge(outcome);
    if (verdict.next !== 'try-next') return this.#record(outcome);
    this.#facts?.fails(outcome);
    this.#release();
    this.#avoid = verdict.avoidsMember ? this.#index : NONE;
    this.#lastFault = outcome.kind === 'failed' ? outcome.fault : null;
    this.#tryNext();
  }

  /**
   * Chooses a member and begins the attempt on it, in one go: of many that wait, the next one must see it busy. NONE or
   * REJECTED when there is none.
   */
  #choose(): number {
    const index = this.#find();
    if (index >= 0) this.#context.scoreboard.beginAttempt(this.#balancer.members[index]!.row);
    return index;
  }

  /** The session's member, or else the one that the method elects. */
  #find(): number {
    const { sessions, compiled, unit, room } = this.#balancer;
    if (this.#visit !== null && sessions !== null && this.#avoid === NONE) {
      const index = this.#visit.choose(compiled, sessions, room !== null);
      if (index === AWAITED) return NONE;
      if (index !== NONE) {
        this.#facts?.sticks();
        return index;
      }
    }
    return elect(compiled, unit.hash === null ? 0 : hashKeyOf(this.#exchange, unit.hash), this.#avoid);
  }

  /** Whether the session's member may be known to another replica already and here in a moment. */
  #isAheadOfUs(): boolean {
    const { sessions } = this.#balancer;
    return this.#visit !== null && sessions !== null && this.#visit.isAheadOf(sessions);
  }

  async #hearNews(): Promise<void> {
    const { clock, table, newsWaitMs } = this.#context;
    const untilMs = clock.nowMs() + newsWaitMs;
    for (let leftMs = newsWaitMs; leftMs > 0 && this.#isAheadOfUs(); leftMs = untilMs - clock.nowMs()) {
      await table.change(leftMs);
      this.#catchUp();
    }
    this.#tryNext();
  }

  async #waitForMember(room: WaitingRoom): Promise<void> {
    const index = await room.wait({
      line: () => {
        this.#catchUp();
        return this.#line();
      },
      choose: () => {
        this.#catchUp();
        // Whoever cannot go on makes room; `faultWithoutMember` sees why.
        return this.#exchange.fault === null ? this.#choose() : REJECTED;
      },
      isOver: () => this.#exchange.fault !== null,
    });
    this.#attempt(index);
  }

  /** What `choose` depends on. */
  #line(): string {
    const { compiled, sessions } = this.#balancer;
    if (this.#avoid !== NONE) return `not ${compiled.rows[this.#avoid]}`;
    return this.#visit === null || sessions === null ? ANYONE : this.#visit.line(compiled, sessions);
  }

  /** What was served when the request began to wait may be out of date. */
  #catchUp(): void {
    const before = this.#balancer;
    this.#balancer = this.#context.table.balancer(before.unit.key) ?? before;
    if (this.#avoid === NONE || this.#balancer === before) return;
    // The member that it avoids may have another index now, or be gone.
    this.#avoid = this.#balancer.compiled.rows.indexOf(before.compiled.rows[this.#avoid]!);
  }

  #faultWithoutMember(index: number): RequestFault {
    if (this.#exchange.fault !== null) return this.#exchange.fault;
    return index === REJECTED ? sessionFault(this.#balancer) : (this.#lastFault ?? 'no-member');
  }

  /** Puts the member to rest, or wakes it, as the outcome demands; says whether another attempt follows. */
  #judge(outcome: Outcome): Verdict {
    const { compiled, unit } = this.#balancer;
    const index = this.#index;
    const situation = {
      isIdempotent: isIdempotent(this.#exchange.method),
      isReplayable: this.#exchange.isReplayable,
      attempts: this.#attempts,
      ignoresErrors: unit.members[index]!.ignoreErrors,
    };
    const verdict = decide(endingOf(outcome), situation, unit.failover);
    if (outcome.kind !== 'answered' && isMembersFault(outcome.fault)) {
      this.#context.scoreboard.countFailure(compiled.rows[index]!);
    }
    if (verdict.failsMember) markFailed(compiled, index);
    else if (outcome.kind !== 'failed') markSucceeded(compiled, index);
    return verdict;
  }

  /** The end of a request that reached a member. Every request is counted here or in `refuse`, once. */
  #record(outcome: Outcome): void {
    const exchange = this.#exchange;
    const context = this.#context;
    const { row, members } = this.#balancer;
    if (outcome.kind === 'failed') {
      this.#facts?.fails(outcome);
      answerOurselves(exchange, exchange.fault ?? outcome.fault, row, context, this.#facts);
    } else {
      const isClientLeft = outcome.kind === 'cut' && outcome.fault === 'client-gone';
      context.scoreboard.countResponse(members[this.#index]!.row, isClientLeft ? 0 : codeClass(outcome.status));
      countDuration(exchange, row, context);
      this.#facts?.ends(outcome.kind === 'cut' ? outcome.fault : null);
    }
    this.#release();
    exchange.end();
  }

  /**
   * Differs from httpd: busy is released when the attempt ends. There a member that refused stays busy until another one
   * has answered. Comes after counting, because the rows of members that are gone are wiped once nothing is open on them.
   */
  #release(): void {
    this.#context.scoreboard.endAttempt(this.#balancer.members[this.#index]!.row);
    this.#balancer.room?.wake();
  }

  #refuse(fault: RequestFault): void {
    refuse(this.#exchange, fault, this.#balancer.row, this.#context, this.#facts);
  }
}

/** Ends a request without a member. */
function refuse<E extends Exchange>(
  exchange: E,
  fault: RequestFault,
  balancerRow: number,
  context: StoryContext<E>,
  facts: RequestFacts | null,
): void {
  answerOurselves(exchange, fault, balancerRow, context, facts);
  exchange.end();
}

function answerOurselves<E extends Exchange>(
  exchange: E,
  fault: RequestFault,
  balancerRow: number,
  context: StoryContext<E>,
  facts: RequestFacts | null,
): void {
  exchange.refuse(fault, facts?.refusal(fault));
  context.scoreboard.countOwnResponse(balancerRow, codeClass(statusOf(fault)));
  countDuration(exchange, balancerRow, context);
  facts?.ends(fault);
}

function countDuration<E extends Exchange>(exchange: E, balancerRow: number, context: StoryContext<E>): void {
  context.scoreboard.countDuration(balancerRow, (context.clock.nowMs() - exchange.startedMs) / 1000);
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

/** What failover has to judge: a fault of the member, or of the request itself. */
function endingOf(outcome: Outcome): Ending {
  if (outcome.kind === 'answered') return outcome;
  if (outcome.fault in MEMBER_FAULTS) return { kind: outcome.fault as MemberFault };
  return { kind: 'bad-request-body', status: statusOf(outcome.fault) };
}

/** 0 none, 1 to 5 the first digit of the status. */
function codeClass(status: number): number {
  return Math.floor(status / 100);
}
