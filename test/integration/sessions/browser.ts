// A client that keeps cookies as browsers do, as far as these tests need it: by name, for one host.
import { Agent } from 'node:http';
import { type Answer, get } from '../product/client.ts';

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
    const { cookieLine } = this;
    const sent = cookieLine === '' ? headers : { ...headers, cookie: cookieLine };
    const answer = await get(port, { path, headers: sent, ...(this.#agent === null ? {} : { agent: this.#agent }) });
    for (const line of setCookies(answer)) this.#keep(line);
    return answer;
  }

  [Symbol.dispose](): void {
    this.#agent?.destroy();
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
