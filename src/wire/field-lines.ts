// The header lines of one message (or the trailer lines of one body): offsets into its bytes, in order, with
// case and duplicates. Re-usable; strings are made only when asked for. Knows no meaning of any header.
import { type HeaderId, underscoreFlag } from './header-id.ts';
import { isToken } from './octets.ts';

// Per line: start and end of the name, start and end of the value, word (id and flags).
const stride = 5;
const firstCapacity = 16;
const idMask = 0xff;
const nominatedFlag = 0x200;

/** Room for most heads. Bytes. */
const firstBytes = 1_024;
/** More than this is not kept for the next message. Bytes. */
const mostKeptBytes = 8_192;
const noBytes = Buffer.alloc(0);

/**
 * Lines by index, 0 to `count - 1`. Offsets are into `bytes`, and into `text`, whose characters are octets (latin1).
 * Valid until the parser that owns it begins its next message; slices of the text keep it alive.
 */
export class FieldLines {
  /** The whole head, first line and final empty line included, and rubbish behind it. */
  bytes = noBytes;
  /** How much of `bytes` it is; 0 until the head is complete. */
  length = 0;
  /** Number of lines. */
  count = 0;
  /** Where the empty line after the last line begins. */
  endOffset = 0;
  /** Whether a line is nominated by a Connection option. */
  hasNominated = false;
  #cells = new Int32Array(firstCapacity * stride);
  // Bit sets of the ids seen, so that asking for what is not there costs nothing.
  #seenLow = 0;
  #seenHigh = 0;
  #text = '';

  clear(): void {
    if (this.bytes.length > mostKeptBytes) this.bytes = noBytes;
    this.length = 0;
    this.#text = '';
    this.count = 0;
    this.endOffset = 0;
    this.hasNominated = false;
    this.#seenLow = 0;
    this.#seenHigh = 0;
  }

  /** The whole head; '' until it is complete. */
  get text(): string {
    if (this.#text.length < this.length) this.#text = this.bytes.toString('latin1', 0, this.length);
    return this.#text;
  }

  /** For the parser: the head is `source[start, end)`. */
  complete(source: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(Math.max(length, firstBytes));
    source.copy(this.bytes, 0, start, end);
    this.length = length;
  }

  /** For the parser. `word` is what `recogniseHeader` gave. */
  append(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, word: number): void {
    const at = this.count * stride;
    if (at === this.#cells.length) this.#grow();
    const cells = this.#cells;
    cells[at] = nameStart;
    cells[at + 1] = nameEnd;
    cells[at + 2] = valueStart;
    cells[at + 3] = valueEnd;
    cells[at + 4] = word;
    this.count++;
    if (word === 0) return;
    const id = word & idMask;
    if (id < 32) this.#seenLow |= 1 << id;
    else this.#seenHigh |= 1 << (id - 32);
  }

  #grow(): void {
    const larger = new Int32Array(this.#cells.length * 2);
    larger.set(this.#cells);
    this.#cells = larger;
  }

  nameStart(index: number): number {
    return this.#cells[index * stride]!;
  }

  nameEnd(index: number): number {
    return this.#cells[index * stride + 1]!;
  }

  /** Without the white space around the value. */
  valueStart(index: number): number {
    return this.#cells[index * stride + 2]!;
  }

  valueEnd(index: number): number {
    return this.#cells[index * stride + 3]!;
  }

  /** Where the next line (or the final empty line) begins. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? this.nameStart(index + 1) : this.endOffset;
  }

  /** The name as it was sent. */
  name(index: number): string {
    return this.text.slice(this.nameStart(index), this.nameEnd(index));
  }

  /** The value as it was sent, without the white space around it. */
  value(index: number): string {
    return this.text.slice(this.valueStart(index), this.valueEnd(index));
  }

  /** The id of a known header spelled right; 0 for others, look-alikes with underscores included. */
  id(index: number): HeaderId {
    const word = this.#cells[index * stride + 4]!;
    return (word & underscoreFlag) === 0 ? ((word & idMask) as HeaderId) : 0;
  }

  /** The id of a known header, also when spelled with underscores. */
  looseId(index: number): HeaderId {
    return (this.#cells[index * stride + 4]! & idMask) as HeaderId;
  }

  /** Whether the name is a known one but for underscores in place of dashes. */
  isLookAlike(index: number): boolean {
    return (this.#cells[index * stride + 4]! & underscoreFlag) !== 0;
  }

  /** Index of the first line of a known header at or after `from`, or -1. */
  find(id: HeaderId, from = 0): number {
    const seen = id < 32 ? this.#seenLow & (1 << id) : this.#seenHigh & (1 << (id - 32));
    if (seen === 0) return -1;
    for (let i = from; i < this.count; i++) {
      if (this.id(i) === id) return i;
    }
    return -1;
  }

  /** Index of the first line with the name `lowerName` (lower case) at or after `from`, or -1. */
  findName(lowerName: string, from = 0): number {
    for (let i = from; i < this.count; i++) {
      if (isToken(this.bytes, this.nameStart(i), this.nameEnd(i), lowerName)) return i;
    }
    return -1;
  }

  /** Marks every line whose name is in `lowerNames` as named by a Connection option (RFC 9110 §7.6.1). */
  nominate(lowerNames: ReadonlySet<string>): void {
    for (let i = 0; i < this.count; i++) {
      if (!lowerNames.has(this.name(i).toLowerCase())) continue;
      this.#cells[i * stride + 4]! |= nominatedFlag;
      this.hasNominated = true;
    }
  }

  isNominated(index: number): boolean {
    return (this.#cells[index * stride + 4]! & nominatedFlag) !== 0;
  }
}
