// Collects one section of lines (a head or a trailer section) from chunks of any size and split. The work stays
// linear however the bytes drip in: a line is parsed when its end is there, so every byte is looked at three times
// at most, and damage in a line that drips in may be noticed only at its end.
// Holds a copy of the bytes only while a section is incomplete.
import { type FieldCursor, type FieldLimits, needMore, parseFieldLines, refuse } from './field-parser.ts';
import { FieldLines } from './field-lines.ts';
import { LF } from './octets.ts';
import type { WireErrorCode } from './wire-error.ts';

/** `more`: all bytes were taken, more are needed. `done`: see `position`. `refused`: see `error`. */
export type Progress = 'more' | 'done' | 'refused';

/**
 * Parses what comes before the header lines, from `bytes[start, end)`. Returns the position of the first header line,
 * or `needMore`, or `refused` with `reader.error` set.
 */
export type StartLineParser = (reader: SectionReader, bytes: Uint8Array, start: number, end: number) => number;

export interface SectionLimits extends FieldLimits {
  /** Whole section. Bytes. */
  readonly maxBytes: number;
  /** The code when `maxBytes` do not hold the section. */
  readonly tooLarge: WireErrorCode;
}

const firstPendingBytes = 1_024;
const noBytes = Buffer.alloc(0);

export class SectionReader implements FieldCursor {
  readonly fields = new FieldLines();
  /** Why the section was refused; null unless the last call said `refused`. */
  error: WireErrorCode | null = null;
  /** After `done`: where the first byte after the section is, in the chunk of the last call. */
  position = 0;
  lineStart = 0;
  readonly limits: SectionLimits;
  readonly #parseStartLine: StartLineParser | null;
  #isStartLineDone = false;
  #pending = noBytes;
  #pendingLength = 0;

  constructor(limits: SectionLimits, parseStartLine: StartLineParser | null) {
    this.limits = limits;
    this.#parseStartLine = parseStartLine;
  }

  /** How much of an incomplete section is held. Bytes. */
  get pendingLength(): number {
    return this.#pendingLength;
  }

  /** The first octet held; undefined when none is. */
  get firstPending(): number | undefined {
    return this.#pending[0];
  }

  reset(): void {
    this.fields.clear();
    this.error = null;
    this.lineStart = 0;
    this.#isStartLineDone = this.#parseStartLine === null;
    this.#pending = noBytes;
    this.#pendingLength = 0;
  }

  /** Takes `bytes[start, end)`. Call `reset` before the first chunk of a section. */
  feed(bytes: Buffer, start: number, end: number): Progress {
    if (start === end) return 'more';
    if (this.#pendingLength > 0) return this.#resume(bytes, start, end);
    const size = this.#advance(bytes, start, end);
    if (size > 0) this.position = start + size;
    else if (this.error === null) this.#keep(bytes, start, end);
    return this.#progress(size);
  }

  #resume(bytes: Buffer, start: number, end: number): Progress {
    const before = this.#pendingLength;
    const room = this.limits.maxBytes - before;
    this.#keep(bytes, start, Math.min(end, start + room));
    const isFull = this.#pendingLength === this.limits.maxBytes;
    // A line is parsed again only when it may be complete.
    const lineEnd = bytes.indexOf(LF, start);
    if (!isFull && (lineEnd === -1 || lineEnd >= end)) return 'more';
    const size = this.#advance(this.#pending, 0, this.#pendingLength);
    if (size > 0) {
      this.position = start + size - before;
      this.#pending = noBytes;
      this.#pendingLength = 0;
    }
    return this.#progress(size);
  }

  #progress(size: number): Progress {
    if (size > 0) return 'done';
    return this.error === null ? 'more' : 'refused';
  }

  /** Parses on in `bytes`, where the section begins at `origin`. Returns its size when it is complete, else 0. */
  #advance(bytes: Buffer, origin: number, available: number): number {
    const { maxBytes, tooLarge } = this.limits;
    const end = Math.min(available, origin + maxBytes);
    const after = this.#parseLines(bytes, origin, end);
    if (after === needMore && end - origin === maxBytes) refuse(this, tooLarge);
    if (this.error !== null || after === needMore) return 0;
    this.fields.complete(bytes, origin, after);
    return after - origin;
  }

  #parseLines(bytes: Buffer, origin: number, end: number): number {
    let pos = origin + this.lineStart;
    if (!this.#isStartLineDone) {
      pos = this.#parseStartLine!(this, bytes, pos, end);
      if (pos < 0) return pos;
      this.#isStartLineDone = true;
    }
    return parseFieldLines(this, bytes, origin, pos, end);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = this.#pendingLength + end - start;
    if (length > this.#pending.length) {
      const size = Math.max(length, firstPendingBytes, this.#pending.length * 2);
      const larger = Buffer.allocUnsafeSlow(Math.min(size, this.limits.maxBytes));
      this.#pending.copy(larger, 0, 0, this.#pendingLength);
      this.#pending = larger;
    }
    bytes.copy(this.#pending, this.#pendingLength, start, end);
    this.#pendingLength = length;
  }
}
