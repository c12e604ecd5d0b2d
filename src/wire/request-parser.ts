// Where to start reading. This folder is HTTP/1.1 over bytes and nothing else: no sockets, no clock, no policy.
// A RequestParser or ResponseParser takes chunks until a head is complete, a BodyDecoder finds the end of the body
// that follows, and head-writer.ts makes the outgoing head. All are re-usable, one set per connection or pooled.
// This file reads request lines and decides whether a request is sound as a whole (RFC 9110, RFC 9112 §3).
import { needMore, refuse } from './field-parser.ts';
import { defaultRequestLimits, type HeadLimits } from './limits.ts';
import { CR, isTargetOctet, LF, SPACE, tokenFold } from './octets.ts';
import { parseVersion, versionLength } from './protocol-version.ts';
import { RequestHead } from './request-head.ts';
import { type Progress, SectionReader } from './section-reader.ts';
import type { WireErrorCode } from './wire-error.ts';

/** Parses one request head after another. After `done` the head is valid until the next call of `feed` or `reset`. */
export class RequestParser {
  readonly head: RequestHead;
  /** Why the head was refused; null otherwise. */
  error: WireErrorCode | null = null;
  /** After `done`: where the first byte after the head is, in the chunk of the last call. */
  position = 0;
  readonly #reader: SectionReader;
  readonly #maxLineBytes: number;
  #isFresh = true;

  constructor(limits: HeadLimits = defaultRequestLimits) {
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
    this.head = new RequestHead(this.#reader.fields);
  }

  /** Whether a part of a request has arrived; an empty line before one does not count. For idle and head timeouts. */
  get hasBegun(): boolean {
    return this.#reader.pendingLength > 2 || (this.#reader.pendingLength > 0 && this.#reader.firstPending !== CR);
  }

  /** Forgets the head and what was held of the next one. */
  reset(): void {
    this.#reader.reset();
    this.error = null;
    this.#isFresh = true;
  }

  /** Takes `bytes[start, end)`, in any split, and stops after the head; what follows is the body or the next request. */
  feed(bytes: Buffer, start: number, end: number): Progress {
    if (!this.#isFresh) this.reset();
    const progress = this.#reader.feed(bytes, start, end);
    if (progress === 'more') return progress;
    this.#isFresh = false;
    this.position = this.#reader.position;
    this.error = progress === 'done' ? this.head.check() : this.#reader.error;
    return this.error === null ? 'done' : 'refused';
  }

  /** Ignores one empty line before the request line, as RFC 9112 §2.2 asks: old clients send it after a body. */
  #parseStart(reader: SectionReader, bytes: Uint8Array, start: number, end: number): number {
    let lineStart = start;
    if (bytes[start] === CR) {
      if (start + 1 === end) return needMore;
      if (bytes[start + 1] !== LF) return refuse(reader, 'bad-line-end');
      lineStart += 2;
    }
    this.head.lineStart = lineStart - start;
    const longest = lineStart + this.#maxLineBytes + 2;
    const after = this.#parseLine(reader, bytes, start, lineStart, Math.min(end, longest));
    return after === needMore && end >= longest ? refuse(reader, 'request-line-too-long') : after;
  }

  #parseLine(reader: SectionReader, bytes: Uint8Array, origin: number, lineStart: number, end: number): number {
    const head = this.head;
    let pos = lineStart;
    while (pos < end && tokenFold[bytes[pos]!] !== 0) pos++;
    if (pos === end) return needMore;
    if (pos === lineStart || bytes[pos] !== SPACE) return refuse(reader, 'bad-method');
    head.methodEnd = pos - origin;
    pos++;
    const targetStart = pos;
    while (pos < end && isTargetOctet[bytes[pos]!] === 1) pos++;
    if (pos === end) return needMore;
    if (bytes[pos] === CR || bytes[pos] === LF) return refuse(reader, 'bad-request-line');
    if (pos === targetStart || bytes[pos] !== SPACE) return refuse(reader, 'bad-target');
    head.targetEnd = pos - origin;
    pos++;
    const minorVersion = parseVersion(reader, bytes, pos, end);
    if (minorVersion < 0) return minorVersion;
    head.minorVersion = minorVersion;
    return parseLineEnd(reader, bytes, pos + versionLength, end);
  }
}

function parseLineEnd(reader: SectionReader, bytes: Uint8Array, pos: number, end: number): number {
  if (pos === end) return needMore;
  if (bytes[pos] !== CR) return refuse(reader, bytes[pos] === LF ? 'bad-line-end' : 'bad-version');
  if (pos + 1 === end) return needMore;
  return bytes[pos + 1] === LF ? pos + 2 : refuse(reader, 'bad-line-end');
}
