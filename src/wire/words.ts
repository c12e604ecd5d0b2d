// Four octets at a time: heads are read octet by octet, and most of what is read is only looked at to see that it is harmless.

export const WORD_BYTES = 4;

const HIGH_BITS = 0x80808080 | 0;
const CASE_BITS = 0x20202020;

let viewed: Uint8Array = new Uint8Array();
let view = new DataView(viewed.buffer);

/** A view of these bytes. That of the last ones is kept: a lane reads into the same memory again and again. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes === viewed) return view;
  viewed = bytes;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view;
}

/**
 * The first octet of `bytes[start, end)` that is not 0x20 to 0x7e, or one of the last three: those are not looked at.
 */
export function skipPrintable(bytes: Uint8Array, start: number, end: number): number {
  const words = viewOf(bytes);
  let pos = start;
  while (pos + WORD_BYTES <= end) {
    const odd = oddOctets(words.getInt32(pos, true));
    if (odd !== 0) return pos + ((31 - Math.clz32(odd & -odd)) >> 3);
    pos += WORD_BYTES;
  }
  return pos;
}

/**
 * The high bit of each of four octets that is not 0x20 to 0x7e. Good up to the first of them only: from one that has its
 * high bit, a sum may carry into the next.
 */
function oddOctets(word: number): number {
  return (~(word + 0x60606060) | (word + 0x01010101)) & HIGH_BITS;
}

/**
 * Four octets of a token without regard to case: of the octets that may stand in a token, only letters become the same as
 * another, and "^" as "~".
 */
export function foldedWord(words: DataView, at: number): number {
  return words.getInt32(at, true) | CASE_BITS;
}
