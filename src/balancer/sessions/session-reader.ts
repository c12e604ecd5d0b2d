// What a request says of its session, and what the member must not see of it: one call per request of a balancer with
// sessions. Decides nothing about members; runs to its end without waiting, so its working memory is one per thread.
import type { CompiledSession } from './compiled-session.ts';
import type { HeadLines } from './head-lines.ts';
import { readRoute } from './route-reading.ts';
import { clearSessionReading, type SessionReading } from './session-reading.ts';
import { readTokens } from './token-reading.ts';

/**
 * Reads a request into `into`. `target` is in origin form ("/path?query" or "*"), as the member would get it. `nowMs`: wall
 * clock, milliseconds since the epoch. Allocates nothing but the strings of the session found and what has to be stripped.
 */
export function readSession(
  session: CompiledSession,
  lines: HeadLines,
  target: string,
  nowMs: number,
  into: SessionReading,
): void {
  clearSessionReading(into);
  if (session.unit.strategy === 'Route') readRoute(session, lines, target, into);
  else readTokens(session, lines, target, nowMs, into);
}

/**
 * The session route of a reading as far as members are known to `session`, which may be compiled later than the one that
 * read it: for a request that waited for a member to become known. '' when it is still unknown.
 */
export function routeOf(session: CompiledSession, reading: SessionReading): string {
  const { route, routeHash } = reading;
  if (route !== '' || routeHash === '') return route;
  return session.routes.byHash.get(routeHash) ?? '';
}

/**
 * Whether the session is so young that its member may be known to another replica already, and here in a moment. Not when
 * the member was known here and is gone.
 */
export function isAhead(session: CompiledSession, reading: SessionReading): boolean {
  return (
    reading.source !== null &&
    reading.isFresh &&
    routeOf(session, reading) === '' &&
    !session.goneHashes.has(reading.routeHash)
  );
}
