// The admin port: probes and metrics, for people and machines of the operator. Reads only; it has no authentication,
// so nothing here may change anything, and it is never reachable through the traffic ports.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from '../lib/logger.ts';
import { createHostCheck, type HostCheck } from './host-check.ts';
import type { Metrics } from './metrics.ts';

export interface AdminServerOptions {
  readonly bind: string;
  /** 0: any free one. */
  readonly port: number;
  /** Host names besides the loopback names and IP addresses. */
  readonly hosts: readonly string[];
  readonly metrics: Metrics;
  readonly readiness: () => { readonly isReady: boolean; readonly reason: string };
  readonly version: string;
  readonly log: Logger;
}

export interface AdminServer {
  /** Resolves with the port; rejects with the system's error. */
  listen(): Promise<number>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Page {
  readonly about: string;
  readonly answer: () => Answer | Promise<Answer>;
}

const TEXT = 'text/plain; charset=utf-8';

/** Milliseconds. Nobody who belongs here is slower. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 75_000,
};
/** A client that reads nothing for this long is cut. Milliseconds. */
const IDLE_MS = 120_000;
const MAX_CONNECTIONS = 256;

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { bind, log } = options;
  const isKnownHost = createHostCheck(options.hosts);
  const pages = createPages(options);
  const server = createServer({ ...TIMEOUTS, maxHeaderSize: 16_384 }, (request, response) => {
    answer(request, isKnownHost, pages).then(
      (found) => send(request, response, found),
      (error: unknown) => {
        log.error(
          { path: pathOf(request), reason: error instanceof Error ? error.stack : String(error) },
          'admin request failed',
        );
        send(request, response, text(500, 'internal error'));
      },
    );
  });
  server.setTimeout(IDLE_MS);
  server.maxConnections = MAX_CONNECTIONS;
  return {
    listen: () => listen(server, bind, options.port),
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

function createPages({ metrics, readiness, version }: AdminServerOptions): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  pages.set('/', {
    about: 'this list',
    answer: () => {
      const lines = [...pages].map(([path, { about }]) => `${path.padEnd(10)}${about}`);
      return text(200, [`evenkeel ${version}`, '', ...lines].join('\n'));
    },
  });
  pages.set('/healthz', { about: '200 while the process works', answer: () => text(200, 'ok') });
  pages.set('/readyz', {
    about: '200 while requests should be sent here, else 503 and why',
    answer: () => {
      const { isReady, reason } = readiness();
      return text(isReady ? 200 : 503, `${isReady ? 'ready' : 'not ready'}: ${reason}`);
    },
  });
  pages.set('/metrics', {
    about: 'numbers for Prometheus',
    answer: async () => ({ status: 200, type: metrics.contentType, body: await metrics.render() }),
  });
  return pages;
}

async function answer(
  request: IncomingMessage,
  isKnownHost: HostCheck,
  pages: ReadonlyMap<string, Page>,
): Promise<Answer> {
  if (!isKnownHost(onlyHost(request))) {
    return text(421, 'this host name is not served here; --admin-hosts names further ones');
  }
  const page = pages.get(pathOf(request));
  if (page === undefined) return text(404, 'not found; / lists what there is');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...text(405, 'only GET and HEAD'), headers: { allow: 'GET, HEAD' } };
  }
  return page.answer();
}

/** The Host header, unless there are several: Node would show the first and hide the others. */
function onlyHost({ headersDistinct }: IncomingMessage): string | undefined {
  const hosts = headersDistinct.host ?? [];
  return hosts.length === 1 ? hosts[0] : undefined;
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, type = TEXT, headers }: Answer,
): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'",
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function text(status: number, line: string): Answer {
  return { status, body: `${line}\n` };
}

async function listen(server: Server, bind: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host: bind, port }, resolve);
  await promise;
  server.off('error', reject);
  // Running out of descriptors must not end the process.
  server.on('error', () => {});
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : port;
}
