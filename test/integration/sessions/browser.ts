// A client that keeps cookies as browsers do, as far as these tests need it: by name, for one host.
import { Agent, request } from 'node:http';
import { type Answer, type GetOptions, get } from '../product/client.ts';

export class Browser implements Disposable {
  readonly cookies = new Map<string, string>();
  /** Null: a connection of its own for each request, so that it reaches one lane or another. */
  readonly #agent: Agent | null;

  constructor(keepsConnection = false) {
    this.#agent = keepsConnection ? new Agent({ keepAlive: true, maxSockets: 1 }) : null;
  }

  get cookieLine(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async get(port: number, path = '/', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#kept(await get(port, this.#options(path, headers)));
  }

  /** Sends a form. */
  async post(port: number, path: string, body: string): Promise<Answer> {
    return this.#kept(
      await post(port, body, this.#options(path, { 'content-type': 'application/x-www-form-urlencoded' })),
    );
  }

  [Symbol.dispose](): void {
    this.#agent?.destroy();
  }

  #options(path: string, headers: Readonly<Record<string, string>>): GetOptions {
    const { cookieLine } = this;
    const sent = cookieLine === '' ? headers : { ...headers, cookie: cookieLine };
    return { path, headers: sent, ...(this.#agent === null ? {} : { agent: this.#agent }) };
  }

  #kept(answer: Answer): Answer {
    for (const line of setCookies(answer)) this.#keep(line);
    return answer;
  }

  #keep(line: string): void {
    const [, name, value] = /^([^=;]*)=([^;]*)/.exec(line)!;
    if (/; *(max-age=0|expires=Thu, 01 Jan 1970)/i.test(line)) this.cookies.delete(name!);
    else this.cookies.set(name!, value!);
  }
}

/** The Set-Cookie lines of an answer. */
export function setCookies({ headers }: Answer): readonly string[] {
  return (headers['set-cookie'] as string[] | undefined) ?? [];
}

/** A connection of its own unless an agent is given. Rejects if the connection breaks. */
export function post(
  port: number,
  body: string,
  { agent, path = '/', headers = {} }: GetOptions = {},
): Promise<Answer> {
  return send('POST', port, body, { path, headers, ...(agent === undefined ? {} : { agent }) });
}

/** As `post`, with any method. */
export function send(
  method: string,
  port: number,
  body: string,
  { agent, path = '/', headers = {} }: GetOptions = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const length = body === '' ? {} : { 'content-length': Buffer.byteLength(body) };
  const sent = request(
    {
      method,
      host: '127.0.0.1',
      port,
      path,
      agent: agent ?? false,
      timeout: 15_000,
      headers: { ...headers, ...length },
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
      response.on('error', reject);
    },
  );
  sent.on('timeout', () => sent.destroy(new Error('no answer within 15 s')));
  sent.on('error', reject);
  sent.end(body);
  return promise;
}
