// Finds the end of a body in the bytes that follow a head, whatever its framing, without copying or holding any.
// The bytes it takes may be passed on as they are; after `refused` nothing of that chunk may.
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { FieldLines } from './field-lines.ts';
import type { Framing } from './framing.ts';
import { type BodyLimits, defaultBodyLimits } from './limits.ts';
import type { Progress } from './section-reader.ts';
import type { WireErrorCode } from './wire-error.ts';

/** One body after another: `begin` with what the head says, then `feed` until it says `done`. */
export class BodyDecoder {
  /** Whether the whole body was taken. At once true for a body of no bytes; with `close` only after `finish`. */
  isComplete = true;
  /** Why the body was refused; null otherwise. */
  error: WireErrorCode | null = null;
  /** After `done`: where the first byte after the body is, in the chunk of the last call. After `more`: its end. */
  position = 0;
  /** Bytes of payload so far. */
  payloadBytes = 0;
  /** Bytes of chunk sizes, extensions, trailers and their line ends so far. */
  framingBytes = 0;
  readonly #limits: BodyLimits;
  readonly #range: number[] = [0, 0];
  #framing: Framing = 'none';
  #leftBytes = 0;
  #chunked: ChunkedDecoder | null = null;

  constructor(limits: BodyLimits = defaultBodyLimits) {
    this.#limits = limits;
  }

  /** `contentLength` counts only when the framing is `length`. */
  begin(framing: Framing, contentLength: number): void {
    this.#framing = framing;
    this.#leftBytes = framing === 'length' ? contentLength : 0;
    this.isComplete = framing === 'none' || (framing === 'length' && contentLength === 0);
    this.error = null;
    this.position = 0;
    this.payloadBytes = 0;
    this.framingBytes = 0;
    this.#range[0] = 0;
    this.#range[1] = 0;
    if (framing !== 'chunked') return;
    this.#chunked ??= new ChunkedDecoder(this.#limits);
    this.#chunked.reset();
  }

  /**
   * Start and end, one after the other, of every run of payload in the chunk of the last call. Valid until the next call.
   */
  get payloadRanges(): readonly number[] {
    return this.#framing === 'chunked' ? this.#chunked!.payloadRanges : this.#range;
  }

  /**
   * The payload in `bytes`, the chunk of the last call, in one piece. Copied where it came in several: whoever sends chunks
   * of a byte must not have each written on its own.
   */
  payloadIn(bytes: Buffer): Buffer {
    const ranges = this.payloadRanges;
    if (ranges.length === 2) return bytes.subarray(ranges[0], ranges[1]);
    let length = 0;
    for (let i = 0; i < ranges.length; i += 2) length += ranges[i + 1]! - ranges[i]!;
    const payload = Buffer.allocUnsafe(length);
    let at = 0;
    for (let i = 0; i < ranges.length; i += 2) at += bytes.copy(payload, at, ranges[i], ranges[i + 1]);
    return payload;
  }

  /** The trailer lines after a complete chunked body that had some, else null. */
  get trailers(): FieldLines | null {
    return this.#framing === 'chunked' && this.isComplete ? this.#chunked!.trailers : null;
  }

  /** Takes `bytes[start, end)`, in any split, and stops after the body; what follows is the next message. */
  feed(bytes: Buffer, start: number, end: number): Progress {
    if (this.isComplete) {
      this.#takePlain(start, start);
      return 'done';
    }
    switch (this.#framing) {
      case 'chunked':
        return this.#feedChunked(bytes, start, end);
      case 'close':
        this.#takePlain(start, end);
        return 'more';
      case 'length': {
        const taken = Math.min(end - start, this.#leftBytes);
        this.#leftBytes -= taken;
        this.#takePlain(start, start + taken);
        this.isComplete = this.#leftBytes === 0;
        return this.isComplete ? 'done' : 'more';
      }
      case 'none':
        return 'done';
      default:
        return this.#framing satisfies never;
    }
  }

  /** Says that the connection has ended. Returns whether the body is whole; only `close` bodies become so by this. */
  finish(): boolean {
    if (this.#framing === 'close') this.isComplete = true;
    return this.isComplete;
  }

  #takePlain(start: number, end: number): void {
    this.position = end;
    this.payloadBytes += end - start;
    this.#range[0] = start;
    this.#range[1] = end;
  }

  #feedChunked(bytes: Buffer, start: number, end: number): Progress {
    const decoder = this.#chunked!;
    const before = this.payloadBytes;
    const progress = decoder.feed(bytes, start, end);
    this.error = decoder.error;
    if (progress === 'refused') return progress;
    this.position = decoder.position;
    this.payloadBytes = decoder.payloadBytes;
    this.framingBytes += decoder.position - start - (decoder.payloadBytes - before);
    this.isComplete = progress === 'done';
    return progress;
  }
}
