// What is known of a request's session once it has a member: the BALANCER_* variables of httpd, for the access log, for
// explanations and for members that ask to be told. Decides nothing, and changes no request.
import type { CompiledSession } from '../balancer/sessions/compiled-session.ts';
import { routeOf } from '../balancer/sessions/session-reader.ts';
import type { SessionReading, SessionSource, SessionVerdict } from '../balancer/sessions/session-reading.ts';
import type { BalancerUnit, MemberUnit } from '../snapshot/snapshot.ts';
import type { AddedLines } from './exchange.ts';

export interface SessionFacts {
  /** Where a session was found that names a member, or once did. */
  readonly source: SessionSource | 'none';
  /** Name of the cookie, the header or the parameter that it was found in (BALANCER_SESSION_STICKY); '' for `none`. */
  readonly name: string;
  /**
   * The session route that came (BALANCER_SESSION_ROUTE); '': none, or that of a member not known here any more. Under the
   * strategy Route the client's own text.
   */
  readonly route: string;
  readonly verdict: SessionVerdict;
  /** The member's session route is another than the one that came, or none came (BALANCER_ROUTE_CHANGED). */
  readonly isRouteChanged: boolean;
}

/** `memberRoute`: session route of the member that was tried last; null: none was. */
export function sessionFactsOf(
  session: CompiledSession,
  reading: SessionReading,
  memberRoute: string | null,
): SessionFacts {
  const { source, verdict } = reading;
  const route = source === null ? '' : routeOf(session, reading);
  const isRouteChanged = memberRoute !== null && memberRoute !== route;
  if (source === null) return { source: 'none', name: '', route, verdict, isRouteChanged };
  return { source, name: nameOf(session, source), route, verdict, isRouteChanged };
}

function nameOf({ unit }: CompiledSession, source: SessionSource): string {
  switch (source) {
    case 'path':
    case 'query':
      return unit.urlParameter ?? '';
    case 'cookie':
      return unit.cookie ?? '';
    case 'header':
      return unit.header ?? '';
    default:
      return source satisfies never;
  }
}

/** The lines by which a member is told; wire/header-id.ts knows them all, so that a client cannot send them. */
export function informingLines(unit: BalancerUnit, member: MemberUnit, facts: SessionFacts): AddedLines {
  const lines: [string, string][] = [
    ['X-Balancer-Name', asFieldValue(unit.key)],
    ['X-Balancer-Member', asFieldValue(member.name)],
    ['X-Balancer-Member-Route', asFieldValue(member.sessionRoute)],
    ['X-Balancer-Session-Source', facts.source],
  ];
  if (facts.route !== '') lines.push(['X-Balancer-Session-Route', asFieldValue(facts.route)]);
  if (facts.isRouteChanged) lines.push(['X-Balancer-Route-Changed', '1']);
  return lines;
}

/** A session route in a URL may hold what no header can: whatever is not visible ASCII is percent-encoded. */
export function asFieldValue(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  return text.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}
