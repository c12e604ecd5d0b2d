// What the control plane does to the scoreboard: take in the column of a lane that died, wipe rows
// before they are given to somebody else, and add columns up for whoever reads.
import type { ScoreboardBuffers } from '../snapshot/scoreboard-buffers.ts';
import {
  COLUMN_COUNTERS,
  COLUMN_GAUGES,
  type Column,
  type Int64Cells,
  LANE_BALANCER_CELLS,
  LANE_MEMBER_CELLS,
  mapColumn,
  mapShared,
  SESSION_CELLS,
  SHARED_MEMBER_CELLS,
  type SharedCells,
} from './layout.ts';

export class ControlScoreboard {
  readonly shared: SharedCells;
  /** One per lane, the control plane's own last. */
  readonly columns: readonly Column[];
  readonly sessionCells: Uint8Array<SharedArrayBuffer>;
  readonly memberRows: number;
  readonly balancerRows: number;

  constructor(buffers: ScoreboardBuffers) {
    this.shared = mapShared(buffers);
    this.columns = buffers.columns.map((_, lane) => mapColumn(buffers, lane));
    this.sessionCells = new Uint8Array(buffers.sessions);
    this.memberRows = buffers.memberRows;
    this.balancerRows = buffers.balancerRows;
  }

  /**
   * Takes in what a dead lane left behind. Call it once the thread's exit is confirmed and before
   * another lane gets the column: its open attempts are taken off the totals, its counts are kept.
   */
  absorbLane(lane: number): void {
    const dead = this.columns[lane]!;
    const kept = this.columns[this.columns.length - 1]!;
    for (let row = 0; row < this.memberRows; row += 1) {
      const open = dead.busy[row]!;
      if (open !== 0) Atomics.sub(this.shared.busyTotal, row, open);
    }
    for (const name of COLUMN_GAUGES) dead[name].fill(0);
    for (const name of COLUMN_COUNTERS) {
      const from = dead[name];
      const to = kept[name];
      for (let index = 0; index < from.length; index += 1) {
        // Writing only where something is keeps untouched pages untouched.
        if (from[index] === 0) continue;
        to[index]! += from[index]!;
        from[index] = 0;
      }
    }
  }

  /** Makes a member's row new. Only for rows that no lane knows any more and whose busy is 0. */
  wipeMemberRow(row: number): void {
    for (const name of SHARED_MEMBER_CELLS) zeroShared(this.shared[name], row);
    for (const column of this.columns) {
      for (const name of LANE_MEMBER_CELLS) zeroRow(column[name], row, this.memberRows);
    }
    const seen = this.sessionCells.subarray(row * SESSION_CELLS, (row + 1) * SESSION_CELLS);
    // Writing only where something is keeps untouched pages untouched.
    if (seen.some((cell) => cell !== 0)) seen.fill(0);
  }

  /** Makes a balancer's row new. Only for rows that no lane knows any more. */
  wipeBalancerRow(row: number): void {
    for (const column of this.columns) {
      for (const name of LANE_BALANCER_CELLS) zeroRow(column[name], row, this.balancerRows);
    }
  }

  /** A counter of a member, all lanes and the dead ones together. `index`: which of the cells side by side. */
  memberSum(name: (typeof LANE_MEMBER_CELLS)[number], row: number, index = 0): number {
    return this.#sum(name, index * this.memberRows + row);
  }

  /** A counter of a balancer, likewise. */
  balancerSum(name: (typeof LANE_BALANCER_CELLS)[number], row: number, index = 0): number {
    return this.#sum(name, index * this.balancerRows + row);
  }

  /** A counter of the lanes themselves, likewise. */
  laneSum(name: 'accepted' | 'retired' | 'loadReportsTaken' | 'loadReportsRefused' | 'accessLogDropped'): number {
    return this.columns.reduce((sum, column) => sum + column[name][0]!, 0);
  }

  #sum(name: (typeof LANE_MEMBER_CELLS)[number] | (typeof LANE_BALANCER_CELLS)[number], at: number): number {
    let sum = 0;
    for (const column of this.columns) sum += column[name][at]!;
    return sum;
  }
}

function zeroShared(cells: Int32Array | Float64Array | Int64Cells, row: number): void {
  if ('whole' in cells) Atomics.store(cells.whole, row, 0n);
  else if (cells instanceof Int32Array) Atomics.store(cells, row, 0);
  else cells[row] = 0;
}

function zeroRow(cells: Int32Array | Float64Array, row: number, rows: number): void {
  for (let at = row; at < cells.length; at += rows) cells[at] = 0;
}
