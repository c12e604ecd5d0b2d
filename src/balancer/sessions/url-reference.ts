// Where the parts of a URL reference are (RFC 3986 §4), as far as sessions need them: absolute, `//host/path`, `/path` or
// relative. Resolves nothing.
import { COLON, HASH, QUESTION, SLASH } from './octets.ts';

/** Where the fragment begins, or `end`. */
export function urlEndOf(text: string, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (text.charCodeAt(at) === HASH) return at;
  }
  return end;
}

/** Where the authority begins, or -1 for a reference without one. `http:` and `https:` are the only schemes. */
function authorityStartOf(text: string, start: number, end: number): number {
  if (text.charCodeAt(start) === SLASH) {
    return start + 1 < end && text.charCodeAt(start + 1) === SLASH ? start + 2 : -1;
  }
  const colon = text.charCodeAt(start + 4) === COLON ? start + 4 : start + 5;
  if (colon + 3 > end || !text.startsWith('://', colon)) return -1;
  const scheme = text.slice(start, colon).toLowerCase();
  return scheme === 'http' || scheme === 'https' ? colon + 3 : -1;
}

/** Where path or query begin. */
export function pathStartOf(text: string, start: number, end: number): number {
  const authorityStart = authorityStartOf(text, start, end);
  return authorityStart === -1 ? start : authorityEnd(text, authorityStart, end);
}

function authorityEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== SLASH && text.charCodeAt(at) !== QUESTION) at++;
  return at;
}

/**
 * Whether the reference leads to `host`, the host and port that the client asked, or is relative. Schemes do not matter,
 * and their default ports neither: redirects from http to https stay with us. Other ports are others.
 */
export function isSameHost(text: string, start: number, end: number, host: string): boolean {
  const authorityStart = authorityStartOf(text, start, end);
  if (authorityStart === -1) return !hasScheme(text, start, end) && !hasBackslash(text, start, end);
  const authority = text.slice(authorityStart, authorityEnd(text, authorityStart, end));
  return withoutDefaultPort(authority) === withoutDefaultPort(host);
}

/** Browsers read a backslash as "/", so that a host may hide behind `/\\`. */
function hasBackslash(text: string, start: number, end: number): boolean {
  return text.slice(start, Math.min(end, start + 2)).includes('\\');
}

function withoutDefaultPort(authority: string): string {
  return authority.toLowerCase().replace(/:(?:80|443)?$/, '');
}

/** Whether the reference begins with a scheme, as in `mailto:` (RFC 3986 §3.1). */
function hasScheme(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) return at > start;
    if (!isSchemeCharacter(code)) return false;
  }
  return false;
}

function isSchemeCharacter(code: number): boolean {
  const lower = code | 0x20;
  const isDigitOrSign = (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e;
  return isDigitOrSign || (lower >= 0x61 && lower <= 0x7a);
}
