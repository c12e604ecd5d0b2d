// One story on httpd: its virtual host, its manager, its clients.
import type { Apache } from './apache.ts';
import {
  BARRIER_PATH,
  type Counters,
  changeForm,
  countersOf,
  formOf,
  joinForms,
  MANAGER_PATH,
  methodForm,
} from './apache-text.ts';
import { Client, type ClientAnswer, type ClientRequest } from './client.ts';
import type { ProxySide } from './proxy-side.ts';
import type { Change, Method, Shape, Story } from './story.ts';

export class ApacheSide implements ProxySide {
  readonly side = 'httpd';
  readonly #apache: Apache;
  readonly #story: Story;
  readonly #name: string;
  readonly #host: string;
  readonly #main: Client;
  /** The connection whose last request httpd may still be cleaning up after. */
  #unsettled: Client | null = null;

  constructor(apache: Apache, story: Story, name: string, host: string) {
    this.#apache = apache;
    this.#story = story;
    this.#name = name;
    this.#host = host;
    this.#main = new Client(apache.port);
  }

  async request(request: ClientRequest): Promise<ClientAnswer> {
    return this.#send(this.#main, request);
  }

  async open(request: ClientRequest): Promise<{ readonly answer: Promise<ClientAnswer>; close(): Promise<void> }> {
    await this.#settle(null);
    const client = new Client(this.#apache.port);
    const answer = client.send(request);
    const close = async (): Promise<void> => {
      await answer;
      await this.#barrier(client);
      client.close();
    };
    return { answer, close };
  }

  async change(index: number, change: Change, _shape: Shape, urls: readonly string[]): Promise<void> {
    await this.#post(changeForm(this.#name, urls[index]!, change));
  }

  async join(_shape: Shape, urls: readonly string[]): Promise<void> {
    const route = this.#story.sticky === null ? null : `r${urls.length - 1}`;
    for (const form of joinForms(this.#name, urls.at(-1)!, route)) await this.#post(form);
  }

  async changeMethod(shape: Shape): Promise<void> {
    await this.#post(methodForm(this.#name, shape.method satisfies Method));
  }

  /** httpd looks at kept connections before it uses them. */
  async noticeClosed(): Promise<void> {}

  async counters(): Promise<readonly Counters[]> {
    await this.#settle(null);
    const { text } = await this.#manage({ method: 'GET', path: `${MANAGER_PATH}?xml=1`, headers: {}, body: null });
    return countersOf(text);
  }

  close(): void {
    this.#main.close();
  }

  async #send(client: Client, request: ClientRequest): Promise<ClientAnswer> {
    await this.#settle(client);
    this.#unsettled = client;
    return client.send(request);
  }

  /**
   * httpd counts a request as busy until it is logged, which is after its answer is out. The next request on the same
   * connection is read after that; a request on any other might be quicker.
   */
  async #settle(next: Client | null): Promise<void> {
    const before = this.#unsettled;
    this.#unsettled = null;
    if (before !== null && before !== next) await this.#barrier(before);
  }

  async #barrier(client: Client): Promise<void> {
    await client.send({ method: 'GET', path: BARRIER_PATH, headers: { host: this.#host }, body: null });
  }

  async #post(form: Parameters<typeof formOf>[0]): Promise<void> {
    await this.#settle(null);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    await this.#manage({ method: 'POST', path: MANAGER_PATH, headers, body: formOf(form) });
  }

  /** Without a Referer of the same host the manager ignores what it is told. */
  async #manage(request: ClientRequest): Promise<ClientAnswer> {
    const headers = { ...request.headers, host: this.#host, referer: `http://${this.#host}/` };
    const length = request.body === null ? {} : { 'content-length': String(request.body.length) };
    const answer = await this.#send(this.#main, { ...request, headers: { ...headers, ...length } });
    if (answer.status !== 200) throw new Error(`the manager of ${this.#name} answers ${answer.status}: ${answer.text}`);
    return answer;
  }
}
