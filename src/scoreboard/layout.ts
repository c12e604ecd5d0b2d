// What is where in the shared memory. Adding a cell is adding a line to one of the tables below.
// Structure of arrays: each cell is one typed array over all rows, so an election walks little memory.
import type { ScoreboardBuffers } from '../snapshot/scoreboard-buffers.ts';

/** i32: flags and gauges. f64: counters with one writer, exact to 2^53. i64: counters with many writers. */
type CellType = 'i32' | 'f64' | 'i64';

/** A table of cells: the type, and how many lie side by side per row (`cell[index * rows + row]`). */
type CellTable = Readonly<Record<string, readonly [type: CellType, width: number]>>;

/** A 64-bit counter: added to atomically as one, read as two words, since reading a bigint costs an allocation. */
export interface Int64Cells {
  readonly whole: BigInt64Array<SharedArrayBuffer>;
  /** Low word at 2 * row, high word at 2 * row + 1 (every platform of Node is little-endian). */
  readonly words: Uint32Array<SharedArrayBuffer>;
}

interface ArrayOf {
  i32: Int32Array<SharedArrayBuffer>;
  f64: Float64Array<SharedArrayBuffer>;
  i64: Int64Cells;
}

/** The typed arrays of a table of cells. */
type Cells<T extends CellTable> = { readonly [K in keyof T]: ArrayOf[T[K][0]] };

/** Classes of answers: index 0 is "no answer" (the client left), 1 to 5 the first digit of the status. */
export const CODE_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** What a request said of its session; see balancer/sessions. */
export const SESSION_VERDICTS = ['valid', 'unsigned', 'forged', 'expired', 'foreign', 'garbled', 'none'] as const;

/** Upper bounds of the duration histogram in seconds; one more bucket is unbounded. */
export const DURATION_BUCKETS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/** Per member, written by anyone. `flags` only with Atomics.or/and/compareExchange, the rest with Atomics. */
const SHARED_MEMBER = {
  /** `MemberFlag` bits. */
  flags: ['i32', 1],
  /** Times the error state was lifted for a new try since the last success. */
  retries: ['i32', 1],
  /** Attempts under way, all lanes together. */
  busyTotal: ['i32', 1],
  /** When the member went into error: microseconds on the hrtime axis. */
  erroredAtUs: ['i64', 1],
  /** Bytes to the member, all lanes together. */
  sentTotal: ['i64', 1],
  /** Bytes from the member, all lanes together. */
  receivedTotal: ['i64', 1],
  /** bytraffic: added to the member's load, so that it stands at the level of the others; a whole number. */
  loadOffset: ['f64', 1],
  /** leasttime: moving average of the time to the first byte in microseconds; 0: none yet. */
  firstByteUs: ['i32', 1],
  /** leasttime: when that was last sampled, whole seconds on the hrtime axis. */
  firstByteAtS: ['i32', 1],
  /** heartbeat: what the member last reported of itself. */
  reportedReady: ['i32', 1],
  reportedBusy: ['i32', 1],
  /** heartbeat: when it did, whole seconds on the hrtime axis plus one; 0: never. */
  reportedAtS: ['i32', 1],
} as const satisfies CellTable;

/** For all members together: a table with one row, written with Atomics. */
const SHARED_ONCE = {
  /** Counts what makes lanes look at flags and loads of members again, and happens all the time under load. Wraps. */
  flagChanges: ['i32', 1],
  /** Counts flags of any member that went up or down. Wraps. */
  flagTurns: ['i32', 1],
  /** heartbeat: slots that a member without a fresh report counts as having; set once, before lanes run. */
  silentSlots: ['i32', 1],
  /** The tick of the clock by which sessions are seen, set by the control plane; 0: none yet. */
  sessionTick: ['i32', 1],
} as const satisfies CellTable;

/**
 * Per member, in a buffer of its own: bytes in which lanes note that they saw a session (balancer/sessions/session-sketch.ts
 * knows which). Unlike all else they lie together row by row, a page each: only members that keep sessions cost memory.
 */
export const SESSION_CELLS = 4096;

/** Per member and lane; the lane is the only writer. */
const LANE_MEMBER = {
  /** Credit of the weighted round robin; per lane by design. */
  lbstatus: ['i32', 1],
  busy: ['i32', 1],
  elected: ['f64', 1],
  failed: ['f64', 1],
  sent: ['f64', 1],
  received: ['f64', 1],
  /** Final answers by code class. */
  responses: ['f64', CODE_CLASSES.length],
} as const satisfies CellTable;

/** Per balancer and lane. */
const LANE_BALANCER = {
  /** Answers that we made without a member, by code class. */
  ownResponses: ['f64', CODE_CLASSES.length],
  /** Requests by what they said of their session, in the order of `SESSION_VERDICTS`. */
  sessions: ['f64', SESSION_VERDICTS.length],
  /** Session cookies that were left alone because they would have grown past 4,096 bytes. */
  oversizedCookies: ['f64', 1],
  /** Requests by duration bucket, not cumulative. */
  durations: ['f64', DURATION_BUCKETS_S.length + 1],
  durationSumS: ['f64', 1],
} as const satisfies CellTable;

