// A client of the Model Context Protocol over Streamable HTTP (revision 2025-06-18), as far as sessions go. It does with
// Mcp-Session-Id what the protocol says: sends what it was given, and begins anew when it is told 404.
import { eventually } from '../../helpers/patience.ts';

export interface CallResult {
  readonly server: string;
  readonly calls: number;
}

export class McpClient implements Disposable {
  /** What the server has sent over the GET. */
  readonly events: CallResult[] = [];
  session: string | null = null;
  /** How often it has begun a session. */
  begun = 0;
  /** Whether the stream of events is open. */
  isListening = false;
  readonly #endpoint: string;
  readonly #leaving = new AbortController();
  #lastId = 0;

  constructor(port: number) {
    this.#endpoint = `http://127.0.0.1:${port}/mcp`;
  }

  async initialize(): Promise<void> {
    this.session = null;
    const response = await this.#post({ id: this.#nextId(), method: 'initialize', params: {} });
    if (!response.ok) throw new Error(`initialize: ${response.status}`);
    this.session = response.headers.get('mcp-session-id');
    await response.json();
    this.begun += 1;
    const { status } = await this.#post({ method: 'notifications/initialized' });
    if (status !== 202) throw new Error(`initialized: ${status}`);
  }

  /** The status if it is not 200. */
  async call(): Promise<CallResult | number> {
    const response = await this.#post({ id: this.#nextId(), method: 'tools/call', params: { name: 'count' } });
    const text = await response.text();
    if (response.status !== 200) return response.status;
    return (JSON.parse(text.slice('data: '.length)) as { result: CallResult }).result;
  }

  /** As the protocol wants: 404 means that the session is over, so a new one is begun. */
  async callAndBeginAnew(): Promise<CallResult | number> {
    const result = await this.call();
    if (result !== 404) return result;
    await this.initialize();
    return this.call();
  }

  /** Opens the stream of events. */
  async listen(): Promise<void> {
    const headers = { ...this.#headers(), accept: 'text/event-stream' };
    const response = await fetch(this.#endpoint, { headers, signal: this.#leaving.signal });
    if (response.status !== 200 || response.body === null) throw new Error(`listen: ${response.status}`);
    this.isListening = true;
    void this.#read(response.body);
  }

  async hasHeard(count: number): Promise<void> {
    await eventually(() => {
      if (this.events.length < count) throw new Error(`${this.events.length} events of ${count}`);
    });
  }

  /** Ends the session; resolves with the status. */
  async end(): Promise<number> {
    return (await fetch(this.#endpoint, { method: 'DELETE', headers: this.#headers() })).status;
  }

  [Symbol.dispose](): void {
    this.#leaving.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    try {
      for await (const piece of body) {
        text += decoder.decode(piece, { stream: true });
        for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
          this.events.push((JSON.parse(text.slice('data: '.length, end)) as { params: CallResult }).params);
          text = text.slice(end + 2);
        }
      }
    } catch {
      // Cut: by us or by the end of the member.
    }
    this.isListening = false;
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #headers(): Record<string, string> {
    const session = this.session === null ? {} : { 'mcp-session-id': this.session };
    return { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18', ...session };
  }

  #post(message: object): Promise<Response> {
    const headers = { ...this.#headers(), 'content-type': 'application/json' };
    return fetch(this.#endpoint, { method: 'POST', headers, body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  }
}
