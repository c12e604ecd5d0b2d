import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkPort } from '../../../src/control/port-check.ts';

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

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('the check of a port', () => {
  it('gives the port back free, and its number where any will do', async () => {
    const port = await checkPort('127.0.0.1', 0);
    expect(port).toBeGreaterThan(0);
    expect(await listen(port, false)).toBe(port);
  });

  it('refuses a port that is taken, even by somebody who would share it', async () => {
    const port = await listen(0, process.platform === 'linux');
    await expect(checkPort('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('refuses an address that is not ours', async () => {
    await expect(checkPort('192.0.2.1', 0)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });
});
