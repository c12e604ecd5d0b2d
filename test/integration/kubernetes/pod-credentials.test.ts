// What a pod is given to reach its API server, and kubeconfigs whose files change: tokens and certificates are rotated
// under a client that goes on.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiClient, createApiClient, type WatchEvent } from '../../../src/provider/kubernetes/api-client.ts';
import { findCluster } from '../../../src/provider/kubernetes/cluster-access.ts';
import { eventually, within } from '../../helpers/patience.ts';
import { Authority, hasOpenssl } from './certificates.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { service } from './fixtures.ts';

/** Longer than files count as fresh. */
const staleMs = 11_000;

describe.skipIf(!hasOpenssl)('credentials in files', () => {
  let first: Authority;
  let second: Authority;
  let server: FakeApiServer;
  let client: ApiClient;
  /** Stands for `/`. */
  let root: string;
  let nowMs = 1_000_000;
  let rotations = 0;
  const clock = { nowMs: () => nowMs, wallMs: () => nowMs };

  beforeAll(() => {
    first = new Authority('first');
    second = new Authority('second');
  });
  afterAll(() => {
    first[Symbol.dispose]();
    second[Symbol.dispose]();
  });
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'evenkeel-pod-'));
    server = await FakeApiServer.start(first.certify('server'));
  });
  afterEach(async () => {
    client?.close();
    await server.stop();
    rmSync(root, { recursive: true });
  });

  /** Puts new contents behind the service account's files, all at once, as the kubelet does: by one symbolic link. */
  function project(contents: { readonly token: string; readonly ca: string }): void {
    const folder = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
    rotations += 1;
    const version = `..version-${rotations}`;
    mkdirSync(join(folder, version), { recursive: true });
    const files = { token: `${contents.token}\n`, 'ca.crt': contents.ca, namespace: 'evenkeel' };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, version, name), text);
    symlinkSync(version, join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    if (rotations > 1) return;
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(folder, name));
  }

  const get = (): Promise<unknown> => client.request('GET', '/api/v1/services');

  async function connect(kubeconfig: string | null, env: Record<string, string> = {}): Promise<void> {
    const path = { PATH: process.env.PATH ?? '', HOME: root };
    client = createApiClient(await findCluster({ kubeconfig, env: { ...path, ...env }, clock, root }));
  }

  describe('of a pod', () => {
    beforeEach(async () => {
      rotations = 0;
      project({ token: 'one', ca: first.cert });
      server.goodToken = 'one';
      const { hostname, port } = new URL(server.url);
      await connect(null, { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port });
    });

    it('lead to its API server, and say its namespace', async () => {
      expect(await get()).toMatchObject({ items: [] });
      expect(client.namespace).toBe('evenkeel');
    });

    it('give the new token once it is there, without having been refused', async () => {
      await get();
      project({ token: 'two', ca: first.cert });
      nowMs += staleMs;
      server.goodToken = 'two';
      await get();
      expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
      expect(server.connections).toBe(1);
    });

    it('give the new token at once where the old one is refused, and fail where there is no other', async () => {
      await get();
      project({ token: 'two', ca: first.cert });
      server.goodToken = 'two';
      await get();
      expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
        'Bearer one',
        'Bearer one',
        'Bearer two',
      ]);
      server.goodToken = 'three';
      await expect(get()).rejects.toMatchObject({ status: 401 });
    });

    it('go on with what is known while files are missing', async () => {
      await get();
      rmSync(join(root, 'var/run/secrets/kubernetes.io/serviceaccount/ca.crt'));
      nowMs += staleMs;
      await get();
      expect(server.connections).toBe(1);
    });

    it('are not shown to a server of another authority, which is believed once its authority is in the file', async () => {
      await get();
      server.useCertificate(second.certify('server'));
      server.closeConnections();
      const asked = server.asked.length;
      await expect(get()).rejects.toMatchObject({ status: 0, reason: 'Unreachable' });
      expect(server.asked).toHaveLength(asked);
      project({ token: 'one', ca: second.cert });
      await get();
    });

    it('with another authority make new connections, while a watch goes on over its own', async () => {
      const events: WatchEvent[] = [];
      const watching = (async () => {
        for await (const event of client.watch('/api/v1/services', { query: { resourceVersion: '100' } })) {
          events.push(event);
        }
      })();
      await eventually(() => expect(server.watches('services')).toHaveLength(1));
      await get();
      await eventually(() => expect(server.openConnections).toBe(2));
      project({ token: 'one', ca: `${first.cert}${second.cert}` });
      nowMs += staleMs;
      await get();
      // The one that waited for use is closed.
      await eventually(() => expect([server.connections, server.openConnections]).toEqual([3, 2]));
      server.put('services', service('app'));
      await eventually(() => expect(events).toHaveLength(1));
      server.watches('services')[0]!.end();
      await within(watching, 'the end of the watch', 5_000);
      await eventually(() => expect(server.openConnections).toBe(1));
      await get();
      expect(server.connections).toBe(3);
    });
  });

  describe('of a kubeconfig', () => {
    const write = (name: string, text: string): string => {
      writeFileSync(join(root, name), text);
      return join(root, name);
    };

    it('are read again: authority, client certificate and key', async () => {
      const present = ({ cert, key }: { readonly cert: string; readonly key: string }) => ({
        'client-certificate': write('client.crt', cert),
        'client-key': write('client.key', key),
      });
      const cluster = { server: server.url, 'certificate-authority': write('ca.crt', first.cert) };
      const config = {
        'current-context': 'here',
        contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user: present(first.certify('old-client')) }],
      };
      await connect(write('config', JSON.stringify(config)));
      await get();
      present(first.certify('new-client'));
      nowMs += staleMs;
      await get();
      server.useCertificate(second.certify('server'));
      server.closeConnections();
      write('ca.crt', second.cert);
      nowMs += staleMs;
      await get();
      expect(server.asked.map(({ peer }) => peer)).toEqual(['old-client', 'new-client', 'new-client']);
    });
  });
});
