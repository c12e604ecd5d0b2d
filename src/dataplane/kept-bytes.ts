// Copies of the bytes of a body that are kept, in few pieces however they came: a buffer for each byte that drips in would
// cost a hundred times what it holds, and memory of its own for each body has garbage collected all the time. Knows no
// budget.

const BLOCK_BYTES = 16_384;
/** Less than this is kept in memory of its own: at most half of a block is empty. Bytes. */
const MIN_FOR_BLOCK_BYTES = 8_192;
/** The least that is set aside for what drips in. Bytes. */
const MIN_BYTES = 256;
/** Blocks that are free, 4 MiB. Count. */
const MAX_FREE = 256;

/** Blocks of 16 KiB, used again and again. Those of a lane share them. */
export class BlockPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  giveBack(block: Buffer): void {
    if (this.#free.length < MAX_FREE) this.#free.push(block);
  }
}

export class KeptBytes {
  length = 0;
  readonly #pool: BlockPool;
  /** All but the last one are full. Those of the size of a block are the pool's. */
  readonly #buffers: Buffer[] = [];
  /** In the last one. */
  #usedBytes = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  /** Keeps a copy of `bytes[start, end)`. */
  add(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const last = this.#buffers.at(-1);
      const into = last === undefined || this.#usedBytes === last.length ? this.#begin(end - at) : last;
      const taken = bytes.copy(into, this.#usedBytes, at, end);
      this.#usedBytes += taken;
      this.length += taken;
      at += taken;
    }
  }

  /** All of them, in order. What is added later changes nothing in them; `giveBack` ends them. */
  pieces(): readonly Buffer[] {
    const last = this.#buffers.length - 1;
    return this.#buffers.map((buffer, i) => (i === last ? buffer.subarray(0, this.#usedBytes) : buffer));
  }

  /** Nobody reads any of it any more. */
  giveBack(): void {
    for (const buffer of this.#buffers) if (buffer.length === BLOCK_BYTES) this.#pool.giveBack(buffer);
    this.#buffers.length = 0;
  }

  /** What dripped in already says how much more to expect. */
  #begin(bytes: number): Buffer {
    const wanted = Math.max(bytes, MIN_BYTES, this.length);
    const buffer = wanted < MIN_FOR_BLOCK_BYTES ? Buffer.allocUnsafeSlow(wanted) : this.#pool.take();
    this.#buffers.push(buffer);
    this.#usedBytes = 0;
    return buffer;
  }
}