/** Per lane: a table with one row. */
const LANE = {
  /** Client connections open now. */
  connections: ['i32', 1],
  /** Client connections accepted. */
  accepted: ['f64', 1],
  /** Client connections told to close because the lane had more than its share. */
  retired: ['f64', 1],
  /** How busy the loop was of late, in thousandths of the time. */
  loopUsePermille: ['i32', 1],
  /** What the lane's heap holds, apart from what is young. KiB. */
  heapKib: ['i32', 1],
  /** When these were last written: whole seconds on the hrtime axis; 0: never. */
  sampledAtS: ['i32', 1],
  /** heartbeat: load reports in response headers that were understood, and those that were not. */
  loadReportsTaken: ['f64', 1],
  loadReportsRefused: ['f64', 1],
  /** Lines of the access log that were lost, because whoever reads it did not keep up. */
  accessLogDropped: ['f64', 1],
} as const satisfies CellTable;

/** Why a member is not usable, apart from what its configuration says. Each bit has one kind of writer. */
export const MemberFlag = {
  /** In error: set by a lane whose attempt failed, lifted by the retry check or by forced recovery. */
  Error: 1,
} as const;

export type SharedCells = Cells<typeof SHARED_MEMBER> & Cells<typeof SHARED_ONCE>;
export type Column = Cells<typeof LANE_MEMBER> & Cells<typeof LANE_BALANCER> & Cells<typeof LANE>;

function namesOf<T extends CellTable>(table: T): readonly (keyof T)[] {
  return Object.keys(table);
}

/** For whoever wipes rows: all cells of a member that everyone writes, of a member in a column, of a balancer in a column. */
export const SHARED_MEMBER_CELLS = namesOf(SHARED_MEMBER);
export const LANE_MEMBER_CELLS = namesOf(LANE_MEMBER);
export const LANE_BALANCER_CELLS = namesOf(LANE_BALANCER);

type NamesOfType<T extends CellTable, C extends CellType> = {
  [K in keyof T]: T[K][0] extends C ? K : never;
}[keyof T];

const COLUMN_TABLE = { ...LANE_MEMBER, ...LANE_BALANCER, ...LANE };

/** In a column, f64 cells count and only ever grow, i32 cells say how things stand now. */
export const COLUMN_COUNTERS = namesOf(COLUMN_TABLE).filter((name) => COLUMN_TABLE[name][0] === 'f64') as NamesOfType<
  typeof COLUMN_TABLE,
  'f64'
>[];
export const COLUMN_GAUGES = namesOf(COLUMN_TABLE).filter((name) => COLUMN_TABLE[name][0] === 'i32') as NamesOfType<
  typeof COLUMN_TABLE,
  'i32'
>[];

const SIZE = { i32: 4, f64: 8, i64: 8 } as const;

function bytesOf(table: CellTable, rows: number): number {
  return Object.values(table).reduce((sum, [type, width]) => sum + align(SIZE[type] * width * rows), 0);
}

/** Arrays start on a cache line of their own. */
function align(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

function mapCells<T extends CellTable>(buffer: SharedArrayBuffer, offset: number, table: T, rows: number): Cells<T> {
  let at = offset;
  const entries = Object.entries(table).map(([name, [type, width]]) => {
    const start = at;
    at += align(SIZE[type] * width * rows);
    return [name, viewOf(buffer, start, type, width * rows)] as const;
  });
  return Object.fromEntries(entries) as unknown as Cells<T>;
}

function viewOf(buffer: SharedArrayBuffer, start: number, type: CellType, length: number): ArrayOf[CellType] {
  switch (type) {
    case 'i32':
      return new Int32Array(buffer, start, length);
    case 'f64':
      return new Float64Array(buffer, start, length);
    case 'i64':
      return {
        whole: new BigInt64Array(buffer, start, length),
        words: new Uint32Array(buffer, start, length * 2),
      };
  }
}

/** Allocates the memory for `lanes` lanes. Pages that are never touched cost nothing. */
export function allocateScoreboard(memberRows: number, balancerRows: number, lanes: number): ScoreboardBuffers {
  const columnBytes = bytesOf(LANE_MEMBER, memberRows) + bytesOf(LANE_BALANCER, balancerRows) + bytesOf(LANE, 1);
  return {
    memberRows,
    balancerRows,
    shared: new SharedArrayBuffer(bytesOf(SHARED_MEMBER, memberRows) + bytesOf(SHARED_ONCE, 1)),
    sessions: new SharedArrayBuffer(SESSION_CELLS * memberRows),
    columns: Array.from({ length: lanes + 1 }, () => new SharedArrayBuffer(columnBytes)),
  };
}

/** The cells that everyone writes. */
export function mapShared(buffers: ScoreboardBuffers): SharedCells {
  return {
    ...mapCells(buffers.shared, 0, SHARED_MEMBER, buffers.memberRows),
    ...mapCells(buffers.shared, bytesOf(SHARED_MEMBER, buffers.memberRows), SHARED_ONCE, 1),
  };
}

/** The cells of one lane (`columns.length - 1`: the control plane's). */
export function mapColumn(buffers: ScoreboardBuffers, lane: number): Column {
  const buffer = buffers.columns[lane];
  if (buffer === undefined) throw new RangeError(`scoreboard has no column ${lane}`);
  const balancersAt = bytesOf(LANE_MEMBER, buffers.memberRows);
  const laneAt = balancersAt + bytesOf(LANE_BALANCER, buffers.balancerRows);
  return {
    ...mapCells(buffer, 0, LANE_MEMBER, buffers.memberRows),
    ...mapCells(buffer, balancersAt, LANE_BALANCER, buffers.balancerRows),
    ...mapCells(buffer, laneAt, LANE, 1),
  };
}
