// An API server in small: lists in pages, watches with history, compaction and bookmarks, over real sockets, and with every
// fault a test asks for. It checks nothing of what it is given.
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClusterAccess } from '../../../src/provider/kubernetes/cluster-access.ts';
import type { Certified } from './certificates.ts';

export interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** What comes in, as far as faults depend on it. */
export interface Asked {
  readonly method: string;
  readonly plural: string;
  /** Null: all. */
  readonly namespace: string | null;
  readonly isWatch: boolean;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  /** The name in the client's certificate; null: it showed none. */
  readonly peer: string | null;
}

/** `slow`: it is read late. `late`: it is read at once and answered late. `held`: it is read at once and answered when that resolves. `reset`: the connection is cut. `hang`: nothing is ever answered. `raw`: these bytes in a 200, then the end or a cut. */
export type Fault =
  | { readonly type: 'status'; readonly status: number; readonly body?: unknown; readonly retryAfter?: string }
  | { readonly type: 'reset' }
  | { readonly type: 'hang' }
  | { readonly type: 'raw'; readonly text: string; readonly end: 'end' | 'cut' | 'stay' }
  | { readonly type: 'slow' | 'late'; readonly delayMs: number }
  | { readonly type: 'held'; readonly until: Promise<void> };

interface Happening {
  readonly rv: number;
  readonly plural: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Stored;
}

export interface OpenWatch {
  readonly plural: string;
  readonly query: URLSearchParams;
  /** Sends these bytes. */
  write(text: string | Buffer): void;
  /** Ends it in good order. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
  /** From now on nothing is sent, and nobody is told: a half-open connection. */
  silence(): void;
  /** Ends `silence`; what was not sent is not sent later. */
  speak(): void;
}

export class FakeApiServer {
  readonly #server: http.Server | https.Server;
  readonly #objects = new Map<string, Map<string, Stored>>();
  #history: Happening[] = [];
  #rv = 100;
  #compacted = 0;
  readonly #pages = new Map<string, { items: readonly Stored[]; rv: number }>();
  readonly #watches = new Set<OpenWatch & { deliver(happening: Happening): void }>();
  readonly #agent = new http.Agent({ keepAlive: true });
  /** Asked for each request. */
  fault: (asked: Asked) => Fault | undefined = () => undefined;
  /** Every request so far. */
  readonly asked: Asked[] = [];
  /** Answers of type `held` that were sent so far. */
  heldAnswers = 0;
  /** Connections that were accepted so far. */
  connections = 0;
  /** Of these, those that are open. */
  openConnections = 0;
  /** Plurals that exist; others are 404. Null: all. */
  kinds: ReadonlySet<string> | null = null;
  /** Sent as the bearer token; a function, since tokens are rotated. */
  token = 'token';
  /** Answers 401 to other tokens; null takes any. */
  goodToken: string | null = null;

