// The sessions port: tells a pod how many of its sessions are left, so that a preStop hook can wait for them. It has no
// authentication and is asked by any pod, so it says this one number and how far to believe it, and nothing else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PodSessions } from './live-sessions.ts';

/** Milliseconds. A question is one line. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 };
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 512;

const PATH = /^\/sessions\/([a-z0-9.-]{1,253}(?:\/[a-z0-9.-]{1,253})?)$/;

export interface LiveSessionsServerOptions {
  readonly bind: string;
  /** 0: any free one. */
  readonly port: number;
  /** `name`: a pod's, or `namespace/name`; null: there is none. */
  readonly find: (name: string) => PodSessions | null;
}

export interface LiveSessionsServer {
  /** Resolves with the port; rejects with the system's error. */
  listen(): Promise<number>;
  /** Cuts all connections. */
  close(): Promise<void>;
}

export function createLiveSessionsServer({ bind, port, find }: LiveSessionsServerOptions): LiveSessionsServer {
  const server = createServer({ ...TIMEOUTS, maxHeaderSize: 8_192 }, (request, response) =>
    send(response, answer(request, find)),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS);
  return {
    listen: () => listen(server, bind, port),
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: 'text/plain' | 'application/json';
  readonly body: string;
  readonly allow?: string;
}

function answer(request: IncomingMessage, find: LiveSessionsServerOptions['find']): Answer {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const [, name] = PATH.exec(path) ?? [];
  if (name === undefined) return text(404, 'not found; ask for /sessions/POD or /sessions/NAMESPACE/POD');
  if (request.method !== 'GET') return { ...text(405, 'only GET'), allow: 'GET' };
  const found = find(name);
  if (found === null) return text(404, 'no member has that pod');
  if (wantsText(query, request.headers.accept ?? '')) return text(200, String(found.sessions));
  return { status: 200, type: 'application/json', body: `${JSON.stringify(found)}\n` };
}

function wantsText(query: string, accept: string): boolean {
  const format = new URLSearchParams(query).get('format');
  return format === null ? /^\s*text\/plain\b/i.test(accept) : format === 'text';
}

function text(status: number, line: string): Answer {
  return { status, type: 'text/plain', body: `${line}\n` };
}

/** One answer per connection: whoever polls comes seldom. */
function send(response: ServerResponse, { status, type, body, allow }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(bytes);
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
