// Which session a response begins, for the count of live sessions: one that its client has not come back with yet is one to
// wait for, too. Looks at what the application itself has set, before anything is put behind it. Changes nothing.
import type { CompiledSession } from './compiled-session.ts';
import type { HeadLines } from './head-lines.ts';
import { findSetCookie, isDeletion, type SetCookiePlace } from './set-cookie.ts';

const place: SetCookiePlace = { valueStart: 0, valueEnd: 0 };

/**
 * The value of the session that a response of the member with this session route begins or goes on with, as the next
 * request's reading has it (`SessionReading.value`); '': none. Under Insert, where the application sets nothing: ''.
 */
export function begunSession(session: CompiledSession, lines: HeadLines, route: string, nowMs: number): string {
  const { strategy, cookie } = session.unit;
  if (strategy === 'Insert') return '';
  const value = (cookie === null ? '' : inCookies(lines, cookie, nowMs)) || inHeader(lines, session.headerName);
  return value !== '' && (strategy === 'Suffix' || namesRoute(session, value, route)) ? value : '';
}

function inCookies(lines: HeadLines, name: string, nowMs: number): string {
  for (let line = lines.findName('set-cookie'); line !== -1; line = lines.findName('set-cookie', line + 1)) {
    const { text } = lines;
    const start = lines.valueStart(line);
    const end = lines.valueEnd(line);
    if (!findSetCookie(text, start, end, name, place)) continue;
    if (place.valueEnd > place.valueStart && !isDeletion(text, start, end, nowMs)) {
      return text.slice(place.valueStart, place.valueEnd);
    }
  }
  return '';
}

function inHeader(lines: HeadLines, name: string | null): string {
  const line = name === null ? -1 : lines.findName(name);
  return line === -1 ? '' : lines.text.slice(lines.valueStart(line), lines.valueEnd(line));
}

/** Under Route a session that does not name the member does not come back to it. */
function namesRoute({ unit: { separator } }: CompiledSession, value: string, route: string): boolean {
  if (separator === '') return value === route;
  const at = value.indexOf(separator);
  return at !== -1 && value.slice(at + 1) === route;
}
