// Stands between a client and the API server and breaks connections in the ways that networks do. Passes bytes on and
// never looks at them, so TLS goes through and the certificate is still the API server's.
import { createConnection, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Half-open: nothing comes through any more. */
  isDead: boolean;
}

export class FaultProxy implements AsyncDisposable {
  readonly #host: string;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  #listener: Server | null = null;
  #port = 0;
  #isSwallowing = false;
  #delayMs = 0;
  /** Connections accepted so far. */
  accepted = 0;

  /** Listens on the same address as the target, which is in its certificate, on a free port. */
  static async start(host: string, targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(host, targetPort);
    await proxy.accept();
    return proxy;
  }

  private constructor(host: string, targetPort: number) {
    this.#host = host;
    this.#targetPort = targetPort;
  }

  /** For a kubeconfig. */
  get server(): string {
    return `https://${this.#host}:${this.#port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Resets every connection; new ones are accepted. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /** Resets every connection and refuses new ones, until `accept`. */
  async refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (listener === null) resolve();
    else listener.close(() => resolve());
    this.cut();
    await promise;
  }

  /** Listens, on the port it had before if it had one. */
  async accept(): Promise<void> {
    if (this.#listener !== null) return;
    // Half-closed connections stay so: an end is passed on by hand.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connect(client));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listener.once('error', reject);
    listener.listen(this.#port, this.#host, resolve);
    await promise;
    this.#port = (listener.address() as { port: number }).port;
    this.#listener = listener;
  }

  /**
   * Half-open: connections, new ones too, stay open and are acknowledged, and nothing comes through in either direction,
   * no end and no reset either.
   */
  swallow(): void {
    this.#isSwallowing = true;
    for (const pair of this.#pairs) pair.isDead = true;
  }

  /** Ends `swallow` for new connections. Those that were dead stay so: what they lost cannot be had again. */
  passNew(): void {
    this.#isSwallowing = false;
  }

  /** Every chunk of bytes takes so long in each direction, from now on; 0: none. Order is kept. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
  }

  #connect(client: Socket): void {
    this.accepted += 1;
    const server = createConnection({
      host: this.#host,
      port: this.#targetPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    const pair: Pair = { client, server, isDead: this.#isSwallowing };
    this.#pairs.add(pair);
    this.#carry(pair, client, server);
    this.#carry(pair, server, client);
    for (const socket of [client, server]) {
      socket.on('error', () => this.#drop(pair));
      socket.on('close', () => this.#drop(pair));
    }
  }

  #carry(pair: Pair, from: Socket, to: Socket): void {
    // What came earlier is delivered earlier, also when the delay changes.
    let before = Promise.resolve();
    let waiting = 0;
    const deliver = (act: () => void): void => {
      if (this.#delayMs === 0 && waiting === 0) return act();
      waiting += 1;
      const due = new Promise<void>((resolve) => setTimeout(resolve, this.#delayMs));
      before = before
        .then(() => due)
        .then(() => {
          waiting -= 1;
          act();
        });
    };
    from.on('data', (bytes) => {
      if (pair.isDead) return;
      deliver(() => {
        if (to.destroyed || to.write(bytes)) return;
        from.pause();
        to.once('drain', () => from.resume());
      });
    });
    from.on('end', () => {
      if (!pair.isDead) deliver(() => void to.end());
    });
  }

  #drop(pair: Pair): void {
    // In a half-open connection one side does not learn that the other is gone.
    if (pair.isDead || !this.#pairs.delete(pair)) return;
    pair.client.destroy();
    pair.server.destroy();
  }
}
