// What one request has to do with the sessions of its balancer: which member it comes back to, what of the session the
// member must not see, and what the answer must carry. Elects nobody by the method; the story does.
import { type CompiledBalancer, NONE } from '../balancer/compiled-balancer.ts';
import { afterUnstuck, stick, stickByValue, Unstuck } from '../balancer/session.ts';
import { begunSession } from '../balancer/sessions/begun-session.ts';
import type { HeadLines } from '../balancer/sessions/head-lines.ts';
import { isAhead, readSession, routeOf } from '../balancer/sessions/session-reader.ts';
import {
  createSessionReading,
  type SessionReading,
  type SessionVerdict,
} from '../balancer/sessions/session-reading.ts';
import { writeSession } from '../balancer/sessions/session-writer.ts';
import { createSessionWriting } from '../balancer/sessions/session-writing.ts';
import type { AnswerEdits, Exchange } from './exchange.ts';
import type { ServedBalancer, ServedSessions } from './routing-table.ts';
import { informingLines, sessionFactsOf } from './session-facts.ts';

/** Instead of an index: the session's member cannot be had, and the session may not go elsewhere. */
export const REJECTED = -4;
/** Instead of an index: the session's member has as much to do as it may, and the request can wait for it. */
export const AWAITED = -5;
/**
 * Instead of an index: the session may not go elsewhere, and its member may be known here in a moment. The client is told to
 * come again (503), not that its session is over.
 */
const UNHEARD = -6;

/** The line of those who wait for any member; see `SessionVisit.line`. */
export const ANYONE = 'any';

// Used within one call only.
const writing = createSessionWriting();

export class SessionVisit {
  readonly reading: SessionReading = createSessionReading();
  /** Of the last answer: cookies that were left alone because they would have grown past 4,096 bytes. */
  oversizedCookies = 0;
  readonly #exchange: Exchange;

  /** Reads the session of a request, and hides ours of it from the member. `nowMs`: wall clock. */
  constructor(exchange: Exchange, sessions: ServedSessions, nowMs: number) {
    this.#exchange = exchange;
    const { reading } = this;
    readSession(sessions.compiled, exchange.lines, exchange.target, nowMs, reading);
    if (reading.edits !== null || reading.target !== null) {
      exchange.requestEdits = { target: reading.target, lines: reading.edits, added: [] };
    }
  }

  get verdict(): SessionVerdict {
    return this.reading.verdict;
  }

  /** Whether the session's member may be known elsewhere already and here in a moment. */
  isAheadOf(sessions: ServedSessions): boolean {
    return isAhead(sessions.compiled, this.reading);
  }

  /** The index of the session's member; NONE: any will do; REJECTED; AWAITED. Counts and charges as an election does. */
  choose(balancer: CompiledBalancer, sessions: ServedSessions, canWait: boolean): number {
    const { reading } = this;
    const route = routeOf(sessions.compiled, reading);
    const isDrained = route !== '' && sessions.drainedRoutes.has(route);
    if (isDrained && sessions.onDrainTimeout === 'Reject') return REJECTED;
    const index = route === '' ? Unstuck.Unknown : stick(balancer, route);
    if (index >= 0) return this.#count(balancer, sessions, index);
    if (index === Unstuck.Full && canWait) return AWAITED;
    const { strategy } = sessions.compiled.unit;
    // What becomes of sessions whose member's drain is over is said by spec.drain.
    const onMemberDown = isDrained ? 'Redispatch' : sessions.compiled.unit.onMemberDown;
    const isLost = strategy !== 'Route' && reading.source !== null;
    if (onMemberDown === 'Reject' && isLost) return this.isAheadOf(sessions) ? UNHEARD : REJECTED;
    if (afterUnstuck(index, onMemberDown) === 'reject') return REJECTED;
    // Every lane and replica sends a session whose member is gone to the same other one.
    if (strategy !== 'Suffix' || !isLost) return NONE;
    return this.#count(balancer, sessions, stickByValue(balancer, sessions.rendezvous, reading.value));
  }

  /** What a request with this session waits for: those of one line get the same from `choose`, but for why they are rejected. */
  line({ routes }: CompiledBalancer, sessions: ServedSessions): string {
    const route = routeOf(sessions.compiled, this.reading);
    // Only of routes that members have: clients can make up any number of others.
    if (routes.byRoute.has(route)) return `session ${route}`;
    return this.reading.source === null ? ANYONE : 'lost session';
  }

  /** The session was seen on the member at this index, if there is one. */
  #count(balancer: CompiledBalancer, { sketch }: ServedSessions, index: number): number {
    if (index >= 0) sketch.observe(balancer.rows[index]!, this.reading.value);
    return index;
  }

  /** Tells the member at this index of the session, where that is asked for. */
  inform({ unit, sessions }: ServedBalancer, index: number): void {
    if (sessions === null || !sessions.compiled.unit.informsMember) return;
    const { reading } = this;
    const member = unit.members[index]!;
    const facts = sessionFactsOf(sessions.compiled, reading, member.sessionRoute);
    const added = informingLines(unit, member, facts);
    this.#exchange.requestEdits = { target: reading.target, lines: reading.edits, added };
  }

  /** What the answer of the member at this index must carry. `nowMs`: wall clock. */
  editAnswer(lines: HeadLines, balancer: ServedBalancer, index: number, nowMs: number): AnswerEdits | null {
    const { unit, members, sessions } = balancer;
    if (sessions === null) return null;
    const { isSecure, host } = this.#exchange;
    const route = unit.members[index]!.sessionRoute;
    const answer = { reading: this.reading, route, isSecure, host };
    writeSession(sessions.compiled, lines, answer, nowMs, writing);
    const { edits, setCookie, cacheControl } = writing;
    this.oversizedCookies = writing.oversizedCount;
    if (route !== '') this.#countBegun(lines, sessions, route, members[index]!.row, nowMs);
    if (edits === null && setCookie === null && cacheControl === null) return null;
    const added: [string, string][] = [];
    if (setCookie !== null) added.push(['Set-Cookie', setCookie]);
    if (cacheControl !== null) added.push(['Cache-Control', cacheControl]);
    return { lines: edits, added };
  }

  /** A session that begins here counts from now on, not only when its client comes back. */
  #countBegun(lines: HeadLines, { compiled, sketch }: ServedSessions, route: string, row: number, nowMs: number): void {
    if (isAhead(compiled, this.reading)) return;
    const { setCookie } = writing;
    const begun = setCookie === null ? begunSession(compiled, lines, route, nowMs) : cookieValue(setCookie);
    if (begun !== '') sketch.observe(row, begun);
  }
}

/** Of a Set-Cookie line of our own. */
function cookieValue(line: string): string {
  const end = line.indexOf(';');
  return line.slice(line.indexOf('=') + 1, end === -1 ? line.length : end);
}
