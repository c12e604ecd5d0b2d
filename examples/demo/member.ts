// A member of the demo: a small application that says its name and counts the visits of each session in memory, as
// applications do that need sticky sessions. It can be killed and revived; what it had counted is lost then.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memberPage } from './member-page.ts';

const COOKIE = 'DEMOSESSION';
/** The oldest session is forgotten beyond this. */
const MAX_SESSIONS = 10_000;

export class Member {
  readonly name: string;
  /** Called with true when it listens again, with false when it is killed. */
  onChange: (isUp: boolean) => void = () => {};
  readonly #onFault: (error: Error) => void;
  #server: Server | null = null;
  #port = 0;
  #visits = new Map<string, number>();

  constructor(name: string, onFault: (error: Error) => void) {
    this.name = name;
    this.#onFault = onFault;
  }

  get isUp(): boolean {
    return this.#server !== null;
  }

  /** The one it listens on, or did before it was killed. */
  get port(): number {
    return this.#port;
  }

  /** Port 0: any free one. Rejects with the system's error. Does nothing if it listens already. */
  async listen(port: number): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => this.#answer(request, response));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, resolve);
    await promise;
    this.#server = server;
    server.on('error', this.#onFault);
    this.#port = (server.address() as AddressInfo).port;
    this.onChange(true);
  }

  /** As by kill -9: every connection is cut, and the next one is refused. */
  kill(): void {
    if (this.#server === null) return;
    this.#server.close();
    this.#server.closeAllConnections();
    this.#server = null;
    this.#visits = new Map();
    this.onChange(false);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const session = sessionOf(request) ?? randomBytes(9).toString('base64url');
    const visits = this.#count(session);
    const facts = { member: this.name, visits, session, path: request.url ?? '/' };
    const { type, body } = render(request.headers.accept ?? '', facts);
    response.setHeader('content-type', `${type}; charset=utf-8`);
    response.setHeader('cache-control', 'no-store');
    if (sessionOf(request) === null)
      response.setHeader('set-cookie', `${COOKIE}=${session}; Path=/; HttpOnly; SameSite=Lax`);
    response.end(body);
  }

  #count(session: string): number {
    const visits = (this.#visits.get(session) ?? 0) + 1;
    this.#visits.delete(session);
    this.#visits.set(session, visits);
    const [oldest] = this.#visits.keys();
    if (this.#visits.size > MAX_SESSIONS && oldest !== undefined) this.#visits.delete(oldest);
    return visits;
  }
}

/** What an answer says. */
export interface VisitFacts {
  readonly member: string;
  /** Of this session, at this member. */
  readonly visits: number;
  readonly session: string;
  readonly path: string;
}

function render(accept: string, facts: VisitFacts): { readonly type: string; readonly body: string } {
  if (accept.includes('text/html')) return { type: 'text/html', body: memberPage(facts) };
  if (accept.includes('application/json')) return { type: 'application/json', body: `${JSON.stringify(facts)}\n` };
  return { type: 'text/plain', body: `member ${facts.member}, visit ${facts.visits} of this session\n` };
}

function sessionOf({ headers }: IncomingMessage): string | null {
  const match = new RegExp(`(?:^|; *)${COOKIE}=([\\w.-]{1,64})(?:;|$)`).exec(headers.cookie ?? '');
  return match?.[1] ?? null;
}
