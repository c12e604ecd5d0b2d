// Both ends of a real connection in this process.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** The accepted end first. Neither throws for want of a listener to its errors; whoever asks destroys them. */
export async function connectedPair(): Promise<readonly [accepted: Socket, client: Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = connect(address.port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  for (const socket of [accepted, client]) socket.on('error', () => {});
  if (client.connecting) await once(client, 'connect');
  return [accepted, client];
}
