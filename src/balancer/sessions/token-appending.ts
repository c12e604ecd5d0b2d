// Strategy Suffix on the way out: puts a token behind the application's session value wherever the response carries it: in
// Set-Cookie, in the session header, and in Location and Content-Location where they lead back to us. What deletes a
// session stays as it is.
import type { CompiledSession } from './compiled-session.ts';
import { Cutting } from './cutting.ts';
import type { HeadLines } from './head-lines.ts';
import { ParameterScanner } from './parameter-scanner.ts';
import { separatorBefore } from './separator.ts';
import type { SessionAnswer, SessionWriting } from './session-writing.ts';
import { isAhead } from './session-reader.ts';
import { findSetCookie, isDeletion, type SetCookiePlace } from './set-cookie.ts';
import { findToken, routeHashOf } from './token.ts';
import { issueToken, routeHashFor } from './token-issue.ts';
import { isSameHost, pathStartOf, urlEndOf } from './url-reference.ts';

/** Name, value and attributes of a cookie together: what every browser keeps (RFC 6265 §6.1). Bytes. */
const maxCookieBytes = 4096;

/** One response. */
export interface Appending {
  readonly session: CompiledSession;
  readonly lines: HeadLines;
  readonly answer: SessionAnswer;
  readonly nowMs: number;
  readonly into: SessionWriting;
}

const place: SetCookiePlace = { valueStart: 0, valueEnd: 0 };
const parameters = new ParameterScanner();
const cutting = new Cutting();

/**
 * A session whose member may be known here in a moment is neither overwritten nor deleted by a member that does not know it:
 * the client keeps what it has, and finds its session again.
 */
export function appendTokens(response: Appending): void {
  const { session, answer } = response;
  const { cookie, urlParameter } = session.unit;
  const isKept = isAhead(session, answer.reading);
  if (cookie !== null) appendToCookies(response, cookie, isKept);
  if (session.headerName !== null) appendToHeader(response, session.headerName, isKept);
  if (urlParameter !== null && session.isSeparatorUrlSafe) {
    appendToUrls(response, 'location', urlParameter);
    appendToUrls(response, 'content-location', urlParameter);
  }
}

/** `isKept`: lines that set the cookie are left out. */
function appendToCookies(response: Appending, name: string, isKept: boolean): void {
  const { lines, into, nowMs } = response;
  for (let line = lines.findName('set-cookie'); line !== -1; line = lines.findName('set-cookie', line + 1)) {
    const { text } = lines;
    const start = lines.valueStart(line);
    const end = lines.valueEnd(line);
    if (!findSetCookie(text, start, end, name, place)) continue;
    const { valueStart, valueEnd } = place;
    if (isKept) edit(response, line, null);
    if (isKept || valueStart === valueEnd || isDeletion(text, start, end, nowMs)) continue;
    const suffixed = withToken(response, valueStart, valueEnd, false);
    if (suffixed === null) continue;
    if (end - start - (valueEnd - valueStart) + suffixed.length > maxCookieBytes) into.oversizedCount++;
    else edit(response, line, text.slice(start, valueStart) + suffixed + text.slice(valueEnd, end));
  }
}

/** `isKept`: such lines are left out. */
function appendToHeader(response: Appending, name: string, isKept: boolean): void {
  const { lines } = response;
  for (let line = lines.findName(name); line !== -1; line = lines.findName(name, line + 1)) {
    const start = lines.valueStart(line);
    const end = lines.valueEnd(line);
    const suffixed = start === end || isKept ? null : withToken(response, start, end, false);
    if (suffixed !== null || isKept) edit(response, line, suffixed);
  }
}

/** Only URLs that are relative or lead to the host that the client asked: others must not learn our sessions. */
function appendToUrls(response: Appending, header: string, name: string): void {
  const { lines, answer } = response;
  for (let line = lines.findName(header); line !== -1; line = lines.findName(header, line + 1)) {
    const { text } = lines;
    const start = lines.valueStart(line);
    const lineEnd = lines.valueEnd(line);
    const end = urlEndOf(text, start, lineEnd);
    cutting.open(text, start);
    parameters.open(text, pathStartOf(text, start, end), end, name);
    while (parameters.next() && (cutting.isChanged || isSameHost(text, start, end, answer.host))) {
      const { valueStart, valueEnd } = parameters;
      const suffixed = withToken(response, valueStart, valueEnd, true);
      if (suffixed !== null) cutting.replace(valueStart, valueEnd, suffixed);
    }
    parameters.close();
    if (cutting.isChanged) edit(response, line, cutting.finish(lineEnd));
  }
}

/** The value at `[start, end)` with a token of the answering member; null when none can be made. */
function withToken(response: Appending, start: number, end: number, isUrl: boolean): string | null {
  const { session, lines } = response;
  const value = lines.text.slice(start, echoStart(response, start, end, isUrl));
  const hash = routeHashFor(session, response.answer.route);
  const token = issueToken(session, hash, issueTimeFor(response, value, hash), value);
  return token === null ? null : value + session.unit.separator + token;
}

/**
 * Where a token of ours begins that the application sends back, because it got hold of the client's form of its value; else
 * `end`. It must name a member that is known here: the token of an inner Evenkeel whose balancer has our name stays.
 */
function echoStart({ session, lines }: Appending, start: number, end: number, isUrl: boolean): number {
  const { text } = lines;
  const tokenStart = findToken(text, start, end);
  if (tokenStart === -1 || !text.startsWith(session.tag, tokenStart + 1)) return end;
  if (!session.routes.byHash.has(routeHashOf(text, tokenStart))) return end;
  const valueEnd = separatorBefore(session, text, start, tokenStart, isUrl);
  return valueEnd > start ? valueEnd : end;
}

/**
 * An application that sends its session again and again has the client see the same value again and again, as long as the
 * member stays and the token is not stale.
 */
function issueTimeFor({ answer, nowMs }: Appending, value: string, hash: string): number {
  const { reading } = answer;
  const isSame = reading.source !== null && !reading.isStale && reading.routeHash === hash && reading.value === value;
  return isSame ? reading.issuedMs : nowMs;
}

function edit({ into }: Appending, line: number, value: string | null): void {
  into.edits ??= new Map();
  into.edits.set(line, value);
}
