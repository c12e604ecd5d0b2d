// The average time to a member's first byte, which the method leasttime compares: exponentially weighted by
// sample, and fading with time, so that a member that was slow once is tried again without being asked.
import type { SharedStandings } from './standings.ts';

type FirstByteCells = Pick<SharedStandings, 'firstByteUs' | 'firstByteAtS'>;

/** Weight of a new sample. */
const WEIGHT = 1 / 8;

/** After this many seconds without a sample an average counts half. */
const HALF_LIFE_S = 10;

/** The longest that fits the cell: some 35 minutes. */
const MAX_US = 0x7fff_ffff;

/**
 * Takes a sample in. Several lanes write the same average; where two come at once one sample is lost, which an
 * average bears. `firstByteUs`: from the start of the attempt; `nowMs`: on the hrtime axis.
 */
export function recordFirstByte(cells: FirstByteCells, row: number, firstByteUs: number, nowMs: number): void {
  const nowS = Math.floor(nowMs / 1000);
  const before = agedFirstByteUs(cells.firstByteUs[row]!, nowS - cells.firstByteAtS[row]!);
  const average = before === 0 ? firstByteUs : before + (firstByteUs - before) * WEIGHT;
  Atomics.store(cells.firstByteUs, row, Math.max(1, Math.min(MAX_US, Math.round(average))));
  Atomics.store(cells.firstByteAtS, row, nowS);
}

/** An average in microseconds, less the longer ago its last sample is. */
export function agedFirstByteUs(averageUs: number, idleS: number): number {
  return idleS <= 1 ? averageUs : (averageUs * HALF_LIFE_S) / (HALF_LIFE_S + idleS);
}
