// The load reports that heartbeat draws by, added up at each walk, so that an election need not read them all.
// httpd reads its table anew every five seconds; here it is every second.
import type { Offered } from './offered.ts';
import type { Standings } from './standings.ts';

/** A report counts while it is younger than this. */
const FRESH_S = 10;

export class ReportBook {
  readonly #standings: Standings;
  readonly #offered: Offered;
  /** By place: free slots of the members up to and with this one. */
  readonly #slotsUpTo: Float64Array;

  constructor(standings: Standings, offered: Offered, size: number) {
    this.#standings = standings;
    this.#offered = offered;
    this.#slotsUpTo = new Float64Array(size);
  }

  /** Whether the member in this row has reported free slots of late. `nowS`: seconds on the hrtime axis. */
  hasSlots(row: number, nowS: number): boolean {
    return this.#slotsOf(row, nowS) > 0;
  }

  /** Reads the reports of the members that are offered now. */
  open(nowS: number): void {
    const { count, row } = this.#offered;
    let sum = 0;
    for (let place = 0; place < count; place++) {
      sum += this.#slotsOf(row[place]!, nowS);
      this.#slotsUpTo[place] = sum;
    }
  }

  /** Free slots of all offered members. */
  get total(): number {
    return this.#offered.count === 0 ? 0 : this.#slotsUpTo[this.#offered.count - 1]!;
  }

  /** The place that owns the slot: 0 to total - 1. */
  ownerOf(slot: number): number {
    let low = 0;
    let high = this.#offered.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (slot < this.#slotsUpTo[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Free slots by a fresh report. A member that claims to be quite idle counts a quarter: it may only just have started. */
  #slotsOf(row: number, nowS: number): number {
    const { reportedReady, reportedBusy, reportedAtS, silentSlots } = this.#standings;
    const atS = reportedAtS[row]! - 1;
    // Differs from httpd: where members report in answers only, one that is silent counts one slot. Without requests it
    // cannot report, and without reports it would get no requests, for ever.
    if (atS < 0 || Math.floor(nowS) - atS >= FRESH_S) return silentSlots[0]!;
    const ready = Math.max(0, reportedReady[row]!);
    return reportedBusy[row] === 0 ? Math.floor(ready / 4) : ready;
  }
}
