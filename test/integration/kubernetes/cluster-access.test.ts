import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApiClient } from '../../../src/provider/kubernetes/api-client.ts';
import { findCluster } from '../../../src/provider/kubernetes/cluster-access.ts';
import { FakeApiServer } from './fake-api-server.ts';

let folder: string;
let server: FakeApiServer;
/** Hands that the test turns. */
let nowMs: number;
const clock = { nowMs: () => nowMs, wallMs: () => nowMs };

beforeEach(async () => {
  nowMs = 1_000_000;
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-'));
  server = await FakeApiServer.start();
});

afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Writes a kubeconfig and returns its path. */
function kubeconfig(user: unknown, cluster: Record<string, unknown> = { server: server.url }): string {
  const path = join(folder, 'config');
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const find = (path: string | null, env: Record<string, string> = {}) =>
  findCluster({ kubeconfig: path, env: { PATH: process.env.PATH ?? '', HOME: folder, ...env }, clock });

describe('a cluster', () => {
  it('is found by a kubeconfig, and tells its namespace', async () => {
    server.goodToken = 'secret';
    const client = createApiClient(await find(kubeconfig({ token: 'secret' })));
    expect(client.namespace).toBe('shop');
    expect(await client.request('GET', '/api/v1/services')).toMatchObject({ items: [] });
    client.close();
  });

  it('is found by KUBECONFIG and in the home', async () => {
    const path = kubeconfig({ token: 'x' });
    expect((await find(null, { KUBECONFIG: path })).server).toBe(server.url);
    await expect(find(null)).rejects.toThrow('there is nothing to serve from');
  });

  it.each([
    ['is no file', null, /kubeconfig .*config cannot be used: ENOENT/],
    ['is nonsense', '{', /cannot be used/],
    ['names no server', JSON.stringify({ clusters: [] }), /names no cluster as its current one/],
  ])('is refused by name where the kubeconfig %s', async (_, text, message) => {
    if (text !== null) writeFileSync(join(folder, 'config'), text);
    await expect(find(join(folder, 'config'))).rejects.toThrow(message);
  });

  it('is reached with the token of a command, and with a new one when that is refused', async () => {
    const tokenFile = join(folder, 'token');
    const credential = (token: string) =>
      JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } });
    writeFileSync(tokenFile, credential('first'));
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'cat', args: [tokenFile] };
    const client = createApiClient(await find(kubeconfig({ exec })));
    server.goodToken = 'first';
    await client.request('GET', '/api/v1/services');
    writeFileSync(tokenFile, credential('second'));
    server.goodToken = 'second';
    nowMs += 60_000;
    await client.request('GET', '/api/v1/services');
    server.goodToken = 'third';
    await expect(client.request('GET', '/api/v1/services')).rejects.toMatchObject({ status: 401 });
    client.close();
  });

  it('keeps one connection for many requests', async () => {
    const client = createApiClient(await find(kubeconfig({ token: 'x' })));
    for (let index = 0; index < 20; index += 1) {
      nowMs += 11_000;
      await client.request('GET', '/api/v1/services');
    }
    expect(server.connections).toBe(1);
    client.close();
  });
});

describe('a request', () => {
  it('tells what the server said', async () => {
    const client = createApiClient(await find(kubeconfig({ token: 'x' })));
    server.fault = () => ({
      type: 'status',
      status: 429,
      body: { reason: 'TooManyRequests', message: 'later' },
      retryAfter: '7',
    });
    await expect(client.request('GET', '/api/v1/services')).rejects.toMatchObject({
      status: 429,
      reason: 'TooManyRequests',
      retryAfterMs: 7_000,
      message: 'GET /api/v1/services: 429 TooManyRequests later',
    });
    client.close();
  });

  it('ends after its time, by its signal, and when the client is closed', async () => {
    const client = createApiClient(server.access());
    server.fault = () => ({ type: 'hang' });
    const request = (options: object) => client.request('GET', '/api/v1/services', options);
    await expect(request({ timeoutMs: 20 })).rejects.toMatchObject({ status: 0, reason: 'Timeout' });
    const stopping = new AbortController();
    const aborted = request({ signal: stopping.signal });
    stopping.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const open = request({});
    client.close();
    await expect(open).rejects.toMatchObject({ status: 0, reason: 'Unreachable' });
    await expect(request({})).rejects.toThrow('the client is closed');
  });
});
