// What a response to a client must carry so that its session comes back: one call per final response of a member of a
// balancer with sessions. Bodies are never touched. Runs to its end without waiting.
import type { CompiledSession } from './compiled-session.ts';
import type { HeadLines } from './head-lines.ts';
import { cacheControlFor, mustInsert } from './inserted-cookie.ts';
import { clearSessionWriting, type SessionAnswer, type SessionWriting } from './session-writing.ts';
import { appendTokens } from './token-appending.ts';
import { issueToken, routeHashFor } from './token-issue.ts';

/** `nowMs`: wall clock, milliseconds since the epoch. Under Route nothing changes. */
export function writeSession(
  session: CompiledSession,
  lines: HeadLines,
  answer: SessionAnswer,
  nowMs: number,
  into: SessionWriting,
): void {
  clearSessionWriting(into);
  if (answer.route === '') return;
  const { strategy } = session.unit;
  switch (strategy) {
    case 'Route':
      return;
    case 'Suffix':
      return appendTokens({ session, lines, answer, nowMs, into });
    case 'Insert':
      return insertCookie(session, lines, answer, nowMs, into);
    default:
      strategy satisfies never;
  }
}

function insertCookie(
  session: CompiledSession,
  lines: HeadLines,
  { reading, route, isSecure }: SessionAnswer,
  nowMs: number,
  into: SessionWriting,
): void {
  const { inserted, unit } = session;
  if (inserted === null || !mustInsert(session, reading, route)) return;
  const token = issueToken(session, routeHashFor(session, route), nowMs, route);
  if (token === null) return;
  const after = isSecure ? inserted.afterSecure : inserted.afterPlain;
  into.setCookie = `${inserted.before}${route}${unit.separator}${token}${after}`;
  if (inserted.marksPrivate) into.cacheControl = cacheControlFor(lines);
}
