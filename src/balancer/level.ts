// Puts members at the level of the others when they join later, come back, or change weight or place; done
// when they are offered for the first time since. Members that only rested in error keep their credit.
// Differs from httpd: a member that joins or returns is put at the level of the others. There it starts where its
// own counters stand, so that bytraffic gives it everything until it has caught up with all the traffic of the past.
import type { CompiledBalancer } from './compiled-balancer.ts';
import { bytesPerFactor, loadOf } from './traffic-book.ts';

/** Bits: what of a member is to be put at the level of the others. */
export const LevelDue = { Traffic: 1, Credit: 2 } as const;

/** Asks for a member to be levelled when it is next offered. */
export function requestLevel(balancer: CompiledBalancer, index: number, what: number): void {
  balancer.levelDue[index] = balancer.levelDue[index]! | what;
  balancer.offered.isLevelDue = true;
}

/** Levels those of the offered members that it was asked for, by the others that are offered. */
export function levelOffered(balancer: CompiledBalancer): void {
  const { offered, levelDue, standings } = balancer;
  const credit = balancer.credit === null ? null : meanCredit(balancer);
  const load = balancer.traffic === null ? null : lowestLoad(balancer);
  for (let at = 0; at < offered.count; at++) {
    const due = levelDue[offered.index[at]!]!;
    const row = offered.row[at]!;
    if ((due & LevelDue.Credit) !== 0 && credit !== null) balancer.credit!.set(row, credit);
    if ((due & LevelDue.Traffic) !== 0 && load !== null) {
      standings.loadOffset[row] = load - bytesPerFactor(standings, row, offered.factor[at]!);
    }
    levelDue[offered.index[at]!] = 0;
  }
  offered.isLevelDue = levelDue.some((due) => due !== 0);
  // A load that was lowered must be read anew by the other lanes too.
  if (load !== null) Atomics.add(standings.flagChanges, 0, 1);
}

/** The mean credit of the offered members that are at their level, or null when there is none. */
function meanCredit(balancer: CompiledBalancer): number | null {
  const { offered, levelDue, standings } = balancer;
  let sum = 0;
  let count = 0;
  for (let at = 0; at < offered.count; at++) {
    if ((levelDue[offered.index[at]!]! & LevelDue.Credit) !== 0) continue;
    sum += standings.lbstatus[offered.row[at]!]!;
    count += 1;
  }
  return count === 0 ? null : Math.trunc(sum / count);
}

/** The lowest load, likewise: the lowest, since one member far ahead (a long tunnel) must not starve the newcomer. */
function lowestLoad(balancer: CompiledBalancer): number | null {
  const { offered, levelDue, standings } = balancer;
  let lowest = Infinity;
  for (let at = 0; at < offered.count; at++) {
    if ((levelDue[offered.index[at]!]! & LevelDue.Traffic) !== 0) continue;
    lowest = Math.min(lowest, loadOf(standings, offered.row[at]!, offered.factor[at]!));
  }
  return lowest === Infinity ? null : lowest;
}

/** All members stand at nothing, as httpd's reset does when the method changes. Byte counts stay. */
export function resetTraffic(balancer: CompiledBalancer): void {
  const { standings, rows, factors } = balancer;
  rows.forEach((row, index) => {
    standings.loadOffset[row] = -bytesPerFactor(standings, row, factors[index]!);
  });
  Atomics.add(standings.flagChanges, 0, 1);
}
