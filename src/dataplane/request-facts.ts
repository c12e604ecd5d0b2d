// What is noted of a request while it is served, for the access log and for explanations. Made only where somebody wants
// to know; the story tells it what it decided, and asks it for nothing but lines of an answer.
import type { RuleUnit } from '../snapshot/snapshot.ts';
import type { AccessLog } from './access-log.ts';
import { type ElectionReason, explanationText } from './explain-text.ts';
import { type ExplainGate, ExplainedAnswer, explainLines } from './explain.ts';
import type { AddedLines, AnswerObserver, Exchange, Outcome } from './exchange.ts';
import type { RequestFault } from './proxy-error.ts';
import type { ServedBalancer } from './routing-table.ts';
import { type SessionFacts, sessionFactsOf } from './session-facts.ts';
import type { SessionVisit } from './session-visit.ts';

/** Decides of which requests facts are noted. A lane without access log and explain secret has none. */
export class RequestWitness {
  readonly #log: AccessLog | null;
  readonly #gate: ExplainGate | null;

  constructor(log: AccessLog | null, gate: ExplainGate | null) {
    this.#log = log;
    this.#gate = gate;
  }

  /** Null: nobody wants to know of this one. `rule`: null where none takes it. */
  begin(exchange: Exchange, rule: RuleUnit | null): RequestFacts | null {
    const isExplained = this.#gate?.isAsked(exchange.lines) ?? false;
    if (this.#log === null && !isExplained) return null;
    this.#log?.begin();
    return new RequestFacts(exchange, this.#log, isExplained ? { rule } : null);
  }
}

export class RequestFacts {
  readonly exchange: Exchange;
  /** Of all that the client's connection was sent, what was sent before. Bytes. */
  readonly sentBefore: number;
  balancer: ServedBalancer | null = null;
  visit: SessionVisit | null = null;
  /** Index of the member tried last; -1: none was. */
  member = -1;
  attempts = 0;
  readonly #log: AccessLog | null;
  /** Null: nothing is explained. */
  readonly #asked: { readonly rule: RuleUnit | null } | null;
  /** The member that is tried next is the session's. */
  #isHeld = false;
  #reason: ElectionReason = '';
  #failed: { readonly member: string; readonly reason: string }[] = [];

  constructor(exchange: Exchange, log: AccessLog | null, asked: { readonly rule: RuleUnit | null } | null) {
    this.exchange = exchange;
    this.sentBefore = exchange.sentBytes;
    this.#log = log;
    this.#asked = asked;
  }

  /** Null: no session was looked for. */
  get session(): SessionFacts | null {
    const sessions = this.balancer?.sessions ?? null;
    if (sessions === null || this.visit === null) return null;
    const route = this.member < 0 ? null : this.balancer!.unit.members[this.member]!.sessionRoute;
    return sessionFactsOf(sessions.compiled, this.visit.reading, route);
  }

  belongs(balancer: ServedBalancer): void {
    this.balancer = balancer;
  }

  visits(visit: SessionVisit): void {
    this.visit = visit;
  }

  /** It was the session that decided on the member. */
  sticks(): void {
    this.#isHeld = true;
  }

  /** An attempt begins on the member with this index. Returns who looks at its answer. */
  tries(balancer: ServedBalancer, index: number, observer: AnswerObserver | null): AnswerObserver | null {
    const isHeld = this.#isHeld;
    this.#isHeld = false;
    this.balancer = balancer;
    this.member = index;
    this.attempts += 1;
    if (this.#asked === null) return observer;
    this.#reason = isHeld ? this.#sessionReason() : balancer.unit.lbMethod;
    return new ExplainedAnswer(observer, () => this.#explain(this.#nameOfMember(), this.#reason));
  }

  /** The attempt did not do. */
  fails(outcome: Outcome): void {
    if (this.#asked === null) return;
    const reason = outcome.kind === 'answered' ? String(outcome.status) : outcome.fault;
    this.#failed.push({ member: this.#nameOfMember(), reason });
  }

  /** Lines for the client, of an answer of our own. */
  refusal(fault: RequestFault): AddedLines {
    if (this.#asked === null) return [];
    return explainLines(this.#explain(null, fault));
  }

  /** Everything is sent, or nothing more can be. */
  ends(fault: RequestFault | null): void {
    this.#log?.note(this, fault);
  }

  #nameOfMember(): string {
    return this.balancer!.unit.members[this.member]!.name;
  }

  #sessionReason(): ElectionReason {
    return this.session?.isRouteChanged ? 'session-moved' : 'session';
  }

  #explain(member: string | null, reason: ElectionReason): string {
    const rule = this.#asked?.rule ?? null;
    return explanationText({
      rule,
      session: this.session,
      member,
      reason,
      attempts: this.attempts,
      failed: this.#failed,
    });
  }
}
