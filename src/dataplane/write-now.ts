// Writes to a plain socket as far as its kernel buffer takes it, now, from memory that may be used again right after. Node's
// own write may keep the memory until the other end has read, so that nothing could be written from where it was read: with
// all that follows from it, a tenth of what a request of 16 KiB costs. This is the one place that knows how Node does it; a
// socket whose descriptor is not known here (TLS, and a Node that does it otherwise) takes nothing, and is written to as ever.
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** What Node has behind a socket. Gone, so null, as soon as the socket is destroyed. */
export interface SocketHandle {
  readonly fd?: number;
}

export function handleOf(socket: Socket): SocketHandle | null {
  return (socket as { _handle?: SocketHandle | null })._handle ?? null;
}

/** The descriptor behind a handle; -1: not to be written to. */
export function descriptorOf(handle: SocketHandle): number {
  // Behind TLS there is a descriptor too, for what is encrypted.
  return handle.constructor.name === 'TCP' ? (handle.fd ?? -1) : -1;
}

/** Nothing was taken because the connection is broken. */
export const BROKEN = -1;

/**
 * Writes `bytes[start, end)`. Returns how many bytes the kernel took, from none to all of them, or `BROKEN`. The socket must
 * be non-blocking, as Node's are, and have nothing waiting.
 */
export function writeNow(descriptor: number, bytes: Buffer, start: number, end: number): number {
  try {
    return writeSync(descriptor, bytes, start, end - start);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 0 : BROKEN;
  }
}
