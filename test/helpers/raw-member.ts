// A member whose every byte a test decides: it accepts connections and does nothing by itself.
import { createServer, type Server } from 'node:net';
import { until } from './patience.ts';
import { RawSocket } from './raw-socket.ts';

export class RawMember {
  readonly #server: Server;
  /** Connections in the order in which they came, gone ones too. */
  readonly connections: RawSocket[] = [];
  /** What to do with each new connection; by default nothing. */
  onConnection: (connection: RawSocket, index: number) => void = () => {};
  #taken = 0;

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new RawSocket(socket);
      this.connections.push(connection);
      this.onConnection(connection, this.connections.length - 1);
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the member does not listen');
    return address.port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.connections.filter((connection) => !connection.isClosed).length;
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return this;
  }

  /** The next connection that no test has taken yet. */
  async next(): Promise<RawSocket> {
    const index = this.#taken;
    this.#taken += 1;
    await until(() => this.connections.length > index, `connection ${index} of the member`);
    return this.connections[index]!;
  }

  /** Answers every request head on every connection with these bytes; heads only, so send it requests without bodies. */
  answerAll(answer: string | ((head: string) => string)): this {
    this.onConnection = (connection) => {
      let seen = '';
      connection.socket.on('data', (chunk: Buffer) => {
        seen += chunk.toString('latin1');
        for (let end = seen.indexOf('\r\n\r\n'); end !== -1; end = seen.indexOf('\r\n\r\n')) {
          const head = seen.slice(0, end + 4);
          seen = seen.slice(end + 4);
          connection.send(typeof answer === 'string' ? answer : answer(head));
        }
      });
      connection.socket.on('end', () => connection.end());
    };
    return this;
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
