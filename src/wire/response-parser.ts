// Reads response heads from members: the status line, then whether the response is sound as a whole (RFC 9112 §4).
// A refused response is always the member's fault (502); what is sound passes unchanged.
import { needMore, refuse } from './field-parser.ts';
import { defaultResponseLimits, type HeadLimits } from './limits.ts';
import { CR, isFieldOctet, LF, SPACE, ZERO } from './octets.ts';
import { parseVersion, versionLength } from './protocol-version.ts';
import { ResponseHead } from './response-head.ts';
import { type Progress, SectionReader } from './section-reader.ts';
import type { WireErrorCode } from './wire-error.ts';

/** Parses one response head after another. After `done` the head is valid until the next call of `feed` or `reset`. */
export class ResponseParser {
  readonly head: ResponseHead;
  /** Why the head was refused; null otherwise. */
  error: WireErrorCode | null = null;
  /** After `done`: where the first byte after the head is, in the chunk of the last call. */
  position = 0;
  readonly #reader: SectionReader;
  readonly #maxLineBytes: number;
  #isFresh = true;
  #requestMethod = 'GET';

  constructor(limits: HeadLimits = defaultResponseLimits) {
    this.#maxLineBytes = limits.maxStartLineBytes;
    this.#reader = new SectionReader(
      {
        maxBytes: limits.maxHeadBytes,
        maxCount: limits.maxHeaderCount,
        tooLarge: 'head-too-large',
        tooMany: 'too-many-headers',
      },
      (reader, bytes, start, end) => this.#parseStart(reader, bytes, start, end),
    );
    this.#reader.reset();
    this.head = new ResponseHead(this.#reader.fields);
  }

  /** Whether a part of a response has arrived. */
  get hasBegun(): boolean {
    return this.#reader.pendingLength > 0;
  }

  /** Says which request the next heads answer, because HEAD has no body in its answer. Forgets what was held. */
  begin(requestMethod: string): void {
    this.reset();
    this.#requestMethod = requestMethod;
  }

  /** Forgets the head and what was held of the next one. */
  reset(): void {
    this.#reader.reset();
    this.error = null;
    this.#isFresh = true;
  }

  /**
   * Takes `bytes[start, end)`, in any split, and stops after the head. After an interim response (`head.isInterim`)
   * feed the bytes that follow: they begin the next head.
   */
  feed(bytes: Buffer, start: number, end: number): Progress {
    if (!this.#isFresh) this.reset();
    const progress = this.#reader.feed(bytes, start, end);
    if (progress === 'more') return progress;
    this.#isFresh = false;
    this.position = this.#reader.position;
    this.error = progress === 'done' ? this.head.check(this.#requestMethod) : this.#reader.error;
    return this.error === null ? 'done' : 'refused';
  }

  #parseStart(reader: SectionReader, bytes: Uint8Array, start: number, end: number): number {
    const longest = start + this.#maxLineBytes + 2;
    const after = this.#parseLine(reader, bytes, start, Math.min(end, longest));
    return after === needMore && end >= longest ? refuse(reader, 'bad-status-line') : after;
  }

  /**
   * The space after the status may be missing when there is no reason: the grammar wants it, but members leave it out,
   * and nothing can be read in two ways. The writer puts it in.
   */
  #parseLine(reader: SectionReader, bytes: Uint8Array, start: number, end: number): number {
    const head = this.head;
    const minorVersion = parseVersion(reader, bytes, start, end);
    if (minorVersion < 0) return minorVersion;
    head.minorVersion = minorVersion;
    let pos = start + versionLength;
    if (pos === end) return needMore;
    if (bytes[pos] !== SPACE) return refuse(reader, 'bad-status-line');
    const status = parseStatus(reader, bytes, pos + 1, end);
    if (status < 0) return status;
    head.status = status;
    pos += 4;
    if (pos === end) return needMore;
    if (bytes[pos] !== SPACE && bytes[pos] !== CR) return refuse(reader, 'bad-status-line');
    if (bytes[pos] === SPACE) pos++;
    while (pos < end && isFieldOctet[bytes[pos]!] === 1) pos++;
    if (pos === end) return needMore;
    if (bytes[pos] !== CR) return refuse(reader, bytes[pos] === LF ? 'bad-line-end' : 'bad-status-line');
    if (pos + 1 === end) return needMore;
    head.reasonEnd = pos - start;
    return bytes[pos + 1] === LF ? pos + 2 : refuse(reader, 'bad-line-end');
  }
}

/** Returns the status, 100 to 599, that stands at `start`, or `needMore`, or `refused`. */
function parseStatus(reader: SectionReader, bytes: Uint8Array, start: number, end: number): number {
  let status = 0;
  for (let pos = start; pos < start + 3; pos++) {
    if (pos === end) return needMore;
    const digit = bytes[pos]! - ZERO;
    if (digit < 0 || digit > 9) return refuse(reader, 'bad-status-line');
    status = status * 10 + digit;
  }
  return status >= 100 && status <= 599 ? status : refuse(reader, 'bad-status');
}
