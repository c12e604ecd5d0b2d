// How many sessions live on each member: distinct session values seen in a sliding window, in fixed memory that all lanes
// share. Lanes only ever write the time into a cell; reading and sweeping are the control plane's.
//
// A row (the member's row of the scoreboard) is a Flajolet-Martin bitmap whose bits are times: 16 levels of 128 cells of one
// byte. A value belongs to one cell, at level l with probability 2^-(l+1), and seeing it writes the tick of the clock there.
// A cell counts while its tick is within the window; so the window slides, nothing is cleared when it does, and lanes that
// write the same cell write the same byte. A row has 2 KiB; rows never written cost no memory, because pages of a
// SharedArrayBuffer are the system's zero page until they are touched.
import { hash32 } from '../hash32.ts';
import { estimateDistinct } from './sketch-estimate.ts';

const levels = 16;
const cellsPerLevel = 128;
const cellBits = 7;
/** Bytes per row. */
const sketchRowBytes = levels * cellsPerLevel;

/** Ticks are 1 to 255 and then 1 again; 0 is never. */
const tickCount = 255;
/** The window in ticks: the grain in which it slides. */
const ticksPerWindow = 60;

/** Bytes for rows 0 to `rowCount - 1`. */
export function sketchBytes(rowCount: number): number {
  return rowCount * sketchRowBytes;
}

export class SessionSketch {
  readonly #cells: Uint8Array;
  readonly #tickMs: number;
  readonly #counts = new Int32Array(levels);

  /** `memory`: zeros at first, at least `sketchBytes(rows)`. `windowMs`: how long a session lives after it was seen. */
  constructor(memory: ArrayBufferLike, windowMs: number) {
    this.#cells = new Uint8Array(memory);
    this.#tickMs = windowMs / ticksPerWindow;
  }

  /** A session was seen on the member of `row`. `nowMs`: the monotonic clock that all threads share. Any lane, about 50 ns. */
  observe(row: number, value: string, nowMs: number): void {
    const hash = hash32(value);
    const level = Math.min(levels - 1, Math.clz32(hash >>> cellBits) - cellBits);
    const at = row * sketchRowBytes + level * cellsPerLevel + (hash & (cellsPerLevel - 1));
    const tick = this.#tickAt(nowMs);
    // Most sessions come more often than once a tick; not writing leaves the line in every core's cache.
    if (this.#cells[at] !== tick) this.#cells[at] = tick;
  }

  /**
   * The number of sessions seen on the member of `row` within the window, about: exact for 0, standard error 6 % (less for
   * small numbers), up to some millions. Some 10 µs. Control only; also sweeps what is too old, so it must be called at least
   * every three windows.
   */
  estimate(row: number, nowMs: number): number {
    const cells = this.#cells;
    const tick = this.#tickAt(nowMs);
    const start = row * sketchRowBytes;
    this.#counts.fill(0);
    for (let cell = 0; cell < sketchRowBytes; cell++) {
      const seen = cells[start + cell]!;
      if (seen === 0) continue;
      if ((tick - seen + tickCount) % tickCount <= ticksPerWindow) this.#counts[cell >> cellBits]!++;
      // A lane may have written since; then what it wrote stays.
      else Atomics.compareExchange(cells, start + cell, seen, 0);
    }
    return estimateDistinct(this.#counts, cellsPerLevel);
  }

  /** Forgets a row, before another member gets it. */
  clear(row: number): void {
    this.#cells.fill(0, row * sketchRowBytes, (row + 1) * sketchRowBytes);
  }

  #tickAt(nowMs: number): number {
    return 1 + (Math.floor(nowMs / this.#tickMs) % tickCount);
  }
}
