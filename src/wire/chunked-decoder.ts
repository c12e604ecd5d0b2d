// Walks through a chunked body (RFC 9112 §7.1) without copying: tells payload from framing and finds the end.
// Validates every octet of the framing, so that a sound body may be passed on exactly as it came.
import { badExtension, extensionEnd, extensionStart, stepExtension } from './chunk-extension.ts';
import type { FieldLines } from './field-lines.ts';
import { forwardingIds, ownIds } from './head-writer.ts';
import { type HeaderId, headerIdCount, headerIds } from './header-id.ts';
import type { BodyLimits } from './limits.ts';
import { CR, hexValue, LF } from './octets.ts';
import { type Progress, SectionReader } from './section-reader.ts';
import type { WireErrorCode } from './wire-error.ts';

const SEMICOLON = 0x3b;

// What the next octet belongs to.
const atSize = 0;
const inSize = 1;
const inExtension = 2;
const atSizeLf = 3;
const inData = 4;
const atDataCr = 5;
const atDataLf = 6;
const atTrailers = 7;
const atLastLf = 8;
const inTrailers = 9;

// 2^53 - 1 has 14 hexadecimal digits; more could only be zeros in front, of which there might be no end.
const maxSizeDigits = 16;

/**
 * Headers that frame, route or authenticate a message or steer its handling mean nothing after it (RFC 9110 §6.5.1). What
 * we take out of heads is not let through behind a body either, where some readers add it to the head; but for load
 * reports, which members send there by right (ORCA), and which fool nobody.
 */
const forbiddenTrailers = forbid([
  headerIds.host,
  headerIds.connection,
  headerIds.contentLength,
  headerIds.transferEncoding,
  headerIds.te,
  headerIds.trailer,
  headerIds.upgrade,
  headerIds.expect,
  headerIds.keepAlive,
  headerIds.proxyConnection,
  headerIds.proxyAuthenticate,
  headerIds.proxyAuthorization,
  headerIds.proxyAuthenticationInfo,
  headerIds.maxForwards,
  headerIds.via,
  headerIds.cdnLoop,
  headerIds.xRequestId,
  ...forwardingIds,
  ...ownIds,
  headerIds.cookie,
  headerIds.setCookie,
  headerIds.setCookie2,
  headerIds.authorization,
  headerIds.location,
  headerIds.contentType,
  headerIds.contentEncoding,
  headerIds.contentRange,
  headerIds.cacheControl,
  headerIds.range,
  headerIds.http2Settings,
]);

function forbid(ids: readonly HeaderId[]): Uint8Array {
  const table = new Uint8Array(headerIdCount);
  for (const id of ids) table[id] = 1;
  return table;
}

export class ChunkedDecoder {
  error: WireErrorCode | null = null;
  /** Where the first byte after the body is, or the end of the chunk when there is more to come. */
  position = 0;
  /** Bytes of payload so far. */
  payloadBytes = 0;
  /** Start and end, one after the other, of every run of payload in the bytes of the last call. */
  readonly payloadRanges: number[] = [];
  readonly #limits: BodyLimits;
  #state = atSize;
  /** While in a size: its value so far. While in data: what is left of it. */
  #size = 0;
  #sizeDigits = 0;
  #extensionState = extensionStart;
  #extensionBytes = 0;
  #trailerReader: SectionReader | null = null;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** The trailer lines after a body that had some, else null. */
  get trailers(): FieldLines | null {
    return this.#state === inTrailers ? this.#trailerReader!.fields : null;
  }

  reset(): void {
    this.error = null;
    this.payloadBytes = 0;
    this.payloadRanges.length = 0;
    this.#state = atSize;
    this.#size = 0;
    this.#sizeDigits = 0;
    this.#extensionBytes = 0;
    this.#trailerReader = null;
  }