  private constructor(certified: Certified | null) {
    const answer = (request: http.IncomingMessage, response: http.ServerResponse): void =>
      this.#answer(request, response);
    const tls = { ...certified, requestCert: true, rejectUnauthorized: false };
    this.#server = certified === null ? http.createServer(answer) : https.createServer(tls, answer);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.openConnections += 1;
      socket.on('close', () => {
        this.openConnections -= 1;
      });
    });
  }

  /** Over TLS where it is given a certificate. */
  static async start(certified: Certified | null = null): Promise<FakeApiServer> {
    const server = new FakeApiServer(certified);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Shows another certificate from now on. */
  useCertificate(certified: Certified): void {
    if (this.#server instanceof https.Server) this.#server.setSecureContext(certified);
  }

  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  get url(): string {
    const scheme = this.#server instanceof https.Server ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  access(): ClusterAccess {
    let renewals = 0;
    let token = this.token;
    return {
      server: this.url,
      namespace: 'system',
      open: async () => ({
        server: new URL(this.url),
        agent: this.#agent,
        headers: { Authorization: `Bearer ${token}` },
      }),
      renew: () => {
        renewals += 1;
        token = this.token;
        return renewals < 100;
      },
      dropIdle: () => {
        for (const sockets of Object.values(this.#agent.freeSockets))
          for (const socket of sockets ?? []) socket.destroy();
      },
      close: () => this.#agent.destroy(),
    };
  }

  put(plural: string, object: Stored): Stored {
    const objects = this.#objects.get(plural) ?? new Map<string, Stored>();
    this.#objects.set(plural, objects);
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const before = objects.get(key);
    this.#rv += 1;
    const uid = object.metadata.uid ?? before?.metadata.uid ?? `uid-${this.#rv}`;
    const generation = object.metadata.generation ?? (before?.metadata.generation ?? 0) + 1;
    const metadata = {
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...object.metadata,
      uid,
      generation,
      resourceVersion: `${this.#rv}`,
    };
    const stored: Stored = { ...object, metadata };
    objects.set(key, stored);
    this.#happen({ rv: this.#rv, plural, type: before === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored;
  }

  remove(plural: string, namespace: string, name: string): void {
    const object = this.#objects.get(plural)?.get(`${namespace}/${name}`);
    if (object === undefined) return;
    this.#objects.get(plural)?.delete(`${namespace}/${name}`);
    this.#rv += 1;
    const gone = { ...object, metadata: { ...object.metadata, resourceVersion: `${this.#rv}` } };
    this.#happen({ rv: this.#rv, plural, type: 'DELETED', object: gone });
  }

  objects(plural: string): readonly Stored[] {
    return [...(this.#objects.get(plural)?.values() ?? [])];
  }

  watches(plural: string): readonly OpenWatch[] {
    return [...this.#watches].filter((watch) => watch.plural === plural);
  }

  /** Sends a bookmark on all watches. */
  bookmark(): void {
    for (const watch of this.#watches) watch.write(this.#bookmarkLine());
  }

  /** Forgets the history, and all pages of lists that are under way. */
  compact(): void {
    this.#compacted = this.#rv;
    this.#history = [];
    this.#pages.clear();
  }

  /** Moves the resource version on, as writes of other kinds do. */
  moveOn(): void {
    this.#rv += 1;
  }

  #bookmarkLine(): string {
    return `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: `${this.#rv}` } } })}\n`;
  }

  #happen(happening: Happening): void {
    this.#history.push(happening);
    for (const watch of this.#watches) watch.deliver(happening);
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const plural = url.pathname.split('/').at(-1) ?? '';
    const namespace = /\/namespaces\/([^/]+)\//.exec(url.pathname)?.[1] ?? null;
    const isWatch = url.searchParams.get('watch') === 'true';
    const { method = '', headers } = request;
    const asked: Asked = {
      method,
      plural,
      namespace,
      isWatch,
      query: url.searchParams,
      headers,
      peer: peerOf(request),
    };
    this.asked.push(asked);
    response.on('error', () => undefined);
    if (this.goodToken !== null && headers.authorization !== `Bearer ${this.goodToken}`) {
      sendStatus(response, 401, 'Unauthorized');
      return;
    }
    const fault = this.fault(asked);
    const act = (): void => {
      if (this.kinds !== null && !this.kinds.has(plural)) sendStatus(response, 404, 'NotFound');
      else if (isWatch) this.#watch(response, asked, namespace);
      else this.#list(response, asked, namespace);
    };
    switch (fault?.type) {
      case undefined:
        act();
        break;
      case 'late':
      case 'held': {
        const end = response.end.bind(response);
        response.end = ((body: string) => {
          if (fault.type === 'held') void fault.until.then(() => end(body)).then(() => (this.heldAnswers += 1));
          else setTimeout(() => end(body), fault.delayMs);
        }) as unknown as typeof end;
        act();
        break;
      }
      case 'slow':
        setTimeout(act, fault.delayMs);
        break;
      case 'hang':
        break;
      case 'reset':
        request.socket.destroy();
        break;
      case 'status':
        if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter);
        if (fault.body === undefined) sendStatus(response, fault.status, '');
        else response.writeHead(fault.status).end(JSON.stringify(fault.body));
        break;
      case 'raw':
        response.writeHead(200).write(fault.text);
        if (fault.end === 'end') response.end();
        if (fault.end === 'cut') setImmediate(() => request.socket.destroy());
        break;
      default:
        fault satisfies never;
    }
  }

  #matching(namespace: string | null, query: URLSearchParams): (object: Stored) => boolean {
    const name = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    const [label = '', value] = (query.get('labelSelector') ?? '').split('=');
    return ({ metadata }) =>
      (namespace === null || metadata.namespace === namespace) &&
      (name === undefined || metadata.name === name) &&
      (value === undefined || metadata.labels?.[label] === value);
  }

  #list(response: http.ServerResponse, { plural, query }: Asked, namespace: string | null): void {
    const token = query.get('continue');
    const limit = Number(query.get('limit') ?? Number.POSITIVE_INFINITY);
    const page =
      token === null
        ? { items: this.objects(plural).filter(this.#matching(namespace, query)), rv: this.#rv }
        : this.#pages.get(token);
    if (page === undefined) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    const items = page.items.slice(0, limit).map(({ apiVersion, kind, ...rest }) => rest);
    const rest = page.items.slice(limit);
    const metadata: Record<string, string> = { resourceVersion: `${page.rv}` };
    if (rest.length > 0) {
      metadata.continue = `page-${this.#pages.size}-${this.#rv}-${Math.random()}`;
      this.#pages.set(metadata.continue, { items: rest, rv: page.rv });
    }
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'List', metadata, items }));
  }

  #watch(response: http.ServerResponse, { plural, query }: Asked, namespace: string | null): void {
    const from = Number(query.get('resourceVersion') ?? '0');
    if (from < this.#compacted) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    const matches = this.#matching(namespace, query);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    let isSilent = false;
    const watch = {
      plural,
      query,
      deliver: ({ type, object, ...happening }: Happening) => {
        if (happening.plural !== plural || !matches(object)) return;
        watch.write(`${JSON.stringify({ type, object })}\n`);
      },
      write: (text: string | Buffer) => {
        if (!isSilent) response.write(text);
      },
      end: () => {
        this.#watches.delete(watch);
        response.end();
      },
      cut: () => {
        this.#watches.delete(watch);
        response.socket?.destroy();
      },
      silence: () => {
        isSilent = true;
      },
      speak: () => {
        isSilent = false;
      },
    };
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    for (const happening of this.#history) if (happening.rv > from) watch.deliver(happening);
  }
}

function peerOf({ socket }: http.IncomingMessage): string | null {
  return socket instanceof TLSSocket ? String(socket.getPeerCertificate().subject?.CN ?? '') || null : null;
}

function sendStatus(response: http.ServerResponse, code: number, reason: string): void {
  const body = { kind: 'Status', status: 'Failure', code, reason, message: `${reason} said the fake` };
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
