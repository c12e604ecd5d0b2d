// One end of a TCP connection under a test's control, byte for byte. Speaks no HTTP.
import type { Socket } from 'node:net';
import { until } from './patience.ts';

export class RawSocket {
  readonly socket: Socket;
  /** The other side has closed its half. */
  hasEnded = false;
  /** The connection is gone. */
  isClosed = false;
  /** The code of the error that it died of; '' for none. */
  error = '';
  /** All bytes that came, also those that `take` has taken. */
  receivedBytes = 0;
  #chunks: Buffer[] = [];
  #isKeeping = true;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      if (this.#isKeeping) this.#chunks.push(chunk);
    });
    socket.on('end', () => {
      this.hasEnded = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  /** What came and was not taken yet, as latin1 text. */
  get text(): string {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]?.toString('latin1') ?? '';
  }

  send(data: string | Buffer): this {
    if (typeof data === 'string') this.socket.write(data, 'latin1');
    else this.socket.write(data);
    return this;
  }

  /** Sends each piece in a segment of its own, as far as one can. */
  async sendPieces(...pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => this.socket.write(piece, 'latin1', () => resolve()));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Closes our half. */
  end(): this {
    this.socket.end();
    return this;
  }

  /** Closes with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Reads no more, so that the other side's writes stall in the end. */
  stopReading(): this {
    this.socket.pause();
    return this;
  }

  startReading(): this {
    this.socket.resume();
    return this;
  }

  /** Counts what comes from now on instead of keeping it. */
  countOnly(): this {
    this.#isKeeping = false;
    return this;
  }

  /** Waits until `pattern` is in the text, and takes everything up to its end. */
  async take(pattern: string | RegExp): Promise<string> {
    let end = -1;
    const look = (): boolean => {
      const { text } = this;
      if (typeof pattern === 'string') {
        const at = text.indexOf(pattern);
        end = at === -1 ? -1 : at + pattern.length;
      } else {
        const match = pattern.exec(text);
        end = match === null ? -1 : match.index + match[0].length;
      }
      return end !== -1;
    };
    await until(look, () => `${String(pattern)}; so far: ${JSON.stringify(this.text.slice(-2_000))}`);
    const { text } = this;
    this.#chunks = [Buffer.from(text.slice(end), 'latin1')];
    return text.slice(0, end);
  }

  async takeBytes(count: number): Promise<string> {
    await until(
      () => this.text.length >= count,
      () => `${count} bytes; so far: ${this.text.length}`,
    );
    const { text } = this;
    this.#chunks = [Buffer.from(text.slice(count), 'latin1')];
    return text.slice(0, count);
  }

  /** One answer or request: the head, and the body that it announces. Not for messages without a framed body. */
  async takeMessage(hasBody = true): Promise<{ readonly head: string; readonly body: string }> {
    const head = await this.take('\r\n\r\n');
    if (!hasBody || /^HTTP\/1\.1 (1\d\d|204|304)/.test(head)) return { head, body: '' };
    if (/^transfer-encoding: *chunked/im.test(head)) return { head, body: await this.takeChunked() };
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    return { head, body: length === undefined ? '' : await this.takeBytes(Number(length)) };
  }

  /** The payload of a chunked body, and its trailers behind a `|`, if there are any. */
  async takeChunked(): Promise<string> {
    let payload = '';
    while (true) {
      const size = Number.parseInt(await this.take('\r\n'), 16);
      if (Number.isNaN(size)) throw new Error('not a chunk size');
      if (size === 0) break;
      payload += await this.takeBytes(size);
      await this.take('\r\n');
    }
    let trailers = '';
    while (true) {
      const line = await this.take('\r\n');
      if (line === '\r\n') return trailers === '' ? payload : `${payload}|${trailers}`;
      trailers += line;
    }
  }

  /** Waits for the other side to close its half in an orderly way. Returns what came and was not taken. */
  async ended(): Promise<string> {
    await until(
      () => this.hasEnded || this.isClosed,
      () => `the end; so far: ${JSON.stringify(this.text.slice(-500))}`,
    );
    if (!this.hasEnded) throw new Error(`the connection was reset: ${this.error}`);
    return this.text;
  }

  /** Waits until the other side is gone, however. Returns what came and was not taken. */
  async gone(): Promise<string> {
    await until(
      () => this.isClosed || this.hasEnded,
      () => `the other side to be gone; so far: ${JSON.stringify(this.text.slice(-500))}`,
    );
    return this.text;
  }
}
