// One election: the members that may serve now are offered to the balancer's method, which names the best.
// Tells nothing to anyone but the counters; it does not know what the request is.
import { type CompiledBalancer, NONE } from './compiled-balancer.ts';
import { isFull, isUsable } from './member-state.ts';
import { offerForElection } from './walk.ts';

/**
 * Elects a member for one attempt: its index in `balancer.members`, or NONE when none may serve now.
 * Counts `elected` and charges credit; `busy` is the caller's. Each attempt of a request is an election.
 *
 * `keyHash`: signed 32-bit hash of what the method `hash` goes by; others ignore it.
 * `avoid`: index of a member that this request has just had no answer from though it did not go into error,
 * else NONE; it is not offered this time.
 */
export function elect(balancer: CompiledBalancer, keyHash = 0, avoid = NONE): number {
  offerForElection(balancer, avoid);
  let place = choose(balancer, keyHash);
  if (place !== NONE && !isFit(balancer, place)) {
    // It failed or filled up since the walk: walk once more, and rather elect nobody than one that is unfit.
    balancer.offered.isKept = false;
    offerForElection(balancer, avoid);
    place = choose(balancer, keyHash);
    if (place !== NONE && !isFit(balancer, place)) return NONE;
  }
  return place === NONE ? NONE : settle(balancer, place);
}

function choose(balancer: CompiledBalancer, keyHash: number): number {
  return balancer.offered.count === 0 ? NONE : balancer.method.choose(balancer, keyHash);
}

function isFit(balancer: CompiledBalancer, place: number): boolean {
  const index = balancer.offered.index[place]!;
  return isUsable(balancer, index) && !isFull(balancer, index);
}

/** Charges and counts the election of the member at this place. */
function settle(balancer: CompiledBalancer, place: number): number {
  const { offered, standings, credit } = balancer;
  const row = offered.row[place]!;
  if (credit !== null) credit.charge(place);
  standings.elected[row]! += 1;
  return offered.index[place]!;
}
