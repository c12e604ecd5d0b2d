// Strategy Route: the application has written `id.route` itself; it is read as httpd reads it, and nothing is changed
// (httpd mod_proxy_balancer.c find_session_route). The first value found ends the search, whatever it holds.
import type { CompiledSession } from './compiled-session.ts';
import { CookieScanner } from './cookie-scanner.ts';
import type { HeadLines } from './head-lines.ts';
import { percentDecoded } from './octets.ts';
import { ParameterScanner } from './parameter-scanner.ts';
import type { SessionReading, SessionSource } from './session-reading.ts';

const parameters = new ParameterScanner();
const cookies = new CookieScanner();

export function readRoute(session: CompiledSession, lines: HeadLines, target: string, into: SessionReading): void {
  const { cookie, urlParameter } = session.unit;
  const { headerName } = session;
  const isFound =
    (urlParameter !== null && findInUrl(target, urlParameter, into)) ||
    (cookie !== null && findInCookies(lines, cookie, into)) ||
    (headerName !== null && findInHeader(lines, headerName, into));
  if (!isFound) return;
  const { value } = into;
  const { separator } = session.unit;
  // httpd §find_session_route: from behind the first separator; without one in the value there is no route.
  const at = separator === '' ? -1 : value.indexOf(separator);
  if (separator === '') into.route = value;
  else if (at !== -1) into.route = value.slice(at + 1);
  if (into.route === '') into.source = null;
  else into.verdict = 'valid';
}

function findInUrl(target: string, name: string, into: SessionReading): boolean {
  parameters.open(target, 0, target.length, name);
  const isFound = parameters.next();
  if (isFound) {
    const value = target.slice(parameters.valueStart, parameters.valueEnd);
    if (parameters.isInPath) take('path', decodeOctets(value), into);
    else take('query', value, into);
  }
  parameters.close();
  return isFound;
}

/**
 * Differs from httpd: an empty cookie is none wherever it stands. There `SID=; SID=a.r2` has an empty value, and the
 * second cookie is not looked at.
 */
function findInCookies(lines: HeadLines, name: string, into: SessionReading): boolean {
  const { text } = lines;
  let isFound = false;
  cookies.open(text, name, true);
  for (let line = lines.findName('cookie'); line !== -1 && !isFound; line = lines.findName('cookie', line + 1)) {
    cookies.openLine(lines.valueStart(line), lines.valueEnd(line));
    while (!isFound && cookies.next()) {
      isFound = cookies.valueEnd > cookies.valueStart;
      if (isFound) take('cookie', text.slice(cookies.valueStart, cookies.valueEnd), into);
    }
  }
  cookies.close();
  return isFound;
}

/** Differs from httpd: a header may carry the session too. */
function findInHeader(lines: HeadLines, name: string, into: SessionReading): boolean {
  for (let line = lines.findName(name); line !== -1; line = lines.findName(name, line + 1)) {
    const start = lines.valueStart(line);
    const end = lines.valueEnd(line);
    if (start === end) continue;
    take('header', lines.text.slice(start, end), into);
    return true;
  }
  return false;
}

function take(source: SessionSource, value: string, into: SessionReading): void {
  into.source = source;
  into.value = value;
}

/** httpd looks for path parameters in the decoded path: one character per octet. */
function decodeOctets(value: string): string {
  if (!value.includes('%')) return value;
  let decoded = '';
  for (let at = 0; at < value.length; ) {
    const octet = percentDecoded(value, at, value.length);
    decoded += octet === -1 ? value.charAt(at) : String.fromCharCode(octet);
    at += octet === -1 ? 1 : 3;
  }
  return decoded;
}
