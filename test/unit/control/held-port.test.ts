import { connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { holdPort } from '../../../src/control/held-port.ts';

const canShare = process.platform === 'linux';
const servers: Server[] = [];

async function listen(port: number, reusePort: boolean): Promise<number> {
  const server = createServer();
  servers.push(server);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: '127.0.0.1', port, reusePort }, resolve);
  await promise;
  return (server.address() as { readonly port: number }).port;
}

/** Binds this port for an outgoing connection, as the system would choose it. */
async function connectFrom(localPort: number, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port, localPort, localAddress: '127.0.0.1' }, resolve);
  socket.once('error', reject);
  await promise.finally(() => socket.destroy());
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('a port that was asked for', () => {
  it('is free when it was tried', async () => {
    const { port: any, release } = await holdPort('127.0.0.1', 0, false);
    release();
    expect(await holdPort('127.0.0.1', any, canShare)).toMatchObject({ port: any });
    expect(await listen(any, false)).toBe(any);
  });

  it('is refused when it is taken, even by somebody who would share it', async () => {
    const port = await listen(0, canShare);
    await expect(holdPort('127.0.0.1', port, canShare)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('is refused on an address that is not ours', async () => {
    await expect(holdPort('192.0.2.1', 8080, canShare)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});

describe('any port', () => {
  it.runIf(canShare)('is kept from others until the lanes share it, and is theirs alone then', async () => {
    const { port, release } = await holdPort('127.0.0.1', 0, canShare);
    await expect(listen(port, false)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const other = await listen(0, false);
    await expect(connectFrom(port, other)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await listen(port, true)).toBe(port);
    expect(await listen(port, true)).toBe(port);
    release();
    await expect(listen(port, false)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('is let go where lanes could not share it', async () => {
    const { port } = await holdPort('127.0.0.1', 0, false);
    expect(await listen(port, false)).toBe(port);
  });
});
