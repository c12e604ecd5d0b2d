// The traffic port between the start of the process and that of its lanes.
import { createServer, type Server } from 'node:net';

/** A port that the lanes may listen on. */
export interface HeldPort {
  readonly port: number;
  /** Call it once the lanes listen. Nobody was told of the port before, so no client is lost by it. */
  release(): void;
}

/**
 * A port that was asked for is tried and let go: with reusePort a second process would get half of the connections and
 * nobody would notice. Somebody else may still take it before the lanes do; those report that on their own.
 *
 * For 0 the system chooses one, and that is held as the lanes will share it, since it comes from where the system looks
 * for outgoing connections and other listeners too. Where ports cannot be shared it is let go as well.
 *
 * Rejects with the system's error if the port cannot be had.
 */
export async function holdPort(bind: string, port: number, canShare: boolean): Promise<HeldPort> {
  const server = createServer((socket) => socket.destroy());
  const isHeld = port === 0 && canShare;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: bind, port, ...(isHeld ? { reusePort: true } : { exclusive: true }), backlog: 1 }, resolve);
  await promise;
  const address = server.address();
  const actual = address !== null && typeof address === 'object' ? address.port : port;
  if (isHeld) return { port: actual, release: () => void server.close() };
  await close(server);
  return { port: actual, release: () => {} };
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}
