// Strategies Suffix and Insert on the way in: finds the session in path, query, cookies and header, in this order, and
// takes off what Evenkeel has put on, so that the member sees its application's own values. A value without a valid token
// does not end the search. Leaves alone whatever it has not appended.
import type { CompiledSession } from './compiled-session.ts';
import { CookieScanner } from './cookie-scanner.ts';
import { Cutting } from './cutting.ts';
import type { HeadLines } from './head-lines.ts';
import { isBlank, QUOTE, SEMICOLON } from './octets.ts';
import { ParameterScanner } from './parameter-scanner.ts';
import type { SessionReading, SessionSource } from './session-reading.ts';
import { NOTHING, TokenJudge } from './token-judge.ts';
import { pathStartOf, urlEndOf } from './url-reference.ts';

const parameters = new ParameterScanner();
const cookies = new CookieScanner();
const cutting = new Cutting();

export function readTokens(
  session: CompiledSession,
  lines: HeadLines,
  target: string,
  nowMs: number,
  into: SessionReading,
): void {
  const { cookie, urlParameter, strategy } = session.unit;
  const reader: TokenReader = { judge: new TokenJudge(session, nowMs, into), isSuffix: strategy === 'Suffix', into };
  if (urlParameter !== null) {
    parameters.open(target, 0, target.length, urlParameter);
    if (stripUrl(reader, target, 0, false)) into.target = cutting.finish(target.length);
  }
  if (cookie !== null) readCookies(reader, lines, cookie);
  if (session.headerName !== null) readHeader(reader, lines, session.headerName);
  // Applications read the id out of the Referer too, where cookies are off.
  if (urlParameter !== null && reader.isSuffix) stripReferer(reader, lines, urlParameter);
}

interface TokenReader {
  readonly judge: TokenJudge;
  /** Else Insert. */
  readonly isSuffix: boolean;
  readonly into: SessionReading;
}

/** Judges the parameters of an opened URL; true: `cutting` has something left out. */
function stripUrl({ judge, isSuffix }: TokenReader, text: string, start: number, isReferer: boolean): boolean {
  cutting.open(text, start);
  while (parameters.next()) {
    const { valueStart, valueEnd } = parameters;
    const source: SessionSource | null = isReferer ? null : parameters.isInPath ? 'path' : 'query';
    const cutStart = judge.judge(text, valueStart, valueEnd, source);
    // Insert has put nothing into URLs.
    if (cutStart !== NOTHING && isSuffix) cutting.replace(cutStart, valueEnd, '');
  }
  parameters.close();
  return cutting.isChanged;
}

function stripReferer(reader: TokenReader, lines: HeadLines, name: string): void {
  const { text } = lines;
  for (let line = lines.findName('referer'); line !== -1; line = lines.findName('referer', line + 1)) {
    const start = lines.valueStart(line);
    const lineEnd = lines.valueEnd(line);
    const end = urlEndOf(text, start, lineEnd);
    parameters.open(text, pathStartOf(text, start, end), end, name);
    if (stripUrl(reader, text, start, true)) edit(reader, line, cutting.finish(lineEnd));
  }
}

function readHeader(reader: TokenReader, lines: HeadLines, name: string): void {
  const { text } = lines;
  for (let line = lines.findName(name); line !== -1; line = lines.findName(name, line + 1)) {
    const start = lines.valueStart(line);
    const cutStart = reader.judge.judge(text, start, lines.valueEnd(line), 'header');
    if (cutStart !== NOTHING && reader.isSuffix) edit(reader, line, text.slice(start, cutStart));
  }
}

function readCookies(reader: TokenReader, lines: HeadLines, name: string): void {
  const { text } = lines;
  cookies.open(text, name, false);
  for (let line = lines.findName('cookie'); line !== -1; line = lines.findName('cookie', line + 1)) {
    const start = lines.valueStart(line);
    const end = lines.valueEnd(line);
    cutting.open(text, start);
    cookies.openLine(start, end);
    let isLastHidden = false;
    while (cookies.next()) isLastHidden = readCookie(reader, text, end);
    if (!cutting.isChanged) continue;
    const value = cutting.finish(end);
    const kept = isLastHidden ? withoutLastDelimiter(value) : value;
    edit(reader, line, kept === '' ? null : kept);
  }
  cookies.close();
}

/**
 * Judges the cookie just found. White space around the value is not part of it, nor are quotes around it (RFC 6265bis §4.1.1,
 * §5.6). True: it is taken out whole, and it was the last one of the line.
 */
function readCookie({ judge, isSuffix }: TokenReader, text: string, lineEnd: number): boolean {
  let { valueStart: start, valueEnd: end } = cookies;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  if (end - start >= 2 && text.charCodeAt(start) === QUOTE && text.charCodeAt(end - 1) === QUOTE) {
    start++;
    end--;
  }
  const cutStart = judge.judge(text, start, end, 'cookie');
  if (cutStart === NOTHING) return false;
  if (!isSuffix) return hideCookie(text, lineEnd);
  cutting.replace(cutStart, end, '');
  return false;
}

function hideCookie(text: string, lineEnd: number): boolean {
  let at = cookies.valueEnd;
  const isLast = at === lineEnd;
  if (!isLast) at++;
  while (at < lineEnd && isBlank(text.charCodeAt(at))) at++;
  cutting.replace(cookies.nameStart, at, '');
  return isLast;
}

/** The line without the delimiter that stood before a last cookie. */
function withoutLastDelimiter(line: string): string {
  let end = line.length;
  while (end > 0 && isBlank(line.charCodeAt(end - 1))) end--;
  if (end > 0 && line.charCodeAt(end - 1) === SEMICOLON) end--;
  return line.slice(0, end);
}

function edit({ into }: TokenReader, line: number, value: string | null): void {
  into.edits ??= new Map();
  into.edits.set(line, value);
}
