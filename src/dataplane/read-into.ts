// Has an accepted socket read into memory of ours, as `onread` of net.connect does for a socket that connects; net.Server
// has no such option. Saves a buffer for each read, which is a tenth of all that a small request costs. This is the one
// place that knows how Node does it; a Node that does it otherwise makes buffers as ever, and nothing else changes.
import { Socket } from 'node:net';

interface Slots {
  readonly buffer: symbol;
  readonly callback: symbol;
}

const slots = findSlots();

/**
 * `onBytes` gets all that the socket reads, as the first `size` bytes; they are good for the call only. For plain sockets, not
 * those of TLS.
 */
export function readInto(buffer: Buffer, socket: Socket, onBytes: (bytes: Buffer, size: number) => void): void {
  const { _handle: handle } = socket as { _handle?: { useUserBuffer?(buffer: Buffer): void } };
  if (slots === null || typeof handle?.useUserBuffer !== 'function') {
    socket.on('data', (bytes: Buffer) => onBytes(bytes, bytes.length));
    return;
  }
  handle.useUserBuffer(buffer);
  const onRead = (size: number): boolean => {
    onBytes(buffer, size);
    return true;
  };
  Object.assign(socket, { [slots.buffer]: buffer, [slots.callback]: onRead });
}

/** Null: this Node has none that we know. */
function findSlots(): Slots | null {
  const known = Object.getOwnPropertySymbols(new Socket());
  const buffer = known.find(({ description }) => description === 'kBuffer');
  const callback = known.find(({ description }) => description === 'kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
