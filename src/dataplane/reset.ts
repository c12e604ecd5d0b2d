// Cuts a connection by a reset, which nobody can take for a regular end of what was being sent.
import type { Socket } from 'node:net';

export function reset(socket: Socket): void {
  // A reset after our FIN fails, and Node then never closes the socket; and it waits for what was written to be read,
  // unless it is destroyed as well.
  if (!socket.writableEnded) socket.resetAndDestroy();
  socket.destroy();
}
