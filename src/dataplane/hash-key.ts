// What the method `hash` goes by: a 32-bit hash of a header, a cookie, a parameter or the client's address.
// Requests that lack it hash as the empty text, so they share a member.
import { hash32 } from '../balancer/hash32.ts';
import { CookieScanner } from '../balancer/sessions/cookie-scanner.ts';
import { ParameterScanner } from '../balancer/sessions/parameter-scanner.ts';
import type { HashUnit } from '../snapshot/snapshot.ts';
import type { Exchange } from './exchange.ts';

// Used within one call only.
const cookies = new CookieScanner();
const parameters = new ParameterScanner();

/** Signed 32 bits. */
export function hashKeyOf(exchange: Exchange, { source, name }: HashUnit): number {
  switch (source) {
    case 'ClientAddress':
      return hash32(exchange.clientAddress);
    case 'Header':
      return hash32(headerOf(exchange, name.toLowerCase()));
    case 'Cookie':
      return hash32(cookieOf(exchange, name));
    case 'UrlParameter':
      return hash32(parameterOf(exchange, name));
    default:
      return source satisfies never;
  }
}

function headerOf({ lines }: Exchange, lowerName: string): string {
  const line = lines.findName(lowerName);
  return line === -1 ? '' : lines.text.slice(lines.valueStart(line), lines.valueEnd(line));
}

function cookieOf({ lines }: Exchange, name: string): string {
  cookies.open(lines.text, name, false);
  for (let line = lines.findName('cookie'); line !== -1; line = lines.findName('cookie', line + 1)) {
    cookies.openLine(lines.valueStart(line), lines.valueEnd(line));
    if (cookies.next()) return lines.text.slice(cookies.valueStart, cookies.valueEnd);
  }
  return '';
}

function parameterOf({ target }: Exchange, name: string): string {
  parameters.open(target, 0, target.length, name);
  const value = parameters.next() ? target.slice(parameters.valueStart, parameters.valueEnd) : '';
  parameters.close();
  return value;
}
