// What one request has to do with the sessions of its balancer: which member it comes back to, what of the session the
// member must not see, and what the answer must carry. Elects nobody by the method; the story does.
import { type CompiledBalancer, NONE } from '../balancer/compiled-balancer.ts';
import { afterUnstuck, stick, stickByValue, Unstuck } from '../balancer/session.ts';
import type { HeadLines } from '../balancer/sessions/head-lines.ts';
import { readSession, routeOf } from '../balancer/sessions/session-reader.ts';
import {
  createSessionReading,
  type SessionReading,
  type SessionVerdict,
} from '../balancer/sessions/session-reading.ts';
import { writeSession } from '../balancer/sessions/session-writer.ts';
import { createSessionWriting } from '../balancer/sessions/session-writing.ts';
import type { AnswerEdits, Exchange } from './exchange.ts';
import type { ServedSessions } from './routing-table.ts';

/** Instead of an index: the session's member cannot be had, and the session may not go elsewhere. */
export const REJECTED = -4;
/** Instead of an index: the session's member has as much to do as it may, and the request can wait for it. */
export const AWAITED = -5;

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
      exchange.requestEdits = { target: reading.target, lines: reading.edits };
    }
  }

  get verdict(): SessionVerdict {
    return this.reading.verdict;
  }

  /** Whether the session is so young that its member may be known elsewhere already and here in a moment. */
  isAheadOf(sessions: ServedSessions): boolean {
    const { reading } = this;
    return reading.source !== null && reading.isFresh && routeOf(sessions.compiled, reading) === '';
  }

  /** The index of the session's member; NONE: any will do; REJECTED; AWAITED. Counts and charges as an election does. */
  choose(balancer: CompiledBalancer, sessions: ServedSessions, canWait: boolean): number {
    const { reading } = this;
    const route = routeOf(sessions.compiled, reading);
    const index = route === '' ? Unstuck.Unknown : stick(balancer, route);
    if (index >= 0) return index;
    if (index === Unstuck.Full && canWait) return AWAITED;
    const { onMemberDown, strategy } = sessions.compiled.unit;
    const isLost = strategy !== 'Route' && reading.source !== null;
    if (onMemberDown === 'Reject' && isLost) return REJECTED;
    if (afterUnstuck(index, onMemberDown) === 'reject') return REJECTED;
    // Every lane and replica sends a session whose member is gone to the same other one.
    if (strategy === 'Suffix' && isLost) return stickByValue(balancer, sessions.rendezvous, reading.value);
    return NONE;
  }

  /** What the answer of the member with this session route must carry. `nowMs`: wall clock. */
  editAnswer(lines: HeadLines, sessions: ServedSessions, memberRoute: string, nowMs: number): AnswerEdits | null {
    const { isSecure, host } = this.#exchange;
    const answer = { reading: this.reading, route: memberRoute, isSecure, host };
    writeSession(sessions.compiled, lines, answer, nowMs, writing);
    const { edits, setCookie, cacheControl } = writing;
    this.oversizedCookies = writing.oversizedCount;
    if (edits === null && setCookie === null && cacheControl === null) return null;
    const added: [string, string][] = [];
    if (setCookie !== null) added.push(['Set-Cookie', setCookie]);
    if (cacheControl !== null) added.push(['Cache-Control', cacheControl]);
    return { lines: edits, added };
  }
}
