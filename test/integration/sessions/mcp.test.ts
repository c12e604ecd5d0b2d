// Sessions of the Model Context Protocol, as a client sees them: `initialize` gives an id, everything else carries it, and
// 404 says that it is over.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../../helpers/patience.ts';
import { root } from '../../helpers/evenkeel-process.ts';
import { Configuration } from '../product/configuration.ts';
import { McpClient } from './mcp-client.ts';
import { McpServer } from './mcp-server.ts';
import { edit, type Fields, serve, sticky } from './sticky-file.ts';

/** As the example says. */
const example = parse(readFileSync(join(root, 'examples', 'mcp-session.yaml'), 'utf8')) as {
  readonly spec: { readonly stickySession: Fields; readonly timeouts: Fields };
};
const { stickySession, timeouts } = example.spec;

function fileOf(servers: readonly McpServer[], changes: Readonly<Record<string, Fields>> = {}): string {
  return sticky(servers, stickySession, changes, { timeouts });
}

test('every request and the stream of events reach the server that has the session, which sees its own id', async () => {
  await using a = await McpServer.start('a');
  await using b = await McpServer.start('b');
  await using c = await McpServer.start('c');
  const servers = [a, b, c];
  using file = new Configuration(fileOf(servers));
  await using evenkeel = await serve(file);
  for (let i = 0; i < 6; i += 1) {
    using client = new McpClient(evenkeel.httpPort);
    await client.initialize();
    const home = servers.find(({ sessions }) => sessions.has(client.session!.replace(/\.[a-z0-9]{34}$/, '')))!;
    expect(client.session).toMatch(/^[0-9a-f-]{36}\.[a-z0-9]{34}$/);
    await client.listen();
    for (let calls = 1; calls <= 5; calls += 1) {
      expect(await client.call()).toMatchObject({ server: home.name, calls });
    }
    await client.hasHeard(5);
    expect(client.events.map(({ server, calls }) => `${server}${calls}`).join()).toBe(
      [1, 2, 3, 4, 5].map((calls) => home.name + calls).join(),
    );
    expect(await client.end()).toBe(204);
    await eventually(() => expect(client.isListening).toBe(false));
    // The server itself says that it is over.
    expect(await client.call()).toBe(404);
    expect(home.unknown).toHaveLength(1);
    home.unknown.pop();
  }
  for (const { unknown, sessions } of servers) expect([...unknown, ...sessions.keys()]).toEqual([]);
});

test('a server that goes: its clients are told 404 and begin anew once, the streams of the others stay open', async () => {
  await using a = await McpServer.start('a');
  await using b = await McpServer.start('b');
  await using c = await McpServer.start('c');
  const servers = [a, b, c];
  using file = new Configuration(fileOf(servers));
  await using evenkeel = await serve(file);
  const clients = Array.from({ length: 9 }, () => new McpClient(evenkeel.httpPort));
  const homes = new Map<McpClient, string>();
  const calls = async (): Promise<void> => {
    for (const client of clients) expect(await client.call()).toMatchObject({ server: homes.get(client) });
  };
  try {
    for (const client of clients) {
      await client.initialize();
      await client.listen();
      const result = await client.call();
      if (typeof result === 'number') throw new Error(`call: ${result}`);
      homes.set(client, result.server);
    }
    expect(new Set(homes.values()).size).toBe(3);

    // While it drains, nothing changes for those who are there, and nobody new comes.
    await edit(file, fileOf(servers, { a: { state: 'Draining' } }), evenkeel);
    const sessionsBefore = a.sessions.size;
    await calls();
    for (let i = 0; i < 6; i += 1) {
      using late = new McpClient(evenkeel.httpPort);
      await late.initialize();
      expect(await late.end()).toBe(204);
    }
    expect(a.sessions.size).toBe(sessionsBefore);

    await edit(file, fileOf([b, c]), evenkeel);
    // A stream that is open stays so until its server ends.
    for (const client of clients) expect(client.isListening).toBe(true);
    a.kill();
    for (const client of clients) {
      const isHomeless = homes.get(client) === 'a';
      await eventually(() => expect(client.isListening).toBe(!isHomeless));
      if (isHomeless) {
        expect(await client.call()).toBe(404);
        await expect(client.listen()).rejects.toThrow('listen: 404');
        expect(await client.end()).toBe(404);
      }
      const result = await client.callAndBeginAnew();
      expect(client.begun).toBe(isHomeless ? 2 : 1);
      if (typeof result === 'number') throw new Error(`call: ${result}`);
      homes.set(client, result.server);
    }
    await calls();
    // No server was ever asked for a session of another.
    for (const { unknown } of servers) expect(unknown).toEqual([]);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

test("an id that is none of ours is the server's to judge", async () => {
  await using a = await McpServer.start('a');
  using file = new Configuration(fileOf([a]));
  await using evenkeel = await serve(file, 1);
  using client = new McpClient(evenkeel.httpPort);
  client.session = 'made-up.by-somebody';
  expect(await client.call()).toBe(404);
  expect(a.unknown).toEqual(['made-up.by-somebody']);
});
