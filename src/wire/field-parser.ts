// Reads header lines out of bytes in one pass: grammar only, no meaning (RFC 9112 §5, RFC 9110 §5.5).
// Refuses bare CR or LF, folded lines, spaces before the colon and control characters; repairs nothing.
import type { FieldLines } from './field-lines.ts';
import { recogniseHeader } from './header-id.ts';
import { COLON, CR, isFieldOctet, LF, SPACE, TAB, tokenFold } from './octets.ts';
import type { WireErrorCode } from './wire-error.ts';
import { skipPrintable } from './words.ts';

/** What a step of parsing returns instead of a position when the bytes end too early. */
export const needMore = -1;
/** What a step of parsing returns instead of a position when the message is refused. */
const refused = -2;

export interface FieldLimits {
  /** Lines. Count. */
  readonly maxCount: number;
  /** The code when there are more lines. */
  readonly tooMany: WireErrorCode;
}

/** Where a pass over header lines stands. */
export interface FieldCursor {
  readonly fields: FieldLines;
  readonly limits: FieldLimits;
  /** Offset of the first line not taken yet, from the start of the message. */
  lineStart: number;
  /** Why the message was refused. */
  error: WireErrorCode | null;
}

/**
 * Takes header lines from `bytes[pos, end)` until the empty line. `origin` is where the message begins in `bytes`.
 * Returns the position after the empty line, or `needMore`, or `refused`. After `needMore` the call may be repeated from
 * `origin + cursor.lineStart` when more bytes are there.
 */
export function parseFieldLines(
  cursor: FieldCursor,
  bytes: Uint8Array,
  origin: number,
  start: number,
  end: number,
): number {
  const fields = cursor.fields;
  let pos = start;
  while (true) {
    cursor.lineStart = pos - origin;
    const nameStart = pos;
    while (pos < end && tokenFold[bytes[pos]!] !== 0) pos++;
    if (pos === end) return needMore;
    const nameEnd = pos;
    if (bytes[nameEnd] !== COLON || nameEnd === nameStart) {
      return nameEnd === nameStart
        ? parseEmptyLine(cursor, bytes, origin, pos, end)
        : refuse(cursor, 'bad-header-name');
    }
    pos++;
    while (pos < end && (bytes[pos] === SPACE || bytes[pos] === TAB)) pos++;
    const valueStart = pos;
    pos = skipFieldOctets(bytes, pos, end);
    if (pos === end) return needMore;
    if (bytes[pos] !== CR) return refuse(cursor, bytes[pos] === LF ? 'bad-line-end' : 'bad-header-value');
    if (pos + 1 === end) return needMore;
    if (bytes[pos + 1] !== LF) return refuse(cursor, 'bad-line-end');
    if (fields.count === cursor.limits.maxCount) return refuse(cursor, cursor.limits.tooMany);
    let valueEnd = pos;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--;
    fields.append(
      nameStart - origin,
      nameEnd - origin,
      valueStart - origin,
      valueEnd - origin,
      recogniseHeader(bytes, nameStart, nameEnd),
    );
    pos += 2;
  }
}

function skipFieldOctets(bytes: Uint8Array, start: number, end: number): number {
  let pos = skipPrintable(bytes, start, end);
  while (pos < end && isFieldOctet[bytes[pos]!] === 1) pos++;
  return pos;
}

function parseEmptyLine(cursor: FieldCursor, bytes: Uint8Array, origin: number, pos: number, end: number): number {
  const octet = bytes[pos];
  if (octet === LF) return refuse(cursor, 'bad-line-end');
  if (octet === SPACE || octet === TAB) return refuse(cursor, 'folded-header');
  if (octet !== CR) return refuse(cursor, 'bad-header-name');
  if (pos + 1 === end) return needMore;
  if (bytes[pos + 1] !== LF) return refuse(cursor, 'bad-line-end');
  cursor.fields.endOffset = pos - origin;
  return pos + 2;
}

/** Notes why and returns `refused`. */
export function refuse(cursor: { error: WireErrorCode | null }, code: WireErrorCode): number {
  cursor.error = code;
  return refused;
}
