// What a client of the product does: single requests, and a steady stream of them that counts what went wrong.
import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface GetOptions {
  readonly agent?: Agent;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Milliseconds after which a client gives up. */
const PATIENCE_MS = 15_000;

/** A connection of its own unless an agent is given. Rejects if the connection breaks. */
export function get(port: number, { agent, path = '/', headers = {} }: GetOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(
    { host: '127.0.0.1', port, path, headers, agent: agent ?? false, timeout: PATIENCE_MS },
    (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
      response.on('error', reject);
    },
  );
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
  sent.on('error', reject);
  sent.end();
  return promise;
}

/** The bodies of so many requests, one after the other, over one connection. */
export async function getInTurn(port: number, count: number): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const bodies: string[] = [];
    for (let i = 0; i < count; i += 1) bodies.push((await get(port, { agent })).body);
    return bodies;
  } finally {
    agent.destroy();
  }
}

/** Sends GET requests at a steady rate, over kept connections, whether or not earlier ones are answered. */
export class SteadyLoad implements AsyncDisposable {
  /** What went wrong, in words. */
  readonly failures: string[] = [];
  /** Answers by body, since the last `restart`. */
  readonly answers = new Map<string, number>();
  #sent = 0;
  #finished = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #pending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, perSecond: number) {
    const startMs = performance.now();
    this.#timer = setInterval(() => {
      // Timers are late on a busy machine; what is due is sent then.
      const due = ((performance.now() - startMs) * perSecond) / 1000;
      while (this.#sent < due) this.#send(port);
    }, 5);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Requests that have an answer, or failed. */
  get finished(): number {
    return this.#finished;
  }

  /** Of the answers since the last `restart`. */
  get answered(): number {
    return this.answers.values().reduce((sum, count) => sum + count, 0);
  }

  /** Forgets who answered, not what went wrong. */
  restart(): void {
    this.answers.clear();
  }

  /** Resolves when all that was sent so far has its answer, or failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  /** Sends no more; resolves when every request has its answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.settled();
    this.#agent.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #send(port: number): void {
    this.#sent += 1;
    const number = this.#sent;
    const done = get(port, { agent: this.#agent }).then(
      ({ status, body }) => {
        if (status !== 200) this.failures.push(`request ${number}: ${status} ${body}`);
        this.answers.set(body, (this.answers.get(body) ?? 0) + 1);
      },
      (error: Error) => void this.failures.push(`request ${number}: ${error.message}`),
    );
    this.#pending.add(done);
    void done.then(() => {
      this.#finished += 1;
      this.#pending.delete(done);
    });
  }
}
