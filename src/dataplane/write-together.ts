// Writes to sockets, with as few system calls and as little copying as may be.
import type { Socket } from 'node:net';
import { SharedBuffer } from './shared-buffer.ts';

/** Copying this much costs less than a second buffer in the call. Bytes. */
const MAX_COPIED_BYTES = 16_384;
/** So that both fit the scratch. */
const MAX_HEAD_BYTES = 32_768;

const scratch = new SharedBuffer();

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
  else if (body.length <= MAX_COPIED_BYTES && head.length <= MAX_HEAD_BYTES) {
    const { bytes } = scratch;
    bytes.write(head, 0, 'latin1');
    body.copy(bytes, head.length);
    socket.write(bytes.subarray(0, head.length + body.length));
    scratch.leaveTo(socket);
  } else {
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    socket.uncork();
  }
  return hasRoom(socket);
}
