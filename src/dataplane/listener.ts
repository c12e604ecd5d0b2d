// Accepts client connections for one lane and knows which are open. Does not read from them.
import { createServer, type Server, type Socket } from 'node:net';

/** What the listener needs of a connection. */
export interface AcceptedConnection {
  /** Say in the next answer that the connection closes after it. */
  retire(): void;
  /** Close now if no request has begun. */
  closeIfIdle(): void;
  /** Cut it. */
  destroy(): void;
}

export interface ListenerOptions {
  readonly bind: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** Open connections beyond which new ones are closed at once. */
  readonly maxConnections: number;
  /** Takes a new connection over; `onClose` must be called once when it is gone. */
  readonly accept: (socket: Socket, onClose: () => void) => AcceptedConnection;
  readonly onConnectionCount: (open: number) => void;
  /** One more was accepted. */
  readonly onConnection: () => void;
  /** Stopped accepting and the last connection is gone. */
  readonly onIdle: () => void;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  /** Those that stay for now, oldest first, and those that were told to close. */
  readonly #staying = new Set<AcceptedConnection>();
  readonly #leaving = new Set<AcceptedConnection>();
  #isRetiring = false;
  #isStopped = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    // Half-open: a client that has sent its last request may close its side and still get the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('connection', (socket) => this.#onConnection(socket));
  }

  /** Resolves with the port; rejects with the system's error. */
  async listen(): Promise<number> {
    const { bind, port, reusePort } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host: bind, port, reusePort, backlog: 4096 }, resolve);
    await promise;
    this.#server.off('error', reject);
    // Running out of descriptors must not end the lane; the kernel keeps the connection in its queue.
    this.#server.on('error', () => {});
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : port;
  }

  /** Connections, new ones too, close after their next answer. */
  retire(): void {
    this.#isRetiring = true;
    this.retireSome(this.#staying.size);
  }

  /** Connections that were not told to close. */
  get staying(): number {
    return this.#staying.size;
  }

  /** Closes so many connections after their next answer, the oldest first; returns how many there were. */
  retireSome(count: number): number {
    let retired = 0;
    for (const connection of this.#staying) {
      if (retired === count) break;
      retired += 1;
      this.#staying.delete(connection);
      this.#leaving.add(connection);
      connection.retire();
    }
    return retired;
  }

  /** Accepts nothing more; `onIdle` follows when the last connection is gone. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#server.close();
    this.retire();
    for (const connection of this.#leaving) connection.closeIfIdle();
    this.#reportIdle();
  }

  /** Cuts everything. */
  close(): void {
    this.stop();
    for (const connection of this.#leaving) connection.destroy();
  }

  #onConnection(socket: Socket): void {
    // Gone already: there is nobody to name to members, let alone to answer.
    if (socket.remoteAddress === undefined) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const connection = this.#options.accept(socket, () => {
      this.#staying.delete(connection);
      this.#leaving.delete(connection);
      this.#options.onConnectionCount(this.#openCount);
      this.#reportIdle();
    });
    this.#staying.add(connection);
    this.#options.onConnectionCount(this.#openCount);
    this.#options.onConnection();
    if (this.#isRetiring) this.retireSome(1);
  }

  get #openCount(): number {
    return this.#staying.size + this.#leaving.size;
  }

  #reportIdle(): void {
    if (this.#isStopped && this.#openCount === 0) this.#options.onIdle();
  }
}
