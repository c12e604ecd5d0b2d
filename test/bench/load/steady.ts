// Sends requests at a fixed rate over a fixed set of connections and measures each from the moment at which it was
// due, not from the moment at which it could be sent: a proxy that stalls is charged for all that waited meanwhile.
import { connect, type Socket } from 'node:net';
import { percentile } from '../statistics.ts';
import { BODY_BYTES, type MemberPath } from './member-sockets.ts';

export interface SteadyOrder {
  readonly port: number;
  readonly path: MemberPath;
  /** Further header lines, each with its line end. */
  readonly headers: string;
  readonly connections: number;
  readonly requestsPerSecond: number;
  /** Not counted, at the start. */
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** Latencies in microseconds. */
export interface SteadyReport {
  readonly requests: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** How late requests were sent through no fault of the proxy. */
  readonly ownDelayP99Us: number;
  /** Whether the proxy kept up: false when requests were still waiting long after the last was due. */
  readonly keptUp: boolean;
}

/** How long answers are waited for after the last request was due. */
const PATIENCE_MS = 3_000;
const HEAD_END = Buffer.from('\r\n\r\n');

class Connection {
  readonly socket: Socket;
  readonly #bodyBytes: number;
  readonly #onAnswer: (connection: Connection) => void;
  /** When the request under way was due. Milliseconds. */
  dueMs = 0;
  #missingBytes = -1;

  constructor(order: SteadyOrder, onAnswer: (connection: Connection) => void, onFault: (fault: string) => void) {
    this.#bodyBytes = BODY_BYTES[order.path];
    this.#onAnswer = onAnswer;
    this.socket = connect({ host: '127.0.0.1', port: order.port, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk, onFault));
    this.socket.on('error', (error) => onFault(error.message));
    this.socket.on('end', () => onFault('the proxy closed a connection'));
  }

  send(request: Buffer, dueMs: number): void {
    this.dueMs = dueMs;
    this.#missingBytes = -1;
    this.socket.write(request);
  }

  #onData(chunk: Buffer, onFault: (fault: string) => void): void {
    let start = 0;
    if (this.#missingBytes === -1) {
      const headEnd = chunk.indexOf(HEAD_END);
      if (headEnd === -1) return onFault('a head came in pieces');
      if (chunk.toString('latin1', 9, 12) !== '200') return onFault(chunk.toString('latin1', 0, 30));
      start = headEnd + HEAD_END.length;
      this.#missingBytes = this.#bodyBytes;
    }
    this.#missingBytes -= chunk.length - start;
    if (this.#missingBytes === 0) this.#onAnswer(this);
  }
}

/** Resolves with the latencies; rejects when an answer is wrong or a connection ends. */
export function driveSteadily(order: SteadyOrder): Promise<SteadyReport> {
  const { promise, resolve, reject } = Promise.withResolvers<SteadyReport>();
  const request = Buffer.from(`GET ${order.path} HTTP/1.1\r\nHost: bench.test\r\n${order.headers}\r\n`, 'latin1');
  const stepMs = 1000 / order.requestsPerSecond;
  const skipped = Math.floor(order.warmupSeconds * order.requestsPerSecond);
  const total = skipped + Math.floor(order.seconds * order.requestsPerSecond);
  const latencies = new Float64Array(total - skipped);
  const ownDelays = new Float64Array(total - skipped);
  const free: Connection[] = [];
  let sent = 0;
  let answered = 0;
  let counted = 0;
  let isOver = false;
  let startMs = 0;

  const finish = (keptUp: boolean): void => {
    isOver = true;
    for (const connection of connections) connection.socket.destroy();
    resolve(reportOf(latencies.subarray(0, counted), ownDelays, keptUp));
  };
  const onAnswer = (connection: Connection): void => {
    // Those of the warm-up are answered before nearly all others; which ones exactly does not matter.
    if (answered >= skipped) latencies[counted++] = performance.now() - connection.dueMs;
    answered += 1;
    free.push(connection);
    if (answered === total) finish(true);
  };
  const onFault = (fault: string): void => {
    if (isOver) return;
    isOver = true;
    for (const connection of connections) connection.socket.destroy();
    reject(new Error(fault));
  };
  const connections = Array.from({ length: order.connections }, () => new Connection(order, onAnswer, onFault));

  let seenMs = 0;
  /** Never sleeps: a timer would send in bursts of a millisecond. */
  const turn = (): void => {
    if (isOver) return;
    const nowMs = performance.now();
    let wasFree = true;
    for (let dueMs = startMs + sent * stepMs; sent < total && dueMs <= nowMs; dueMs = startMs + sent * stepMs) {
      const connection = free.shift();
      wasFree = connection !== undefined;
      if (connection === undefined) break;
      // Due since the last look, and sent at this one: the time between is ours.
      if (sent >= skipped) ownDelays[sent - skipped] = Math.max(0, nowMs - Math.max(dueMs, seenMs));
      connection.send(request, dueMs);
      sent += 1;
    }
    if (wasFree) seenMs = nowMs;
    if (nowMs > startMs + total * stepMs + PATIENCE_MS) return finish(false);
    setImmediate(turn);
  };

  const connected = connections.map(({ socket }) => new Promise<void>((done) => socket.once('connect', done)));
  void Promise.all(connected).then(() => {
    free.push(...connections);
    startMs = performance.now();
    seenMs = startMs;
    turn();
  });
  return promise;
}

function reportOf(latencies: Float64Array, ownDelays: Float64Array, keptUp: boolean): SteadyReport {
  latencies.sort();
  ownDelays.sort();
  return {
    requests: latencies.length,
    p50Us: percentile(latencies, 0.5) * 1000,
    p99Us: percentile(latencies, 0.99) * 1000,
    p999Us: percentile(latencies, 0.999) * 1000,
    ownDelayP99Us: percentile(ownDelays, 0.99) * 1000,
    keptUp,
  };
}
