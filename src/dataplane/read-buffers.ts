// Memory that sockets read into. Those of a lane share one buffer, whose bytes are good for one call: what is to be kept
// or may have to wait in another socket is copied. The buffer cannot be exchanged for another while somebody still has its
// bytes, because Node remembers for each socket where its next read goes. Whoever reads a long answer borrows one instead.
import type { Socket } from 'node:net';

/** What one read brings at most, as in Node itself. */
const BYTES = 65_536;
/** Kept for the next long answer. Count. */
const MAX_FREE = 16;
/** Of less a copy costs less in memory of its own. Bytes. */
const MIN_BORROWED_BYTES = 4_096;

export class ReadBuffers {
  readonly shared = Buffer.allocUnsafeSlow(BYTES);
  readonly #free: Buffer[] = [];

  /** A buffer for one reader. */
  borrow(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BYTES);
  }

  /**
   * A copy in borrowed memory, to be written and given back: memory of its own for each long answer is what has garbage
   * collected all the time. Null: the bytes are few, or not of the shared buffer.
   */
  borrowCopy(bytes: Buffer): Buffer | null {
    if (bytes.buffer !== this.shared.buffer || bytes.length < MIN_BORROWED_BYTES) return null;
    const own = this.borrow();
    bytes.copy(own);
    return own.subarray(0, bytes.length);
  }

  /** Takes back what was borrowed, or a part of it, unless bytes still wait in the socket that they were written to. */
  giveBack(buffer: Buffer, writtenTo: Socket | undefined): void {
    const isFree = writtenTo === undefined || writtenTo.writableLength === 0;
    if (!isFree || this.#free.length >= MAX_FREE) return;
    this.#free.push(buffer.length === BYTES ? buffer : Buffer.from(buffer.buffer));
  }

  /** The bytes, which may be of the shared buffer, for as long as they are needed. */
  keepable(bytes: Buffer): Buffer {
    return bytes.buffer === this.shared.buffer ? Buffer.from(bytes) : bytes;
  }
}
