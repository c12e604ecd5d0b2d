// How the product ends: what is in flight is finished, newcomers are told, and the exit code says that all went well.
import { Agent } from 'node:http';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { connectRaw } from '../../helpers/raw-client.ts';
import { get } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { startMembers } from './named-member.ts';

test.each(['0', '1', '2'])(
  'SIGTERM: requests in flight are finished, then the process ends with 0 (--lanes %s)',
  async (lanes) => {
    await using members = await startMembers('a');
    const a = members[0]!;
    using file = new Configuration(balancerOf(members));
    await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', lanes]);
    const { adminPort, httpPort } = evenkeel;
    a.isHolding = true;
    const inFlight = Promise.allSettled(Array.from({ length: 4 }, () => get(httpPort)));
    await eventually(() => expect(a.held).toBe(4));

    evenkeel.signal('SIGTERM');
    await eventually(async () => {
      expect(await get(adminPort, { path: '/readyz' })).toMatchObject({
        status: 503,
        body: expect.stringContaining('shutting down'),
      });
    });
    await eventually(async () => expect(await resultOfConnecting(httpPort)).toBe('ECONNREFUSED'));
    expect(a.held).toBe(4);
    a.release();
    for (const answer of await inFlight) expect(answer).toMatchObject({ value: { status: 200, body: 'a' } });
    expect(await evenkeel.ended).toMatchObject({ code: 0, signal: null });
  },
);

test('--shutdown-delay: connections are still accepted, and clients are told to close theirs', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2', '--shutdown-delay', '5s']);
  const { adminPort, httpPort } = evenkeel;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await get(httpPort, { agent })).headers.connection).not.toBe('close');
  evenkeel.signal('SIGTERM');
  await eventually(async () => expect((await get(adminPort, { path: '/readyz' })).status).toBe(503));
  // New connections and old ones.
  await eventually(async () => {
    expect(await get(httpPort)).toMatchObject({ status: 200, body: 'a', headers: { connection: 'close' } });
  });
  expect(await get(httpPort, { agent })).toMatchObject({ status: 200, body: 'a' });
  expect(await evenkeel.ended).toMatchObject({ code: 0 });
  agent.destroy();
});

test('--shutdown-timeout: what is not finished by then is cut', async () => {
  await using members = await startMembers('a');
  const a = members[0]!;
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2', '--shutdown-timeout', '300ms']);
  a.isHolding = true;
  const cut = expect(get(evenkeel.httpPort)).rejects.toThrow(/ECONNRESET|hang up/);
  await eventually(() => expect(a.held).toBe(1));
  evenkeel.signal('SIGTERM');
  await cut;
  expect(await evenkeel.ended).toMatchObject({ code: 0 });
});

test('a second signal ends it at once', async () => {
  await using members = await startMembers('a');
  const a = members[0]!;
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path]);
  a.isHolding = true;
  const cut = expect(get(evenkeel.httpPort)).rejects.toThrow(/ECONNRESET|hang up/);
  await eventually(() => expect(a.held).toBe(1));
  evenkeel.signal('SIGINT');
  await evenkeel.waitForLog(({ msg }) => msg === 'shutting down');
  evenkeel.signal('SIGINT');
  expect(await evenkeel.ended).toMatchObject({ code: 130 });
  await cut;
});

/** Sends nothing: a request that comes before the last lane closes its port is taken, and held as others are. */
async function resultOfConnecting(port: number): Promise<string> {
  try {
    (await connectRaw(port)).destroy();
    return 'connected';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
