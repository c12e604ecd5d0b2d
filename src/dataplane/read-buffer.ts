// Memory that all sockets of a lane read into: one buffer, whose bytes are good for one call. What is to be kept is copied.
// It cannot be exchanged for another while somebody still has its bytes, because Node remembers for each socket where
// its next read goes; so nobody may, and what a socket does not take at once is copied as well (see outlet.ts).

/** What one read brings at most, as in Node itself. */
const BYTES = 65_536;
/** Room before it, for a head that grows on its way: it is written where the old one was, before the body. */
const HEADROOM_BYTES = 4_096;

export class ReadBuffer {
  /** All of it, with the room before. */
  readonly memory = Buffer.allocUnsafeSlow(HEADROOM_BYTES + BYTES);
  readonly headroomBytes = HEADROOM_BYTES;
  /** Where sockets read to. */
  readonly target = this.memory.subarray(HEADROOM_BYTES);

  /** Whether these bytes are good for this call only. */
  holds(bytes: Buffer): boolean {
    return bytes.buffer === this.memory.buffer;
  }

  /** The bytes, for as long as they are needed. */
  keepable(bytes: Buffer): Buffer {
    return this.holds(bytes) ? Buffer.from(bytes) : bytes;
  }
}
