// One Set-Cookie line (RFC 6265bis §5.6): the cookie's value, and whether the line deletes the cookie. Changes nothing.
import { EQUALS, isBlank, QUOTE, SEMICOLON } from './octets.ts';

/** Where the value is; re-usable. */
export interface SetCookiePlace {
  /** Without white space and without quotes around it. */
  valueStart: number;
  valueEnd: number;
}

/** Whether `text[start, end)` sets the cookie `name` (case-sensitive) to something; then `place` is filled. */
export function findSetCookie(text: string, start: number, end: number, name: string, place: SetCookiePlace): boolean {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  if (!text.startsWith(name, at)) return false;
  at += name.length;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  if (at >= end || text.charCodeAt(at) !== EQUALS) return false;
  let valueStart = at + 1;
  let valueEnd = pairEnd(text, valueStart, end);
  while (valueStart < valueEnd && isBlank(text.charCodeAt(valueStart))) valueStart++;
  while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
  const isQuoted =
    valueEnd - valueStart >= 2 && text.charCodeAt(valueStart) === QUOTE && text.charCodeAt(valueEnd - 1) === QUOTE;
  place.valueStart = isQuoted ? valueStart + 1 : valueStart;
  place.valueEnd = isQuoted ? valueEnd - 1 : valueEnd;
  return true;
}

/**
 * Whether the line deletes the cookie: Max-Age of 0 or less, or else an Expires in the past. The last attribute of a name
 * counts, and Max-Age before Expires (RFC 6265bis §5.7). `nowMs`: milliseconds since the epoch.
 */
export function isDeletion(text: string, start: number, end: number, nowMs: number): boolean {
  let maxAge = '';
  let expires = '';
  for (let at = pairEnd(text, start, end); at < end; ) {
    const attributeEnd = pairEnd(text, at + 1, end);
    const attribute = text.slice(at + 1, attributeEnd);
    const equals = attribute.indexOf('=');
    if (equals !== -1) {
      const name = attribute.slice(0, equals).trim().toLowerCase();
      if (name === 'max-age') maxAge = attribute.slice(equals + 1).trim();
      else if (name === 'expires') expires = attribute.slice(equals + 1).trim();
    }
    at = attributeEnd;
  }
  if (/^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  // Not a date: NaN, which is not in the past.
  return expires !== '' && Date.parse(expires) <= nowMs;
}

function pairEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== SEMICOLON) at++;
  return at;
}
