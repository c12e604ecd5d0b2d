// TCP clients whose every byte a test decides.
import { connect } from 'node:net';
import { RawSocket } from './raw-socket.ts';

/** Connects to a port of this machine. Half-open: the end of the other side does not end ours. */
export async function connectRaw(port: number): Promise<RawSocket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const raw = new RawSocket(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return raw;
}
