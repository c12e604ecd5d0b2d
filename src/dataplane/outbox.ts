// What a lane sends in one turn of its event loop. Short messages are put one behind the other and written when all that
// had come is read: a write wakes whoever waits at the other end, which costs more than the write itself, and one who is
// kept awake is woken once. All that is written to our sockets goes through their outlets and here, or it would overtake.
import type { OutgoingHead } from '../wire/head-writer.ts';
import type { Outlet } from './outlet.ts';
import type { ReadBuffer } from './read-buffer.ts';

/** Bodies up to here are copied behind their head, which costs less than a second write. Bytes. */
const MAX_COPIED_BYTES = 16_384;
/** Where larger ones lie in the read buffer, the head goes before them, and all is written at once. Bytes. */
const MAX_POSTED_BYTES = 8_192;
/** When it is full, it is written before the turn is over. */
const BLOCK_BYTES = 131_072;

/** Something that is done to a socket once all that was posted is written. */
export interface Closing {
  begin(): void;
}

export class Outbox {
  readonly #readBuffer: ReadBuffer;
  readonly #schedule: (flush: () => void) => void;
  readonly #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #usedBytes = 0;
  /** Who posted what: it lies in the block one behind the other, and ends there. `#count` of both are of this turn. */
  readonly #outlets: (Outlet | null)[] = [];
  readonly #ends: number[] = [];
  #count = 0;
  readonly #closings: Closing[] = [];
  #isScheduled = false;
  /** Times that all that was posted was written. */
  flushes = 0;

  /** `schedule`: has it flushed once the turn is over. */
  constructor(readBuffer: ReadBuffer, schedule: (flush: () => void) => void = setImmediate) {
    this.#readBuffer = readBuffer;
    this.#schedule = schedule;
  }

  /** See `Outlet.post`. */
  post(outlet: Outlet, head: OutgoingHead | string, body: Buffer, bodyStart: number, bodyEnd: number): number {
    const bodyBytes = bodyEnd - bodyStart;
    const maxHeadBytes = typeof head === 'string' ? head.length : head.maxBytes;
    const maxBytes = bodyBytes > MAX_COPIED_BYTES ? maxHeadBytes : maxHeadBytes + bodyBytes;
    if (maxBytes > BLOCK_BYTES - this.#usedBytes) this.flush();
    if (maxBytes > BLOCK_BYTES) return this.#writeLarge(outlet, head, body, bodyStart, bodyEnd);
    const block = this.#block;
    const start = this.#usedBytes;
    let end = typeof head === 'string' ? start + block.write(head, start, 'latin1') : head.write(block, start);
    const bytes = end - start + bodyBytes;
    if (bodyBytes > MAX_POSTED_BYTES && this.#writeBefore(outlet, start, end, body, bodyStart, bodyEnd)) return bytes;
    if (bodyBytes > MAX_COPIED_BYTES) {
      outlet.write(block, start, end);
      outlet.write(body, bodyStart, bodyEnd);
      return bytes;
    }
    if (bodyBytes > 0) end += body.copy(block, end, bodyStart, bodyEnd);
    this.#usedBytes = end;
    // What one socket gets in a row is one write: answers to pipelined requests, and the pieces of a chunk.
    if (this.#count > 0 && this.#outlets[this.#count - 1] === outlet) this.#ends[this.#count - 1] = end;
    else this.#add(outlet, end);
    return bytes;
  }

  /** Has the closing begun once all that was posted so far is written, this turn. */
  close(closing: Closing): void {
    this.#closings.push(closing);
    this.#flushSoon();
  }

  /** Writes all that was posted. */
  flush(): void {
    const outlets = this.#outlets;
    const ends = this.#ends;
    let start = 0;
    // The lists keep their length, since cutting them costs more than all else here.
    for (let i = 0; i < this.#count; i += 1) {
      const end = ends[i]!;
      outlets[i]!.send(this.#block, start, end);
      outlets[i] = null;
      start = end;
    }
    this.flushes += 1;
    this.#count = 0;
    this.#usedBytes = 0;
    if (this.#closings.length === 0) return;
    for (const closing of this.#closings) closing.begin();
    this.#closings.length = 0;
  }

  #add(outlet: Outlet, end: number): void {
    this.#outlets[this.#count] = outlet;
    this.#ends[this.#count] = end;
    this.#count += 1;
    outlet.expectFlush();
    this.#flushSoon();
  }

  /** Writes head and body in one piece, where the body lies. False: there is no room for the head. */
  #writeBefore(
    outlet: Outlet,
    headStart: number,
    headEnd: number,
    body: Buffer,
    bodyStart: number,
    bodyEnd: number,
  ): boolean {
    const { memory, target, headroomBytes } = this.#readBuffer;
    const start = headroomBytes + bodyStart - (headEnd - headStart);
    if (body !== target || start < 0) return false;
    this.#block.copy(memory, start, headStart, headEnd);
    outlet.write(memory, start, headroomBytes + bodyEnd);
    return true;
  }

  #writeLarge(outlet: Outlet, head: OutgoingHead | string, body: Buffer, bodyStart: number, bodyEnd: number): number {
    const bytes = Buffer.concat([Buffer.from(head.toString(), 'latin1'), body.subarray(bodyStart, bodyEnd)]);
    outlet.write(bytes, 0, bytes.length);
    return bytes.length;
  }

  #flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(this.#onTurnOver);
  }

  readonly #onTurnOver = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
}
