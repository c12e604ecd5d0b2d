// A server of the Model Context Protocol over Streamable HTTP (revision 2025-06-18), as far as sessions go: it answers
// `initialize` with Mcp-Session-Id, keeps what belongs to the session in memory, sends events over a GET, ends it by DELETE,
// and says 404 to ids that it does not know.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface McpSession {
  calls: number;
  /** The open GET of the client, if there is one. */
  events: ServerResponse | null;
}

interface Message {
  readonly id?: number;
  readonly method: string;
}

export class McpServer implements AsyncDisposable {
  readonly name: string;
  readonly sessions = new Map<string, McpSession>();
  /** What was said to be a session and is none. */
  readonly unknown: string[] = [];
  readonly #server: Server;

  static async start(name: string): Promise<McpServer> {
    const server = new McpServer(name);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  private constructor(name: string) {
    this.name = name;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    // Idle connections stay: no POST can meet one that is just being closed, which nobody may send twice.
    this.#server.keepAliveTimeout = 0;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  kill(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const message = body === '' ? null : (JSON.parse(body) as Message);
    if (message?.method === 'initialize') return this.#initialize(message, response);
    const id = request.headers['mcp-session-id'];
    if (typeof id !== 'string') return void response.writeHead(400).end();
    const session = this.sessions.get(id);
    if (session === undefined) {
      this.unknown.push(id);
      return void response.writeHead(404).end();
    }
    switch (request.method) {
      case 'GET':
        session.events = response;
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        return;
      case 'DELETE':
        session.events?.end();
        this.sessions.delete(id);
        return void response.writeHead(204).end();
      default:
        return this.#answer(session, message!, response);
    }
  }

  /** Ids look as those of the reference implementations: a UUID. */
  #initialize({ id }: Message, response: ServerResponse): void {
    const session = crypto.randomUUID();
    this.sessions.set(session, { calls: 0, events: null });
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { protocolVersion: '2025-06-18', capabilities: {} } }));
  }

  /** A call is answered as a stream of one event, and told over the GET too. */
  #answer(session: McpSession, { id, method }: Message, response: ServerResponse): void {
    if (id === undefined) return void response.writeHead(202).end();
    session.calls += 1;
    const result = { server: this.name, method, calls: session.calls };
    session.events?.write(
      `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: result })}\n\n`,
    );
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  }
}
