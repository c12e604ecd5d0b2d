// hash: the same key to the same member, for as long as that one is not overloaded: consistent hashing with
// bounded loads (Mirrokni, Thorup, Zadimoghaddam, 2016). Who computes the key is not known here.
import { type CompiledBalancer, NONE } from '../compiled-balancer.ts';
import { findPoint } from '../hash-ring.ts';
import type { LbMethod } from './lb-method.ts';

/** A member may have this many times its fair share of the attempts under way. */
const LOAD_BOUND = 1.25;

export const hash: LbMethod = {
  name: 'hash',
  needs: 'ring',
  choose(balancer: CompiledBalancer, keyHash: number): number {
    const { offered, rows, factors, standings } = balancer;
    const { owners } = balancer.ring!;
    let allowed = 0;
    let at = findPoint(balancer.ring!, keyHash);
    for (let step = 0; step < owners.length; step++) {
      const index = owners[at]!;
      at = at + 1 === owners.length ? 0 : at + 1;
      const place = offered.placeOf[index]!;
      if (place === NONE) continue;
      const busy = standings.busyTotal[rows[index]!]!;
      // An idle member is within any bound, so the sum is seldom needed.
      if (busy <= 0) return place;
      if (allowed === 0) allowed = LOAD_BOUND * (busyOfOffered(balancer) + 1);
      if (busy < Math.ceil((allowed * factors[index]!) / offered.totalFactor)) return place;
    }
    return NONE;
  },
};

/** Attempts under way on all offered members. */
function busyOfOffered(balancer: CompiledBalancer): number {
  const { row: rows, count } = balancer.offered;
  const { busyTotal } = balancer.standings;
  let sum = 0;
  for (let place = 0; place < count; place++) sum += Math.max(0, busyTotal[rows[place]!]!);
  return sum;
}
