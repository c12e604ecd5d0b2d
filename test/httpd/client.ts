// One client connection to a proxy, kept from request to request. Where the proxy ends the connection, an answer counts
// as over only once it is ended: httpd does that after it has forgotten the request.
import { connect, type Socket } from 'node:net';

export interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
}

export interface ClientAnswer {
  readonly status: number;
  readonly text: string;
}

/** Milliseconds after which nobody can still be working on it. */
const PATIENCE_MS = 30_000;

export class Client {
  readonly #port: number;
  #socket: Socket | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** One request at a time. Rejects if the connection breaks. */
  send({ method, path, headers, body }: ClientRequest): Promise<ClientAnswer> {
    const socket = this.#connect();
    const { promise, resolve, reject } = Promise.withResolvers<ClientAnswer>();
    const settle = (answer: ClientAnswer | Error): void => {
      socket.setTimeout(0);
      for (const name of ['data', 'end', 'error', 'close', 'timeout']) socket.removeAllListeners(name);
      // It may break while nobody uses it; whoever does next will see.
      socket.on('error', () => {});
      if (answer instanceof Error) this.close();
      if (answer instanceof Error) reject(new Error(`${method} ${path}: ${answer.message}`, { cause: answer }));
      else resolve(answer);
    };
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      const answer = readAnswer(received);
      if (answer !== null && !answer.isLast) settle(answer);
    });
    socket.on('end', () => {
      this.close();
      settle(readAnswer(received) ?? new Error(`the connection ended after ${JSON.stringify(received)}`));
    });
    socket.on('error', settle);
    socket.on('close', () => settle(readAnswer(received) ?? new Error('the connection broke')));
    socket.setTimeout(PATIENCE_MS, () => settle(new Error(`no answer within ${PATIENCE_MS} ms`)));
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n`, 'latin1');
    socket.write(body === null ? head : Buffer.concat([head, body]));
    return promise;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #connect(): Socket {
    if (this.#socket === null || this.#socket.destroyed || this.#socket.readableEnded) {
      this.#socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    }
    return this.#socket;
  }
}

/** The answer, if all of it is there; `isLast`: the connection ends after it. */
function readAnswer(received: string): (ClientAnswer & { readonly isLast: boolean }) | null {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const head = received.slice(0, end + 2);
  const rest = received.slice(end + 4);
  const status = Number(head.slice(9, 12));
  if (status < 200) return readAnswer(rest);
  const isLast = /^connection: *close/im.test(head);
  const isChunked = /^transfer-encoding: *chunked/im.test(head);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const text = isChunked ? readChunks(rest) : rest.length >= Number(length ?? 0) ? rest : null;
  return text === null ? null : { status, text, isLast };
}

function readChunks(text: string): string | null {
  let payload = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (text.length < next) return null;
    if (size === 0) return payload;
    payload += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = next;
  }
}
