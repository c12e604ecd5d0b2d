// The one road to the API server, for everybody: requests and watches as raw JSON over connections that are shared and
// kept. It knows no kinds, retries nothing but a connection that had gone stale, and never logs: what fails is rejected.
import http from 'node:http';
import https from 'node:https';
import { ApiError, errorOfAnswer } from './api-error.ts';
import type { ClusterAccess, OpenAccess } from './cluster-access.ts';
import { createLineSplitter } from './line-splitter.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Parameters of a URL; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default `application/json`; patches name theirs, such as `application/apply-patch+yaml` (JSON is YAML). */
  readonly contentType?: string;
  /** Default `application/json`. */
  readonly accept?: string;
  /** From the call to the last byte, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface WatchOptions {
  readonly query?: Query;
  readonly accept?: string;
  /** The connection counts as dead when nothing comes for this long, in milliseconds. Default 60,000. */
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One event as it came; nothing of it is checked beyond being an object with a type. */
export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

export interface ApiClient {
  /**
   * The parsed JSON of a 2xx answer; undefined for an empty one. Rejects with ApiError, or with the signal's reason when
   * that is aborted. `path` begins with `/api` or `/apis` and is escaped already.
   */
  request(method: Method, path: string, options?: RequestOptions): Promise<unknown>;
  /**
   * The events of a watch (`watch=true` is added) until the server ends it in good order. Throws ApiError for every fault: an answer that is
   * not 2xx, a connection that breaks or falls silent (sooner once a request had no answer), a line that is no JSON or is cut; ERROR events are passed on.
   * Throws the signal's reason when that is aborted. Leaving the loop ends the watch.
   */
  watch(path: string, options?: WatchOptions): AsyncIterable<WatchEvent>;
  /** The namespace that the credentials belong to; null if they say nothing. */
  readonly namespace: string | null;
  /** Ends all connections; whatever is under way rejects. */
  close(): void;
}

/** A page of a list; an object alone has at most about 2 MB. */
const maxAnswerBytes = 256 * 1024 * 1024;
const maxLineBytes = 32 * 1024 * 1024;
/** The head of a watch comes at once, even when no event does. */
const maxHeadMs = 30_000;
const maxFaultBytes = 64 * 1024;
/** A silent watch is given up after this long once a request had no answer: both may have had one way to the server. */
const suspectTimeoutMs = 10_000;

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly query: Query;
  readonly accept: string;
  readonly contentType: string;
  readonly body: Buffer | null;
}

/** The request of a call that is under way, and the ways to end it from outside. */
interface Exchange {
  readonly what: string;
  /** Ends it with this error, now or as soon as there is something to end. */
  fail(error: unknown): void;
  /** The error it was ended with, if it was. */
  readonly ended: { readonly error: unknown } | null;
  /** Resolves when it is ended. */
  readonly end: Promise<void>;
  onRequest(request: http.ClientRequest): void;
}

