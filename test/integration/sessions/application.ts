// An application behind the proxy: answers with its name, notes what it was sent byte for byte, and sets what a test has
// it set. The one with sessions keeps them in its own memory, as the applications do for which all this is made.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the application got it. */
export interface Seen {
  readonly target: string;
  /** Names in lower case and values, as they came. */
  readonly lines: readonly (readonly [name: string, value: string])[];
}

/** Header lines of an answer; a list stands for as many lines. */
export type AnswerLines = Readonly<Record<string, string | readonly string[]>>;

export interface ApplicationAnswer {
  readonly lines: AnswerLines;
  readonly body: string;
}

/** Makes the answer to a request that came whole. */
export type Respond = (request: IncomingMessage, application: Application, body: string) => ApplicationAnswer;

export class Application {
  readonly name: string;
  readonly seen: Seen[] = [];
  respond: Respond;
  #server: Server | null = null;
  #port = 0;

  constructor(name: string, respond: Respond) {
    this.name = name;
    this.respond = respond;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Values of the lines of this name in the last request. */
  lastLines(name: string): readonly string[] {
    return this.seen.at(-1)!.lines.flatMap(([lineName, value]) => (lineName === name ? [value] : []));
  }

  /** On the port it had before, if it had one. */
  async listen(): Promise<this> {
    const server = createServer({ maxHeaderSize: 4 << 20 }, (request, response) => {
      const { rawHeaders } = request;
      const seen = rawHeaders.flatMap((name, index): (readonly [string, string])[] =>
        index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]!]] : [],
      );
      this.seen.push({ target: request.url ?? '', lines: seen });
      let sent = '';
      request.setEncoding('latin1').on('data', (piece: string) => {
        sent += piece;
      });
      request.on('end', () => {
        const { lines, body } = this.respond(request, this, sent);
        for (const [name, value] of Object.entries(lines)) response.setHeader(name, value);
        response.end(body);
      });
    });
    // Idle connections stay: no POST can meet one that is just being closed, which nobody may send twice.
    server.keepAliveTimeout = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: this.#port }, resolve);
    await promise;
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** As by kill -9. */
  kill(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = null;
  }
}

/** The name of the application, and nothing set. */
export const sayName: Respond = (_, { name }) => ({ lines: {}, body: name });

/** The name of the application, and these lines. */
export function set(lines: AnswerLines): Respond {
  return (_, { name }) => ({ lines, body: name });
}

export type Applications = readonly Application[] & AsyncDisposable;

/** `a`, `b`, … on free ports; all of them end with the block that holds them. */
export async function startApplications(names: string, respond: Respond = sayName): Promise<Applications> {
  const applications = await Promise.all([...names].map((name) => new Application(name, respond).listen()));
  return Object.assign(applications, {
    async [Symbol.asyncDispose]() {
      for (const application of applications) application.kill();
    },
  });
}

/** What an application with sessions says of a request. */
export interface SessionReport {
  readonly member: string;
  /** The session after this request. */
  readonly id: string;
  /** Requests of this session so far; 1: it is new. */
  readonly count: number;
  /** The request came with a session that this application does not know. */
  readonly isLost: boolean;
}

/**
 * An application with sessions in memory, under a cookie whose values look as those of express-session do: `s:id.signature`,
 * percent-encoded. Only a new session sets the cookie.
 */
export function inMemorySessions(cookie: string): Respond {
  const memories = new WeakMap<Application, Map<string, number>>();
  let issued = 0;
  return (request, application) => {
    const { name: member } = application;
    const counts = memories.get(application) ?? new Map<string, number>();
    memories.set(application, counts);
    const given = new RegExp(`(?:^|; )${cookie}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1];
    const isLost = given !== undefined && !counts.has(given);
    const isNew = given === undefined || isLost;
    issued += isNew ? 1 : 0;
    const id = isNew ? `s%3A${member}${issued}-${'0'.repeat(20)}.kQ+${issued}/x` : given;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    const report: SessionReport = { member, id, count, isLost };
    const lines: AnswerLines = isNew ? { 'set-cookie': `${cookie}=${id}; Path=/; HttpOnly` } : {};
    return { lines, body: JSON.stringify(report) };
  };
}
