// The shared memory as it travels to a lane; scoreboard/ knows what is in it.

/** All buffers are fixed in size from the start: growable ones were measured 10 to 40 times slower. */
export interface ScoreboardBuffers {
  /** Rows for members, row 0 unused. */
  readonly memberRows: number;
  /** Rows for balancers; row 0 counts requests that no balancer took. */
  readonly balancerRows: number;
  /** Cells that all lanes and the control plane write. */
  readonly shared: SharedArrayBuffer;
  /** Which sessions were seen on each member: a row of cells of one byte per member. */
  readonly sessions: SharedArrayBuffer;
  /** One column per lane, and the control plane's own as the last. */
  readonly columns: readonly SharedArrayBuffer[];
}