export function createApiClient(access: ClusterAccess, { suspectMs = suspectTimeoutMs } = {}): ApiClient {
  const open = new Set<Exchange>();
  /** How to suspect each watch that is open. */
  const watches = new Set<() => void>();
  let isClosed = false;

  /** Runs `use` with the answer's head there; whatever happens, the exchange is over afterwards. */
  async function* exchange<T>(
    call: Call,
    signal: AbortSignal | undefined,
    use: (answer: http.IncomingMessage, own: Exchange) => AsyncIterable<T>,
    arm: (own: Exchange) => { disarm(): void },
  ): AsyncGenerator<T, void, void> {
    signal?.throwIfAborted();
    const own = createExchange(`${call.method} ${call.path}`);
    if (isClosed) throw unreachable(own.what, new Error('the client is closed'));
    const abort = (): void => own.fail(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    open.add(own);
    const timer = arm(own);
    try {
      const answer = await getAnswer(access, call, own);
      yield* use(answer, own);
    } catch (error) {
      throw toFault(own, error, access);
    } finally {
      timer.disarm();
      signal?.removeEventListener('abort', abort);
      open.delete(own);
      own.fail(new Error('over'));
    }
  }

  return {
    async request(method, path, options = {}) {
      const { timeoutMs = 30_000, signal, query = {}, accept = 'application/json' } = options;
      const body = options.body === undefined ? null : Buffer.from(JSON.stringify(options.body));
      const call = { method, path, query, accept, contentType: options.contentType ?? 'application/json', body };
      const arm = (own: Exchange) => {
        const timer = setTimeout(() => {
          own.fail(tooSlow(own.what, timeoutMs));
          for (const suspect of watches) suspect();
        }, timeoutMs);
        return { disarm: () => clearTimeout(timer) };
      };
      let result: unknown;
      for await (const text of exchange(call, signal, readText, arm)) result = parseAnswer(`${method} ${path}`, text);
      return result;
    },

    async *watch(path, options = {}) {
      const { idleTimeoutMs = 60_000, signal, query = {}, accept = 'application/json' } = options;
      const watchQuery = { ...query, watch: 'true' };
      const call: Call = { method: 'GET', path, query: watchQuery, accept, contentType: '', body: null };
      let timer: NodeJS.Timeout | undefined;
      let suspect: (() => void) | null = null;
      let isSuspect = false;
      const wait = (own: Exchange, timeoutMs: number): void => {
        clearTimeout(timer);
        timer = setTimeout(() => own.fail(tooSlow(own.what, timeoutMs)), timeoutMs);
      };
      const arm = (own: Exchange) => {
        wait(own, Math.min(idleTimeoutMs, maxHeadMs));
        const disarm = (): void => {
          clearTimeout(timer);
          if (suspect !== null) watches.delete(suspect);
        };
        return { disarm };
      };
      const use = (answer: http.IncomingMessage, own: Exchange) => {
        wait(own, idleTimeoutMs);
        suspect = () => {
          // The first suspicion counts, however many follow.
          if (!isSuspect) wait(own, Math.min(idleTimeoutMs, suspectMs));
          isSuspect = true;
        };
        watches.add(suspect);
        return readEvents(answer, own, () => {
          if (isSuspect) wait(own, idleTimeoutMs);
          else timer?.refresh();
          isSuspect = false;
        });
      };
      yield* exchange(call, signal, use, arm);
    },

    get namespace() {
      return access.namespace;
    },

    close() {
      isClosed = true;
      for (const own of [...open]) own.fail(unreachable(own.what, new Error('the client is closed')));
      access.close();
    },
  };
}

function createExchange(what: string): Exchange {
  let request: http.ClientRequest | null = null;
  let ended: { readonly error: unknown } | null = null;
  const { promise: end, resolve: tellEnd } = Promise.withResolvers<void>();
  return {
    what,
    end,
    fail(error) {
      ended ??= { error };
      tellEnd();
      // Without an argument: the error is ours to throw, not to be emitted on whoever still listens.
      request?.destroy();
    },
    get ended() {
      return ended;
    },
    onRequest(next) {
      request = next;
      if (ended !== null) next.destroy();
    },
  };
}

/** The 2xx answer to a call, its body not yet read. */
async function getAnswer(access: ClusterAccess, call: Call, own: Exchange): Promise<http.IncomingMessage> {
  let hasRenewed = false;
  for (let isRetry = false; ; isRetry = true) {
    // A command that gives credentials may hang.
    const granted = await Promise.race([access.open(), own.end]);
    if (own.ended !== null) throw own.ended.error;
    if (granted === undefined) continue;
    const sent = await send(granted, call, own).catch((error: unknown) => {
      // A kept connection may have been closed while the request was on its way; the server saw nothing of it.
      const isStale = error instanceof StaleConnection && call.method === 'GET' && own.ended === null;
      if (!isStale || isRetry) throw error instanceof StaleConnection ? error.cause : error;
      return null;
    });
    if (sent === null) continue;
    const { statusCode: status = 0 } = sent;
    if (status >= 200 && status <= 299) return sent;
    const text = await readSome(sent, maxFaultBytes);
    // Tokens are rotated and revoked: one more try with what the files say now.
    if (status === 401 && !hasRenewed && access.renew()) {
      hasRenewed = true;
      continue;
    }
    throw errorOfAnswer(own.what, status, text, sent.headers['retry-after']);
  }
}

class StaleConnection extends Error {}

function send({ server, agent, headers }: OpenAccess, call: Call, own: Exchange): Promise<http.IncomingMessage> {
  const url = urlOf(server, call);
  const options: http.RequestOptions = {
    method: call.method,
    agent,
    headers: {
      accept: call.accept,
      'user-agent': 'evenkeel',
      ...headers,
      ...(call.body === null ? {} : { 'content-type': call.contentType, 'content-length': call.body.length }),
    },
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? https.request(url, options) : http.request(url, options);
    request.on('response', resolve);
    // A peer that vanished, and acknowledges nothing any more, is found by the kernel: after 15 s of silence it asks, and
    // once a second then, ten times.
    request.on('socket', (socket) => socket.setKeepAlive(true, 15_000));
    request.on('error', (error) => {
      reject(request.reusedSocket ? new StaleConnection('', { cause: error }) : error);
    });
    // A destroyed request that had no answer yet says so with 'close' alone in some cases.
    request.on('close', () => reject(new Error('the connection was closed without an answer')));
    own.onRequest(request);
    request.end(call.body ?? undefined);
  });
}

