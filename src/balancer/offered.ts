// The members that the next election compares: what the walk writes and the methods read. Places count from 0 in
// the order in which members are offered. One such list per balancer and lane, rewritten in place.

/** No member and no place, where an index or a place is expected. */
export const NONE = -1;

export interface Offered {
  /** How many places there are. */
  count: number;
  /** By place: the member's index, its row of the scoreboard, and its factor, copied here to lie side by side. */
  readonly index: Int32Array;
  readonly row: Int32Array;
  readonly factor: Int32Array;
  /** Sum of the factors. */
  totalFactor: number;
  /** By index of the member: its place, or NONE. */
  readonly placeOf: Int32Array;
  /** Members that were not offered only because they were full: their rows. */
  readonly fullRows: Int32Array;
  fullCount: number;
  /** Whether any member waits to be levelled. */
  isLevelDue: boolean;
  /** Whether all this holds while `flagChanges` stays at `asOfChange`. */
  isKept: boolean;
  asOfChange: number;
  /** The first time at which a resting member that was looked at may be tried again; Infinity: none rests. */
  nextDueUs: number;
}

export function createOffered(size: number): Offered {
  return {
    count: 0,
    index: new Int32Array(size),
    row: new Int32Array(size),
    factor: new Int32Array(size),
    totalFactor: 0,
    placeOf: new Int32Array(size).fill(NONE),
    fullRows: new Int32Array(size),
    fullCount: 0,
    isLevelDue: false,
    isKept: false,
    asOfChange: 0,
    nextDueUs: Infinity,
  };
}
