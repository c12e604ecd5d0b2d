// Receives load reports as HTTP requests: POST, to any path, with the same text as in a datagram. A port of its own that
// does nothing else, so that members need no way to the admin port. Each connection carries one request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MAX_REPORT_BYTES } from '../../balancer/load-report.ts';
import type { ListenAddress } from './listen-address.ts';
import type { RareNotice } from './rare-notice.ts';
import type { ReportIntake, ReportResult } from './report-intake.ts';

/** Milliseconds. A report is a few bytes; who takes longer does not belong here. */
const TIMEOUTS = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 };
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 512;
/** So much of a body that is too long is read and thrown away, since a reset could destroy the answer. Bytes. */
const MAX_DRAINED_BYTES = 65_536;

const ANSWERS: Readonly<Record<ReportResult, readonly [status: number, text: string]>> = {
  taken: [200, 'OK'],
  unknown_sender: [403, 'no member of a heartbeat balancer has your address'],
  unknown_port: [403, 'no member at your address has that port'],
  malformed: [400, 'the body must be ready=NUMBER&busy=NUMBER'],
  too_long: [413, `the body must be at most ${MAX_REPORT_BYTES} bytes`],
  bad_method: [405, 'only POST'],
};

export class HttpListener {
  readonly #address: ListenAddress;
  readonly #server: Server;
  readonly #notice: RareNotice;

  constructor(address: ListenAddress, intake: ReportIntake, notice: RareNotice) {
    this.#address = address;
    this.#notice = notice;
    const used = new WeakSet<Socket>();
    this.#server = createServer({ ...TIMEOUTS, maxHeaderSize: 8_192 }, (request, response) => {
      // Further requests that came along with the first get no answer, so they must have no effect either.
      if (used.has(request.socket)) return;
      used.add(request.socket);
      receive(request, intake, (result) => send(response, result));
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.setTimeout(IDLE_MS);
  }

  /** Resolves with the port; rejects with the system's error. */
  async listen(): Promise<number> {
    const { host, port } = this.#address;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host, port }, resolve);
    await promise;
    this.#server.off('error', reject);
    this.#server.on('error', (error) => {
      this.#notice.warn('http socket', { reason: error.message }, 'connections with load reports cannot be accepted');
    });
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : port;
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }
}

/** Reads a request to its end, within bounds, and says once what came of it. One that breaks off is no report. */
function receive(request: IncomingMessage, intake: ReportIntake, done: (result: ReportResult) => void): void {
  const address = request.socket.remoteAddress ?? '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    if (!intake.knows(address)) done(intake.refuse(address, 'unknown_sender'));
    else if (request.method !== 'POST') done(intake.refuse(address, 'bad_method'));
    else if (bytes > MAX_REPORT_BYTES) done(intake.refuse(address, 'too_long'));
    else done(intake.take(address, Buffer.concat(chunks)));
  };
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_REPORT_BYTES) chunks.push(chunk);
    if (bytes > MAX_DRAINED_BYTES) finish();
  });
  request.on('end', finish);
  request.on('error', () => {});
}

function send(response: ServerResponse, result: ReportResult): void {
  const [status, line] = ANSWERS[result];
  const body = Buffer.from(`${line}\n`);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.length,
    connection: 'close',
    ...(result === 'bad_method' ? { allow: 'POST' } : {}),
  });
  response.end(body);
}
