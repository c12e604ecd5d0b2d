// A careful proxy of node:http and undici's dispatch: raw headers both ways, back-pressure, round robin.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { NodePeerSettings } from './node-peers.ts';

/** What is used here of undici, which the project does not depend on. */
interface Controller {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
  readonly rawHeaders: readonly Buffer[];
}
interface Pool {
  dispatch(
    options: { path: string; method: string; headers: string[]; body: IncomingMessage | null },
    handler: {
      onRequestStart(controller: Controller): void;
      onResponseStart(controller: Controller, status: number, headers: unknown, text: string): void;
      onResponseData(controller: Controller, chunk: Buffer): void;
      onResponseEnd(): void;
      onResponseError(controller: Controller, error: Error): void;
    },
  ): boolean;
}
interface Undici {
  readonly Pool: new (origin: string, options: Readonly<Record<string, unknown>>) => Pool;
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'expect',
  'proxy-connection',
]);

const settings = JSON.parse(process.argv[2]!) as NodePeerSettings;
const undici = ((await import(settings.undici)) as { default: Undici }).default;
const pools = settings.members.map(({ host, port }) => {
  return new undici.Pool(`http://${host}:${port}`, {
    connections: 256,
    allowH2: false,
    connectTimeout: settings.connectTimeoutMs,
    headersTimeout: settings.idleTimeoutMs,
    bodyTimeout: settings.idleTimeoutMs,
    keepAliveTimeout: settings.idleTimeoutMs,
  });
});

let next = 0;
const server = createServer((request, response) => {
  next = (next + 1) % pools.length;
  forward(request, response, pools[next]!);
});
server.keepAliveTimeout = settings.idleTimeoutMs;
server.listen({ host: '127.0.0.1', port: settings.port, backlog: 4096 });

function forward(request: IncomingMessage, response: ServerResponse, pool: Pool): void {
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  const headers = withoutHopByHop(request.rawHeaders);
  headers.push('X-Forwarded-For', request.socket.remoteAddress ?? '');
  pool.dispatch(
    { path: request.url ?? '/', method: request.method ?? 'GET', headers, body: hasBody ? request : null },
    {
      onRequestStart: (controller) => {
        response.on('drain', () => controller.resume());
        response.on('close', () => {
          if (!response.writableFinished) controller.abort(new Error('client gone'));
        });
      },
      onResponseStart: (controller, status, _headers, text) => {
        if (status < 200) return;
        response.writeHead(
          status,
          text,
          withoutHopByHop(controller.rawHeaders.map((value) => value.toString('latin1'))),
        );
      },
      onResponseData: (controller, chunk) => {
        if (!response.write(chunk)) controller.pause();
      },
      onResponseEnd: () => void response.end(),
      onResponseError: () => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
}

function withoutHopByHop(raw: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!HOP_BY_HOP.has(raw[i]!.toLowerCase())) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}
