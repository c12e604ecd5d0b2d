// A member for tests of the whole product: answers with its name, begins a session with whoever has none, can hold its
// answers back, and can be killed.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Members = readonly NamedMember[] & AsyncDisposable;

/** `a`, `b`, … on free ports; all of them end with the block that holds them. */
export async function startMembers(...names: readonly string[]): Promise<Members> {
  const members = await Promise.all(names.map((name) => NamedMember.start(name)));
  return Object.assign(members, {
    async [Symbol.asyncDispose]() {
      for (const member of members) member.kill();
    },
  });
}

/** Milliseconds that an answer takes: long enough that some request is under way at any time. */
const ANSWER_MS = 3;

export class NamedMember {
  readonly name: string;
  /** While true, answers wait for `release`. */
  isHolding = false;
  /** Status and further headers of its answers. */
  status = 200;
  headers: Readonly<Record<string, string>> = {};
  /** Requests that came. */
  requests = 0;
  #port = 0;
  #server: Server | null = null;
  readonly #held = new Set<ServerResponse>();

  static async start(name: string): Promise<NamedMember> {
    const member = new NamedMember(name);
    await member.listen();
    return member;
  }

  private constructor(name: string) {
    this.name = name;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** How many answers are held back. */
  get held(): number {
    return this.#held.size;
  }

  /** On the port it had before, if it had one. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.requests += 1;
      // A session, as applications begin them.
      if (request.headers.cookie === undefined) response.setHeader('set-cookie', `DEMOSESSION=of-${this.name}; Path=/`);
      if (request.url === '/mcp' && request.headers['mcp-session-id'] === undefined)
        response.setHeader('mcp-session-id', `of-${this.name}`);
      response.statusCode = this.status;
      for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value);
      if (!this.isHolding) {
        setTimeout(() => response.end(this.name), ANSWER_MS);
        return;
      }
      this.#held.add(response);
      response.on('close', () => this.#held.delete(response));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: this.#port }, resolve);
    await promise;
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  release(): void {
    this.isHolding = false;
    for (const response of this.#held) response.end(this.name);
  }

  /** As by kill -9: connections are cut, requests under way on them included, and the next one is refused. */
  kill(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = null;
  }
}
