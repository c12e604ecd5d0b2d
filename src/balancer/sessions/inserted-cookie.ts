// The cookie of strategy Insert: its attributes as text, when it is sent, and what a response that carries it must say to
// shared caches. Its value is made elsewhere.
import type { SessionCookieUnit } from '../../snapshot/session-unit.ts';
import type { CompiledSession } from './compiled-session.ts';
import type { HeadLines } from './head-lines.ts';
import { isAhead, routeOf } from './session-reader.ts';
import type { SessionReading } from './session-reading.ts';

/** What stands before and after the value, ready to be joined. */
export interface InsertedCookie {
  readonly before: string;
  /** For clients that came by HTTPS, and for others. */
  readonly afterSecure: string;
  readonly afterPlain: string;
  readonly marksPrivate: boolean;
}

export function createCookieText(name: string, attributes: SessionCookieUnit): InsertedCookie {
  return {
    before: `${name}=`,
    afterSecure: attributesText(name, attributes, true),
    afterPlain: attributesText(name, attributes, false),
    marksPrivate: attributes.marksPrivate,
  };
}

/**
 * Browsers refuse SameSite=None and Partitioned without Secure; so under Auto a client that came by plain HTTP gets the
 * cookie without them, rather than none. Names that begin with __Secure- or __Host- need Secure always (RFC 6265bis §4.1.3).
 */
function attributesText(name: string, attributes: SessionCookieUnit, isSecureClient: boolean): string {
  const { path, domain, sameSite, secure, httpOnly, partitioned, maxAgeMs } = attributes;
  const isSecure = secure === 'Always' || (secure === 'Auto' && (isSecureClient || /^__(?:Host|Secure)-/i.test(name)));
  let text = `; Path=${path}`;
  if (domain !== '') text += `; Domain=${domain}`;
  if (maxAgeMs !== null) text += `; Max-Age=${Math.max(1, Math.floor(maxAgeMs / 1000))}`;
  if (isSecure) text += '; Secure';
  if (httpOnly) text += '; HttpOnly';
  if (sameSite !== 'None' || isSecure) text += `; SameSite=${sameSite}`;
  if (partitioned && isSecure) text += '; Partitioned';
  return text;
}

/**
 * Whether the client must get the cookie: its session route has changed, or what it has is better replaced. Not when a
 * session is so fresh that another replica may know its member already (httpd recipes: BALANCER_ROUTE_CHANGED).
 */
export function mustInsert(session: CompiledSession, reading: SessionReading, route: string): boolean {
  if (reading.source === null) return true;
  if (isAhead(session, reading)) return false;
  return routeOf(session, reading) !== route || reading.isStale;
}

/**
 * What to add as a Cache-Control line to a response that sets a cookie, so that no shared cache gives it to others
 * (RFC 9111 §7.3; HAProxy's `nocache`): 'private', or null when the response forbids that already.
 */
export function cacheControlFor(lines: HeadLines): 'private' | null {
  for (let line = lines.findName('cache-control'); line !== -1; line = lines.findName('cache-control', line + 1)) {
    const directives = lines.text.slice(lines.valueStart(line), lines.valueEnd(line)).toLowerCase().split(',');
    if (directives.some((directive) => /^\s*(?:private|no-store)\s*$/.test(directive))) return null;
  }
  return 'private';
}
