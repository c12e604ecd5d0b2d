// Members by session route, looked up once per request that carries one. Members of the same route stand in
// the order in which they are tried: those that are no standbys first (httpd find_route_worker).
import type { MemberUnit } from '../snapshot/snapshot.ts';

export interface RouteEntry {
  readonly route: string;
  /** Indices of the members in the order they are tried. */
  readonly indices: readonly number[];
  /** The look-up that last searched this route in vain, and after how many redirects it came here. */
  failedBy: number;
  failedDepth: number;
}

export interface RouteTable {
  readonly byRoute: ReadonlyMap<string, RouteEntry>;
  /** Counts look-ups that had to go further than the first usable member. */
  lookups: number;
}

/** Empty routes are not listed: they match nothing. */
export function createRouteTable(members: readonly MemberUnit[]): RouteTable {
  const lists = new Map<string, number[]>();
  for (const isStandbyPass of [false, true]) {
    members.forEach((member, index) => {
      if (member.sessionRoute === '' || (member.role === 'HotStandby') !== isStandbyPass) return;
      const list = lists.get(member.sessionRoute);
      if (list === undefined) lists.set(member.sessionRoute, [index]);
      else list.push(index);
    });
  }
  const byRoute = new Map<string, RouteEntry>();
  for (const [route, indices] of lists) byRoute.set(route, { route, indices, failedBy: 0, failedDepth: 0 });
  return { byRoute, lookups: 0 };
}
