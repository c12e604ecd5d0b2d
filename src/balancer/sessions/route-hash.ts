// The hashes that stand for session routes in tokens: the same in every replica, and no address to be read from them.
// Two routes with one hash cannot be told apart in a session; that is a problem to tell, not to solve here.
import { createHash } from 'node:crypto';
import { encodeOctets } from './base32.ts';
import { routeHashLength, tagLength } from './token.ts';

/** What a token says of its balancer: 25 bits of SHA-256 of its key. */
export function balancerTag(balancerKey: string): string {
  return encodeOctets(digest(`evenkeel balancer\0${balancerKey}`), tagLength);
}

/** 50 bits of SHA-256 of a session route and its balancer's key. */
export function routeHash(balancerKey: string, route: string): string {
  return encodeOctets(digest(`evenkeel route\0${balancerKey}\0${route}`), routeHashLength);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('latin1');
}

/** The session routes of a balancer's members and their hashes, both ways. */
export interface RouteHashes {
  readonly balancerKey: string;
  readonly byHash: ReadonlyMap<string, string>;
  readonly byRoute: ReadonlyMap<string, string>;
  /** Routes that are not in `byHash`, because an earlier one has the same hash. */
  readonly collided: readonly string[];
}

/** Hashes are taken over from `previous` where it has them, so that a change of members costs what has changed. */
export function createRouteHashes(
  balancerKey: string,
  routes: Iterable<string>,
  previous: RouteHashes | null,
): RouteHashes {
  const known = previous?.balancerKey === balancerKey ? previous.byRoute : null;
  const byHash = new Map<string, string>();
  const byRoute = new Map<string, string>();
  const collided: string[] = [];
  for (const route of routes) {
    if (route === '' || byRoute.has(route)) continue;
    const hash = known?.get(route) ?? routeHash(balancerKey, route);
    byRoute.set(route, hash);
    if (byHash.has(hash)) collided.push(route);
    else byHash.set(hash, route);
  }
  return { balancerKey, byHash, byRoute, collided };
}
