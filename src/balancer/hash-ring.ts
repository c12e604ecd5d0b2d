// The ring of the method `hash`: each member owns points on a circle of 32-bit numbers, in proportion to its
// factor; a key belongs to the first point at or after it. A search is a few dozen steps however many members
// there are, where a rendezvous hash asks all of them. Points depend on identities only, not on places.
import type { MemberUnit } from '../snapshot/snapshot.ts';
import { hash32, mix32 } from './hash32.ts';

export interface HashRing {
  /** Ascending, unsigned. */
  readonly points: Uint32Array;
  /** Index of the member that owns the point. */
  readonly owners: Int32Array;
}

/** About this many points in all: enough for even shares, few enough to sort in some milliseconds. */
const TARGET_POINTS = 65_536;
const MIN_POINTS_PER_UNIT = 8;
const MAX_POINTS_PER_UNIT = 128;

/**
 * Points of a member with load factor 1. A power of two, so that it changes, and moves keys, only when the
 * balancer doubles or halves.
 */
function pointsPerUnit(units: number): number {
  const wanted = 2 ** Math.floor(Math.log2(TARGET_POINTS / Math.max(1, units)));
  return Math.max(MIN_POINTS_PER_UNIT, Math.min(MAX_POINTS_PER_UNIT, wanted));
}

export function createHashRing(members: readonly MemberUnit[]): HashRing {
  const units = members.reduce((sum, member) => sum + member.factor / 100, 0);
  const perUnit = pointsPerUnit(units);
  // Point and owner in one double (32 + 21 bits), so that a native sort keeps them together.
  const pairs: number[] = [];
  members.forEach((member, index) => {
    const seed = hash32(member.identity);
    const count = Math.max(1, Math.round((member.factor / 100) * perUnit));
    for (let point = 0; point < count; point++) {
      const at = mix32(seed ^ mix32(Math.imul(point + 1, 0x9e37_79b9))) >>> 0;
      pairs.push(at * OWNERS + index);
    }
  });
  const sorted = Float64Array.from(pairs).sort();
  return {
    points: Uint32Array.from(sorted, (pair) => Math.floor(pair / OWNERS)),
    owners: Int32Array.from(sorted, (pair) => pair % OWNERS),
  };
}

/** Room for the owner beside a point. */
const OWNERS = 2 ** 21;

/** Place of the first point at or after the key; keys after the last point belong to the first. */
export function findPoint(ring: HashRing, keyHash: number): number {
  const { points } = ring;
  const key = keyHash >>> 0;
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low === points.length ? 0 : low;
}
