// The member that a session belongs to, from its session route (httpd mod_proxy_balancer.c find_route_worker).
// Does not know where the route was written, and does not decide about members that do not drain.
import { type CompiledBalancer, NONE } from './compiled-balancer.ts';
import { isFull, isInError, isUsable, nowUs } from './member-state.ts';
import { liftErrorIfDue, recover } from './recovery.ts';
import type { RouteEntry } from './route-table.ts';
import { ownerOf, type Rendezvous } from './sessions/rendezvous.ts';
import { offerForCredit, offerForElection } from './walk.ts';

/** Answers of `stick` that are no index. */
export const Unstuck = {
  /** No member has this route: elect freely. */
  Unknown: -1,
  /** The route is a member's, but neither it nor where it redirects to is usable: see `afterUnstuck`. */
  Down: -2,
  /** The member is there and usable, but has as many attempts under way as it may: wait for it, or see `afterUnstuck`. */
  Full: -3,
} as const;

/**
 * The index of the member for a session route, or one of `Unstuck`. Draining members, spares and members of any
 * set are taken; switched off and failed ones are not, after a retry check. Counts `elected` and charges credit.
 */
export function stick(balancer: CompiledBalancer, route: string): number {
  if (balancer.rows.length > 0 && isInError(balancer, 0)) recover(balancer, nowUs(balancer));
  const entry = balancer.routes.byRoute.get(route);
  if (entry === undefined) return Unstuck.Unknown;
  const index = find(balancer, entry);
  if (index === NONE) return Unstuck.Down;
  if (isFull(balancer, index)) return Unstuck.Full;
  return settle(balancer, index);
}

/**
 * The index of the member that takes over a session whose own is gone: of those that an election would be offered, the one
 * that wins the rendezvous of the session's value; NONE when there is none. Counts and charges as `stick` does.
 */
export function stickByValue(balancer: CompiledBalancer, rendezvous: Rendezvous, value: string): number {
  offerForElection(balancer, NONE);
  const index = ownerOf(rendezvous, value, balancer.offered.index, balancer.offered.count);
  return index === NONE || !isUsable(balancer, index) || isFull(balancer, index) ? NONE : settle(balancer, index);
}

function settle(balancer: CompiledBalancer, index: number): number {
  charge(balancer, index);
  balancer.standings.elected[balancer.rows[index]!]! += 1;
  return index;
}

/**
 * Those whom an election would have offered earn their factor, the session's member pays the sum, offered or not;
 * the rest stay frozen.
 * Differs from httpd: a session credits only offered members. There every usable member earns, so standbys,
 * drained ones and higher sets pile up credit that they cannot spend.
 */
function charge(balancer: CompiledBalancer, index: number): void {
  const { credit, offered } = balancer;
  if (credit === null) return;
  offerForCredit(balancer);
  const place = offered.placeOf[index]!;
  if (place === NONE) credit.chargeOutsider(balancer.rows[index]!);
  else credit.charge(place);
}

function find(balancer: CompiledBalancer, entry: RouteEntry): number {
  const first = entry.indices[0]!;
  if (isUsable(balancer, first)) return first;
  balancer.routes.lookups += 1;
  return search(balancer, entry, 1, nowUs(balancer));
}

/** Redirects are followed this many times at most; in httpd, as many times as there are members. */
const MAX_DEPTH = 64;

/**
 * Tries the members of a route in turn, each one's redirect right after it. Redirects may go in circles: the depth
 * is bounded, and a route that was searched in vain is not searched again where less could be found.
 */
function search(balancer: CompiledBalancer, entry: RouteEntry, depth: number, atUs: number): number {
  const { routes, members } = balancer;
  const mayFollow = depth < Math.min(members.length, MAX_DEPTH);
  for (const index of entry.indices) {
    if (isInError(balancer, index)) liftErrorIfDue(balancer, index, atUs);
    if (isUsable(balancer, index)) return index;
    const { redirect } = members[index]!;
    const next = redirect === null || !mayFollow ? undefined : routes.byRoute.get(redirect);
    if (next === undefined || (next.failedBy === routes.lookups && next.failedDepth <= depth + 1)) continue;
    const found = search(balancer, next, depth + 1, atUs);
    if (found !== NONE) return found;
  }
  entry.failedBy = routes.lookups;
  entry.failedDepth = depth;
  return NONE;
}

/**
 * What to do with a session whose member cannot be had. `Reject` (httpd nofailover=On) refuses it, also at the
 * second attempt after its member has just failed; but not when no member has the route at all.
 */
export function afterUnstuck(unstuck: number, onMemberDown: 'Redispatch' | 'Reject'): 'elect' | 'reject' {
  return unstuck !== Unstuck.Unknown && onMemberDown === 'Reject' ? 'reject' : 'elect';
}
