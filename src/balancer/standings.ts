// The numbers and flags that elections read and write, as this folder wants to see them: typed arrays
// indexed by row. The shared cells and one lane's column of the scoreboard satisfy it together:
// `{ ...mapShared(buffers), ...mapColumn(buffers, lane) }`. No behaviour here but reading a cell.

/** A 64-bit counter per row: changed atomically as one, read as two words, since a bigint costs an allocation. */
export interface Int64Rows {
  readonly whole: BigInt64Array;
  /** Low word at 2 * row, high word at 2 * row + 1. */
  readonly words: Uint32Array;
}

/** Cells that all lanes and the control plane share. */
export interface SharedStandings {
  /**
   * Why a member is unusable, apart from its configuration; 0: nothing wrong. ERROR is lifted by time and by
   * forced recovery; any other bit keeps the member out until whoever raised it clears it.
   * Written only through raiseFlag and clearFlag (member-state.ts), which count the change.
   */
  readonly flags: Int32Array;
  /** One cell: counts changes of flags and of offsets, so that a lane walks its members again only after one. Wraps. */
  readonly flagChanges: Int32Array;
  /** One cell: counts flags that went up or down, for whoever reports them. Wraps. */
  readonly flagTurns: Int32Array;
  /** Times the error was lifted for a new try since the last success. */
  readonly retries: Int32Array;
  /** Attempts under way, all lanes together. */
  readonly busyTotal: Int32Array;
  /** When the member went into error: microseconds on the hrtime axis. */
  readonly erroredAtUs: Int64Rows;
  /** Bytes to and from the member, all lanes together. */
  readonly sentTotal: Int64Rows;
  readonly receivedTotal: Int64Rows;
  /**
   * bytraffic: added to the member's load (bytes / factor); 0 unless it joined later, returned or was
   * re-weighted. A whole number, may be negative. Apart from the byte counts, which metrics show.
   */
  readonly loadOffset: Float64Array;
  /** leasttime: moving average of the time to the first byte in microseconds; 0: none yet. */
  readonly firstByteUs: Int32Array;
  /** leasttime: when that was last sampled, whole seconds on the hrtime axis. */
  readonly firstByteAtS: Int32Array;
  /** heartbeat: what the member last reported. */
  readonly reportedReady: Int32Array;
  readonly reportedBusy: Int32Array;
  /** heartbeat: when it reported, whole seconds on the hrtime axis plus one; 0: never. */
  readonly reportedAtS: Int32Array;
  /** heartbeat: one cell: slots that a member without a fresh report counts as having; 0, as in httpd: none. */
  readonly silentSlots: Int32Array;
}

/** Cells of the lane that elects; it is their only writer. */
export interface LaneStandings {
  /** Credit of the weighted round robin, in units of factor. */
  readonly lbstatus: Int32Array;
  /** Elections won, sessions and failover included. Counted by elect and stick, by nobody else. */
  readonly elected: Float64Array;
}

/** Everything an election works on. */
export interface Standings extends SharedStandings, LaneStandings {}

/** Bit of `flags`: the member rests after an error. */
export const ERROR = 1;

/**
 * A 64-bit cell as a number, exact to 2^53. Another thread may carry into the high word while the two are read, which
 * happens once in 4 GiB; then they are read again.
 */
export function readInt64(cell: Int64Rows, row: number): number {
  const { words } = cell;
  const high = words[2 * row + 1]!;
  const low = words[2 * row]!;
  // An atomic load, lest it be taken for the same as the first.
  const highAfter = Atomics.load(words, 2 * row + 1);
  return highAfter * 0x1_0000_0000 + (high === highAfter ? low : words[2 * row]!);
}