  /** Takes `bytes[start, end)`. */
  feed(bytes: Buffer, start: number, end: number): Progress {
    this.payloadRanges.length = 0;
    let pos = start;
    while (pos < end) {
      if (this.#state === inData) {
        pos = this.#takeData(pos, end);
        continue;
      }
      const octet = bytes[pos]!;
      if (this.#state === inTrailers || (this.#state === atTrailers && octet !== CR)) {
        return this.#feedTrailers(bytes, pos, end);
      }
      pos++;
      if (this.#state === atLastLf && octet === LF) {
        this.position = pos;
        return 'done';
      }
      const error = this.#step(octet);
      if (error !== null) return this.#refuse(error);
    }
    this.position = end;
    return 'more';
  }

  #takeData(start: number, end: number): number {
    const taken = Math.min(end - start, this.#size);
    this.payloadRanges.push(start, start + taken);
    this.payloadBytes += taken;
    this.#size -= taken;
    if (this.#size === 0) this.#state = atDataCr;
    return start + taken;
  }

  /** Takes one octet of the framing between data. */
  #step(octet: number): WireErrorCode | null {
    switch (this.#state) {
      case atSize:
      case inSize:
        return this.#stepSize(octet);
      case inExtension:
        return this.#stepExtension(octet);
      case atSizeLf:
        this.#state = this.#size === 0 ? atTrailers : inData;
        return octet === LF ? null : 'bad-chunk-size';
      case atDataCr:
        this.#state = atDataLf;
        return octet === CR ? null : 'bad-chunk-end';
      case atDataLf:
        this.#state = atSize;
        this.#sizeDigits = 0;
        return octet === LF ? null : 'bad-chunk-end';
      case atTrailers:
        this.#state = atLastLf;
        return null;
      default:
        return 'bad-line-end';
    }
  }

  #stepSize(octet: number): WireErrorCode | null {
    const digit = hexValue[octet]!;
    if (digit < 16) {
      this.#size = this.#size * 16 + digit;
      this.#sizeDigits++;
      this.#state = inSize;
      const isTooLarge = this.#sizeDigits > maxSizeDigits || this.#size > Number.MAX_SAFE_INTEGER;
      return isTooLarge ? 'bad-chunk-size' : null;
    }
    if (this.#state === atSize) return 'bad-chunk-size';
    if (octet === CR) {
      this.#state = atSizeLf;
      return null;
    }
    if (octet !== SEMICOLON) return 'bad-chunk-size';
    this.#state = inExtension;
    this.#extensionState = extensionStart;
    return this.#countExtensionByte();
  }

  #stepExtension(octet: number): WireErrorCode | null {
    this.#extensionState = stepExtension(this.#extensionState, octet);
    if (this.#extensionState === badExtension) return 'bad-chunk-extension';
    if (this.#extensionState !== extensionEnd) return this.#countExtensionByte();
    this.#state = atSizeLf;
    return null;
  }

  #countExtensionByte(): WireErrorCode | null {
    this.#extensionBytes++;
    return this.#extensionBytes > this.#limits.maxChunkExtensionBytes ? 'chunk-extensions-too-large' : null;
  }

  #feedTrailers(bytes: Buffer, start: number, end: number): Progress {
    this.#state = inTrailers;
    this.#trailerReader ??= this.#createTrailerReader();
    const reader = this.#trailerReader;
    const progress = reader.feed(bytes, start, end);
    if (progress === 'refused') return this.#refuse(reader.error!);
    if (progress === 'more') {
      this.position = end;
      return progress;
    }
    this.position = reader.position;
    return hasForbidden(reader.fields) ? this.#refuse('forbidden-trailer') : 'done';
  }

  #createTrailerReader(): SectionReader {
    const { maxTrailerBytes, maxTrailerCount } = this.#limits;
    const reader = new SectionReader(
      {
        maxBytes: maxTrailerBytes,
        maxCount: maxTrailerCount,
        tooLarge: 'trailers-too-large',
        tooMany: 'too-many-trailers',
      },
      null,
    );
    reader.reset();
    return reader;
  }

  #refuse(error: WireErrorCode): Progress {
    this.error = error;
    return 'refused';
  }
}

function hasForbidden(trailers: FieldLines): boolean {
  for (let i = 0; i < trailers.count; i++) {
    if (forbiddenTrailers[trailers.looseId(i)] === 1) return true;
  }
  return false;
}
