// Looks at one value of a request: is there a token at its end, whose is it, does it hold? The first one that holds
// becomes the session of the request. Knows nothing of where values stand in a head.
import type { CompiledSession } from './compiled-session.ts';
import { separatorBefore } from './separator.ts';
import type { SessionReading, SessionSource, SessionVerdict } from './session-reading.ts';
import { verify } from './signer.ts';
import { findToken, isSignedToken, isTagged, issueTimeOf, routeHashOf, signedLength } from './token.ts';

/** Nothing is to be taken off. */
export const NOTHING = -1;

/** How far the clocks of replicas may be apart, in milliseconds. */
const clockSkewMs = 60_000;
/** The age up to which a session may belong to a member that is not known here yet, in milliseconds. */
const freshMs = 10_000;
/** Signatures looked at in one request; more than a browser gathers under one name. The rest count as forged. */
const maxSignatures = 8;

/** Re-usable. */
export class TokenJudge {
  readonly #session: CompiledSession;
  readonly #nowMs: number;
  readonly #into: SessionReading;
  #signaturesLeft = maxSignatures;
  // Of the value that is judged now.
  #text = '';
  #start = 0;
  #end = 0;
  #tokenStart = 0;
  #isOfFirstKey = true;

  constructor(session: CompiledSession, nowMs: number, into: SessionReading) {
    this.#session = session;
    this.#nowMs = nowMs;
    this.#into = into;
  }

  /**
   * Judges `text[start, end)`. Returns where that begins which Evenkeel has put at its end, separator included, or NOTHING.
   * Under Insert that is `start` for whatever is ours. `source` null: the Referer, which holds no session.
   */
  judge(text: string, start: number, end: number, source: SessionSource | null): number {
    const isUrl = source !== 'cookie' && source !== 'header';
    const tokenStart = findToken(text, start, end);
    const valueEnd = tokenStart === -1 ? -1 : separatorBefore(this.#session, text, start, tokenStart, isUrl);
    this.#text = text;
    this.#start = start;
    this.#end = end;
    this.#tokenStart = tokenStart;
    if (valueEnd === -1) return this.#judgeBare(source);
    if (source !== null && this.#into.source === null) {
      const verdict = this.#verdictOf(valueEnd);
      if (this.#isTaken(verdict)) this.#take(source, verdict, valueEnd);
      else this.#note(verdict, valueEnd);
    }
    return this.#session.unit.strategy === 'Insert' ? start : valueEnd;
  }

  #verdictOf(valueEnd: number): SessionVerdict {
    const { signer, tag, unit, validMs } = this.#session;
    this.#isOfFirstKey = true;
    if (!this.#text.startsWith(tag, this.#tokenStart + 1)) return 'foreign';
    if (signer === null) return 'valid';
    const isSigned = isSignedToken(this.#text, this.#tokenStart);
    if (isSigned) {
      if (this.#signaturesLeft === 0) return 'forged';
      this.#signaturesLeft--;
      const key = verify(signer, this.#text, this.#tokenStart, this.#text.slice(this.#start, valueEnd));
      if (key === -1) return 'forged';
      this.#isOfFirstKey = key === 0;
    } else if (unit.signing?.mode === 'Require') {
      return 'unsigned';
    }
    const ageMs = this.#nowMs - issueTimeOf(this.#text, this.#tokenStart);
    if (validMs !== Infinity && (ageMs > validMs + clockSkewMs || ageMs < -clockSkewMs)) return 'expired';
    return isSigned ? 'valid' : 'unsigned';
  }

  #isTaken(verdict: SessionVerdict): boolean {
    return verdict === 'valid' || (verdict === 'unsigned' && this.#session.unit.signing?.mode === 'Prefer');
  }

  #take(source: SessionSource, verdict: SessionVerdict, valueEnd: number): void {
    const session = this.#session;
    const into = this.#into;
    const issuedMs = issueTimeOf(this.#text, this.#tokenStart);
    const ageMs = this.#nowMs - issuedMs;
    into.source = source;
    into.verdict = verdict;
    into.routeHash = routeHashOf(this.#text, this.#tokenStart);
    into.route = session.routes.byHash.get(into.routeHash) ?? '';
    into.value = this.#text.slice(this.#start, session.unit.strategy === 'Insert' ? this.#end : valueEnd);
    into.issuedMs = issuedMs;
    into.isFresh = ageMs < freshMs && ageMs >= -clockSkewMs;
    into.isStale = ageMs >= session.staleMs || !this.#isOfFirstKey || verdict === 'unsigned';
  }

  /** A value without a token of ours. */
  #judgeBare(source: SessionSource | null): number {
    if (source === null || this.#end === this.#start) return NOTHING;
    const into = this.#into;
    if (this.#session.unit.strategy === 'Insert') {
      const route = this.#bareRoute();
      if (route !== '') {
        if (into.source === null) this.#takeBareRoute(route, source);
        return this.#start;
      }
    }
    if (into.source === null) this.#note(this.#isGarbled() ? 'garbled' : 'none', this.#end);
    return NOTHING;
  }

  /** `route` or `.route` of a member known here: the cookie of httpd recipes, or one written by hand. */
  #bareRoute(): string {
    const isAfterSeparator = this.#text.charCodeAt(this.#start) === this.#session.separatorCode;
    const route = this.#text.slice(isAfterSeparator ? this.#start + 1 : this.#start, this.#end);
    return this.#session.routes.byRoute.has(route) ? route : '';
  }

  #takeBareRoute(route: string, source: SessionSource): void {
    const { signer, unit, routes } = this.#session;
    const into = this.#into;
    if (unit.signing?.mode === 'Require') return this.#note('unsigned', this.#end);
    into.source = source;
    into.verdict = signer === null ? 'valid' : 'unsigned';
    into.route = route;
    into.value = route;
    into.routeHash = routes.byRoute.get(route) ?? '';
    into.isStale = true;
  }

  /** Whether something begins after the last separator as our tokens begin, so that it is a damaged one. */
  #isGarbled(): boolean {
    const { separatorCode, tag } = this.#session;
    const first = Math.max(this.#start, this.#end - 2 * signedLength);
    for (let at = this.#end - 1; at >= first; at--) {
      if (this.#text.charCodeAt(at) === separatorCode) return isTagged(this.#text, at + 1, tag);
    }
    return false;
  }

  /** Keeps what the first value tells that is no session. */
  #note(verdict: SessionVerdict, valueEnd: number): void {
    const into = this.#into;
    if (into.verdict === 'none') into.verdict = verdict;
    if (into.value !== '' || this.#session.unit.strategy === 'Insert') return;
    into.value = this.#text.slice(this.#start, valueEnd);
  }
}
