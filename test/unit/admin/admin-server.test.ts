import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { type AdminServer, createAdminServer } from '../../../src/admin/admin-server.ts';
import { RecordedLog } from '../control/fixtures.ts';

const open: AdminServer[] = [];

async function setUp(hosts: readonly string[] = []) {
  const state = { isReady: true, reason: '2 of 2 lanes', metricsFault: null as Error | null };
  const log = new RecordedLog();
  const server = createAdminServer({
    bind: '127.0.0.1',
    port: 0,
    hosts,
    metrics: {
      contentType: 'text/plain; version=0.0.4',
      render: async () => {
        if (state.metricsFault !== null) throw state.metricsFault;
        return 'evenkeel_x 1\n';
      },
    },
    readiness: () => state,
    version: '1.2.3',
    log,
  });
  open.push(server);
  const port = await server.listen();
  const ask = async (path: string, { method = 'GET', host = '127.0.0.1' } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
    request({ host: '127.0.0.1', port, path, method, headers: { host }, agent: false }, resolve)
      .on('error', reject)
      .end();
    const response = await promise;
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };
  return { state, log, port, ask };
}

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

describe('the admin port', () => {
  it('says that the process works', async () => {
    const { ask } = await setUp();
    expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it('says whether requests should be sent here, and why', async () => {
    const { ask, state } = await setUp();
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ready: 2 of 2 lanes\n' });
    state.isReady = false;
    state.reason = 'shutting down';
    expect(await ask('/readyz?verbose')).toMatchObject({ status: 503, body: 'not ready: shutting down\n' });
  });

  it('gives metrics in the format of Prometheus', async () => {
    const { ask } = await setUp();
    const { status, headers, body } = await ask('/metrics');
    expect([status, headers['content-type'], body]).toEqual([200, 'text/plain; version=0.0.4', 'evenkeel_x 1\n']);
  });

  it('lists what there is', async () => {
    const { ask } = await setUp();
    const { body } = await ask('/');
    for (const path of ['/healthz', '/readyz', '/metrics', '1.2.3']) expect(body).toContain(path);
  });

  it('lets nobody store or guess at anything', async () => {
    const { ask } = await setUp();
    for (const path of ['/', '/healthz', '/nothing']) {
      expect((await ask(path)).headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  it('answers HEAD without a body', async () => {
    const { ask } = await setUp();
    expect(await ask('/healthz', { method: 'HEAD' })).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '3' },
    });
  });

  it('answers 404 to paths that are not there, and 405 to methods that change things', async () => {
    const { ask } = await setUp();
    expect((await ask('/metrics/')).status).toBe(404);
    expect((await ask('//healthz')).status).toBe(404);
    expect(await ask('/metrics', { method: 'POST' })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect((await ask('/nothing', { method: 'DELETE' })).status).toBe(404);
  });

  it('answers 421 to names that it does not know', async () => {
    const { ask } = await setUp(['lb.example.com']);
    expect((await ask('/healthz', { host: 'evil.example' })).status).toBe(421);
    expect((await ask('/healthz', { host: 'lb.example.com:9090' })).status).toBe(200);
    expect((await ask('/healthz', { host: '10.1.2.3:9090' })).status).toBe(200);
  });

  it('answers 421 to two Host headers', async () => {
    const { port } = await setUp();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 (400|421) /);
  });

  it('answers 500 when something breaks, and says why in the log only', async () => {
    const { ask, state, log } = await setUp();
    state.metricsFault = new Error('secret detail');
    expect(await ask('/metrics')).toMatchObject({ status: 500, body: 'internal error\n' });
    expect(log.take()).toEqual(['error admin request failed']);
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('rejects with the fault of the system when its port is taken', async () => {
    const { port, log } = await setUp();
    const second = createAdminServer({
      bind: '127.0.0.1',
      port,
      hosts: [],
      metrics: { contentType: '', render: async () => '' },
      readiness: () => ({ isReady: true, reason: '' }),
      version: '',
      log,
    });
    await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE', port, address: '127.0.0.1' });
  });

  it('cuts open connections when it closes', async () => {
    const { port } = await setUp();
    const socket = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
    await new Promise((resolve) => socket.on('connect', resolve));
    await open.pop()!.close();
    await closed;
  });
});
