// The forms of a request target (RFC 9112 §3.2): origin, absolute and asterisk; authority-form is refused.
// Looks at form only: paths are neither decoded nor resolved here.
import { type Authority, parseAuthority } from './authority.ts';
import { equalsIgnoringCase, QUESTION, SLASH, STAR } from './octets.ts';

/** `origin`: "/path?query". `absolute`: "http://host/path?query". `asterisk`: "*", with OPTIONS only. */
export type TargetForm = 'origin' | 'absolute' | 'asterisk';

/** Where the parts of a target are in the bytes that held it. Re-usable. */
export interface RequestTarget {
  form: TargetForm;
  /** Where path and query begin. Equal to the end of the target when an absolute target has neither. */
  pathStart: number;
  /** Of an absolute target, 80 or 443; else 0. */
  defaultPort: number;
}

export function createRequestTarget(): RequestTarget {
  return { form: 'origin', pathStart: 0, defaultPort: 0 };
}

/**
 * Finds the form of the target `bytes[start, end)`, which holds target characters only. An absolute target fills `authority`.
 * False when it is malformed, of another scheme than http and https, or an asterisk where `mayBeAsterisk` is false.
 */
export function parseTarget(
  bytes: Buffer,
  start: number,
  end: number,
  mayBeAsterisk: boolean,
  into: RequestTarget,
  authority: Authority,
): boolean {
  into.form = 'origin';
  into.pathStart = start;
  into.defaultPort = 0;
  const first = bytes[start]!;
  if (first === SLASH) return true;
  if (first === STAR && end === start + 1) {
    into.form = 'asterisk';
    return mayBeAsterisk;
  }
  return parseAbsoluteForm(bytes, start, end, into, authority);
}

function parseAbsoluteForm(
  bytes: Buffer,
  start: number,
  end: number,
  into: RequestTarget,
  authority: Authority,
): boolean {
  const defaultPort = findDefaultPort(bytes, start, end);
  if (defaultPort === 0) return false;
  const authorityStart = start + (defaultPort === 443 ? 'https://' : 'http://').length;
  let pathStart = authorityStart;
  while (pathStart < end && !isPathOrQueryStart(bytes[pathStart]!)) pathStart++;
  into.form = 'absolute';
  into.pathStart = pathStart;
  into.defaultPort = defaultPort;
  return parseAuthority(bytes, authorityStart, pathStart, authority);
}

function findDefaultPort(bytes: Buffer, start: number, end: number): number {
  if (equalsIgnoringCase(bytes, start, Math.min(end, start + 7), 'http://')) return 80;
  return equalsIgnoringCase(bytes, start, Math.min(end, start + 8), 'https://') ? 443 : 0;
}

function isPathOrQueryStart(octet: number): boolean {
  return octet === SLASH || octet === QUESTION;
}