function urlOf(server: URL, { path, query }: Call): URL {
  // The server may stand below a path of its own, as behind a gateway.
  const url = new URL(server);
  url.pathname = `${server.pathname.replace(/\/+$/, '')}${path}`;
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

async function* readText(answer: http.IncomingMessage): AsyncGenerator<string, void, void> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw tooLarge(`more than ${maxAnswerBytes} bytes`);
    pieces.push(chunk);
  }
  yield Buffer.concat(pieces).toString('utf8');
}

/** The beginning of a body; never fails, since what it is for has failed already. */
async function readSome(answer: http.IncomingMessage, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      pieces.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } catch {}
  return Buffer.concat(pieces).toString('utf8').slice(0, maxBytes);
}

async function* readEvents(
  answer: http.IncomingMessage,
  own: Exchange,
  onBytes: () => void,
): AsyncGenerator<WatchEvent, void, void> {
  const splitter = createLineSplitter(maxLineBytes);
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    onBytes();
    for (const line of splitLines(splitter.push, chunk)) {
      yield parseEvent(own.what, line);
      // Whoever takes the events may take their time; that is no silence of the server.
      onBytes();
      if (own.ended !== null) throw own.ended.error;
    }
  }
  if (own.ended !== null) throw own.ended.error;
  const rest = splitter.rest();
  if (rest !== '') throw new ApiError(`${own.what}: the answer ends within a line`, { reason: 'Truncated' });
}

function splitLines(push: (chunk: Buffer) => readonly string[], chunk: Buffer): readonly string[] {
  try {
    return push(chunk);
  } catch (error) {
    throw tooLarge(error instanceof Error ? error.message : '');
  }
}

function parseEvent(what: string, line: string): WatchEvent {
  const event = parseJson(what, line);
  if (typeof event === 'object' && event !== null && 'type' in event && typeof event.type === 'string') {
    return { type: event.type, object: 'object' in event ? event.object : undefined };
  }
  // What is no event may be the Status of a server that changed its mind.
  throw new ApiError(`${what}: ${JSON.stringify(line.slice(0, 120))} is no event of a watch`, {
    reason: 'MalformedAnswer',
  });
}

function parseAnswer(what: string, text: string): unknown {
  return text.trim() === '' ? undefined : parseJson(what, text);
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const message = `${what}: the answer is no JSON (${text.length} characters, ${JSON.stringify(text.slice(0, 80))}…)`;
    throw new ApiError(message, { reason: 'MalformedAnswer', cause });
  }
}

/** What is thrown for an error of an exchange: the first cause, not what followed from it. */
function toFault(own: Exchange, error: unknown, access: ClusterAccess): unknown {
  const first = own.ended?.error ?? error;
  const isFault = first instanceof ApiError;
  // Other kept connections may be as dead as this one; each would cost a time-out of its own.
  if (!isFault || first.reason === 'Timeout') access.dropIdle();
  if (isFault || own.ended !== null) return first;
  return unreachable(own.what, error);
}

function unreachable(what: string, cause: unknown): ApiError {
  return new ApiError(`${what}: ${describe(cause)}`, { reason: 'Unreachable', cause });
}

function tooSlow(what: string, timeoutMs: number): ApiError {
  return new ApiError(`${what}: nothing came within ${timeoutMs} ms`, { reason: 'Timeout' });
}

function tooLarge(what: string): ApiError {
  return new ApiError(`the answer is too large: ${what}`, { reason: 'TooLarge' });
}

/** Connecting to a name with several addresses fails with an AggregateError, which says nothing itself. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
