// Writes to sockets, with as few system calls and as little copying as may be.
import type { Socket } from 'node:net';

/** Copying this much costs less than a second buffer in the call. Bytes. */
const MAX_COPIED_BYTES = 16_384;

/**
 * Whether the socket takes more. Node asks to wait after every write of its high-water mark, also when the
 * kernel took all of it at once; there is nothing to wait for then.
 */
export function hasRoom(socket: Socket): boolean {
  return !socket.writableNeedDrain || socket.writableLength === 0;
}

/** `head` is latin1. False: the socket is full, and will emit 'drain'. */
export function writeTogether(socket: Socket, head: string, body: Buffer | null): boolean {
  if (body === null || body.length === 0) socket.write(head, 'latin1');
  else if (body.length <= MAX_COPIED_BYTES) {
    const joined = Buffer.allocUnsafe(head.length + body.length);
    joined.write(head, 0, 'latin1');
    body.copy(joined, head.length);
    socket.write(joined);
  } else {
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }
  return hasRoom(socket);
}
