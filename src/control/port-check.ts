// Tries a traffic port before the lanes share it: with reusePort a second process would get half of the connections
// and nobody would notice. Binds without sharing, closes at once, and keeps nothing.
import { createServer } from 'node:net';

/**
 * Resolves with the port, which is the one the system chose where `port` is 0. Rejects with the system's error if it
 * cannot be had. Somebody else may still take it between this and the lanes: those report that on their own.
 */
export async function checkPort(bind: string, port: number): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: bind, port, exclusive: true, backlog: 1 }, resolve);
  await promise;
  const address = server.address();
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  return address !== null && typeof address === 'object' ? address.port : port;
}
