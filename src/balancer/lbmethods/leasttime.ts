// leasttime: the member that is likely to answer first: average time to the first byte, times the attempts
// under way with this one, by factor. The average is kept by recordFirstByte (../first-byte.ts).
import { type CompiledBalancer, NONE } from '../compiled-balancer.ts';
import { agedFirstByteUs } from '../first-byte.ts';
import type { LbMethod } from './lb-method.ts';

export const leasttime: LbMethod = {
  name: 'leasttime',
  needs: 'nothing',
  choose(balancer: CompiledBalancer): number {
    const { row: rows, factor: factors, count } = balancer.offered;
    const { busyTotal, firstByteUs, firstByteAtS } = balancer.standings;
    const nowS = Math.floor(balancer.clock.nowMs() / 1000);
    // A member without an average is taken for a trifle faster than the fastest known: it is tried, but not flooded.
    const untried = Math.max(1, fastestUs(balancer, nowS) - 1);
    let best = NONE;
    let bestScore = Infinity;
    for (let place = 0; place < count; place++) {
      const row = rows[place]!;
      const averageUs = firstByteUs[row]!;
      const timeUs = averageUs === 0 ? untried : agedFirstByteUs(averageUs, nowS - firstByteAtS[row]!);
      const score = (timeUs * (busyTotal[row]! + 1)) / factors[place]!;
      if (score < bestScore) {
        bestScore = score;
        best = place;
      }
    }
    return best;
  },
};

/** The shortest average among the offered; 1 where nobody has one. Looked for only when some have none. */
function fastestUs(balancer: CompiledBalancer, nowS: number): number {
  const { row: rows, count } = balancer.offered;
  const { firstByteUs, firstByteAtS } = balancer.standings;
  let isAnyUnknown = false;
  for (let place = 0; place < count && !isAnyUnknown; place++) isAnyUnknown = firstByteUs[rows[place]!] === 0;
  if (!isAnyUnknown) return 1;
  let fastest = Infinity;
  for (let place = 0; place < count; place++) {
    const row = rows[place]!;
    const averageUs = firstByteUs[row]!;
    if (averageUs !== 0) fastest = Math.min(fastest, agedFirstByteUs(averageUs, nowS - firstByteAtS[row]!));
  }
  return fastest === Infinity ? 1 : fastest;
}
