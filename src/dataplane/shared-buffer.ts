// Memory that a lane uses over and over for bytes that are gone by the time the next ones come: reads of members, and heads
// put together with bodies. A socket that could not pass the bytes on at once still holds them; then it keeps the buffer.
import type { Socket } from 'node:net';

/** What one read brings at most, as in Node itself. */
const BYTES = 65_536;

export class SharedBuffer {
  #bytes = Buffer.allocUnsafeSlow(BYTES);

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Call it after bytes of the buffer were written to a socket. */
  leaveTo(socket: Socket): void {
    if (socket.writableLength > 0) this.#bytes = Buffer.allocUnsafeSlow(BYTES);
  }
}
