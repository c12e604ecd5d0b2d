// How the body of a message is delimited, from its Content-Length and Transfer-Encoding (RFC 9112 §6).
// Stricter than the grammar: every doubt about the framing refuses the message, for requests and responses alike.
import type { FieldLines } from './field-lines.ts';
import { headerIds } from './header-id.ts';
import { isToken, TAB, ZERO } from './octets.ts';
import type { WireErrorCode } from './wire-error.ts';

/** `none`: no body. `length`: so many bytes. `chunked`: chunks and trailers. `close`: all until the connection ends (responses only). */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** What the headers of one message say about its body. Re-usable. */
export interface DeclaredFraming {
  isChunked: boolean;
  /** Bytes, up to 2^53 - 1; -1 without Content-Length. */
  contentLength: number;
}

/** A transfer coding list that is well formed, ends in one "chunked" and so only asks for codings that are not supported. */
const otherCodings = /^(?:(?!chunked *,)[!#$%&'*+\-.^_`|~0-9a-z]+ *, *)+chunked$/i;

/** Fills `into` from the header lines. Returns why the message must be refused, or null. */
export function readFraming(fields: FieldLines, minorVersion: number, into: DeclaredFraming): WireErrorCode | null {
  into.isChunked = false;
  into.contentLength = -1;
  const coding = fields.find(headerIds.transferEncoding);
  const length = fields.find(headerIds.contentLength);
  if (coding !== -1) {
    if (length !== -1) return 'cl-with-te';
    into.isChunked = true;
    return checkTransferEncoding(fields, coding, minorVersion);
  }
  if (length === -1) return null;
  if (fields.find(headerIds.contentLength, length + 1) !== -1) return 'duplicate-content-length';
  if (hasTabAround(fields, length)) return 'bad-content-length';
  into.contentLength = parseContentLength(fields.bytes, fields.valueStart(length), fields.valueEnd(length));
  return into.contentLength === -1 ? 'bad-content-length' : null;
}

function checkTransferEncoding(fields: FieldLines, index: number, minorVersion: number): WireErrorCode | null {
  if (fields.find(headerIds.transferEncoding, index + 1) !== -1) return 'duplicate-transfer-encoding';
  if (minorVersion === 0) return 'te-in-http-1.0';
  if (hasTabAround(fields, index)) return 'bad-transfer-encoding';
  if (isToken(fields.bytes, fields.valueStart(index), fields.valueEnd(index), 'chunked')) return null;
  return otherCodings.test(fields.value(index)) ? 'unsupported-transfer-encoding' : 'bad-transfer-encoding';
}

/**
 * Whether a tab stands before or after the value. The grammar allows it, but some servers take it for a part of the
 * value; in the fields that frame and route a message nothing may be read in two ways.
 */
export function hasTabAround(fields: FieldLines, index: number): boolean {
  const { bytes } = fields;
  for (let i = fields.nameEnd(index) + 1; i < fields.valueStart(index); i++) {
    if (bytes[i] === TAB) return true;
  }
  for (let i = fields.valueEnd(index); i < fields.lineEnd(index); i++) {
    if (bytes[i] === TAB) return true;
  }
  return false;
}

/** Reads 1*DIGIT up to 2^53 - 1; -1 for anything else (sign, space, list, hexadecimal, overflow, nothing). */
function parseContentLength(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  let length = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}
