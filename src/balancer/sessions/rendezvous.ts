// Which of the eligible members a session goes to when its own is gone: the one with the highest score for the session's
// value (rendezvous hashing, Thaler and Ravishankar 1998; weights by logarithm, after Schindelhauer and Schomaker 2005).
// Every lane and replica finds the same one with no table, and a member that comes or goes moves its own sessions only.
import type { MemberUnit } from '../../snapshot/snapshot.ts';
import { hash32, mix32 } from '../hash32.ts';

/** By index of the member. Depends on identities and factors, not on places. */
export interface Rendezvous {
  readonly seeds: Int32Array;
  readonly factors: Float64Array;
}

export function createRendezvous(members: readonly Pick<MemberUnit, 'identity' | 'factor'>[]): Rendezvous {
  return {
    seeds: Int32Array.from(members, ({ identity }) => hash32(identity)),
    factors: Float64Array.from(members, ({ factor }) => factor),
  };
}

/**
 * The index of the member that the session `value` belongs to, of those whose indices are the first `count` of `eligible`, in
 * any order; -1 when `count` is 0. Shares are in proportion to the factors. Allocates nothing.
 */
export function ownerOf(
  { seeds, factors }: Rendezvous,
  value: string,
  eligible: ArrayLike<number>,
  count: number,
): number {
  const key = hash32(value);
  let owner = -1;
  let best = Number.POSITIVE_INFINITY;
  for (let place = 0; place < count; place++) {
    const index = eligible[place]!;
    const drawn = (mix32(seeds[index]! ^ key) >>> 0) + 0.5;
    // An exponential variable whose rate is the factor: the least of them is each one's with a probability in proportion.
    const score = -Math.log(drawn / 0x1_0000_0000) / factors[index]!;
    if (score < best || (score === best && seeds[index]! < seeds[owner]!)) {
      best = score;
      owner = index;
    }
  }
  return owner;
}
