// Bytes of a body that are kept, in few pieces however they came: a buffer for each byte that drips in would cost a
// hundred times what it holds. Knows no budget.

/** Pieces of less are put together. Bytes. */
const MIN_PIECE_BYTES = 1_024;
/** What they are put into grows with what is kept, so that no more than about half of it is empty. Bytes. */
const MIN_BLOCK_BYTES = 256;
const MAX_BLOCK_BYTES = 16_384;

export class KeptBytes {
  length = 0;
  readonly #pieces: Buffer[] = [];
  /** Comes after the pieces; null: nothing does. */
  #block: Buffer | null = null;
  #usedBytes = 0;

  add(bytes: Buffer): void {
    if (this.length === 0 || bytes.length >= MIN_PIECE_BYTES) {
      this.#closeBlock();
      this.#pieces.push(bytes);
    } else {
      if (this.#block === null || this.#usedBytes + bytes.length > this.#block.length) this.#beginBlock(bytes.length);
      this.#usedBytes += bytes.copy(this.#block!, this.#usedBytes);
    }
    this.length += bytes.length;
  }

  /** All of them, in order. What is added later changes nothing in them. */
  pieces(): readonly Buffer[] {
    return this.#block === null ? this.#pieces.slice() : [...this.#pieces, this.#block.subarray(0, this.#usedBytes)];
  }

  #beginBlock(minBytes: number): void {
    this.#closeBlock();
    const bytes = Math.max(minBytes, MIN_BLOCK_BYTES, Math.min(this.length, MAX_BLOCK_BYTES));
    this.#block = Buffer.allocUnsafeSlow(bytes);
  }

  #closeBlock(): void {
    if (this.#block !== null) this.#pieces.push(this.#block.subarray(0, this.#usedBytes));
    this.#block = null;
    this.#usedBytes = 0;
  }
}
