// The process of the members: one listener that is every member at once, told apart by address (127.0.0.0/8).
// It also generates load at a fixed rate, because a second busy process on its core would only be waited for.
// Arguments: the port. Messages: see `LoadOrder` and `SteadyReport`.
import { createServer } from 'node:net';
import { serveMember } from './member-sockets.ts';
import { driveSteadily, type SteadyOrder } from './steady.ts';

const server = createServer({ noDelay: true }, (socket) => {
  // All addresses are listened on, for there may be 10,000 of them; only this machine is served.
  if (!(socket.localAddress ?? '').startsWith('127.')) socket.destroy();
  else serveMember(socket);
});
server.listen({ host: '0.0.0.0', port: Number(process.argv[2]), backlog: 16_384 }, () => process.send?.('listening'));

process.on('message', (order: SteadyOrder) => {
  driveSteadily(order).then(
    (report) => process.send?.(report),
    (error: unknown) => process.send?.({ fault: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
