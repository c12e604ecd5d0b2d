// Stands in for the client's socket before http-proxy-3, which writes to, ends and destroys the socket that it is
// given in every case: so the real one stays ours for failover, for our own answers and for counting.
import { Duplex } from 'node:stream';
import type { ClientConnection } from './client-connection.ts';
import type { ReadTurns } from './read-turns.ts';

/** A read that was full: there is more where it came from. Bytes. */
const FULL_READ_BYTES = 65_536;

export class TunnelSocket extends Duplex {
  /** The next write is the head that http-proxy-3 makes of a 101; the client gets ours. */
  isHeadDue = false;
  /** The client speaks through the tunnel now: an end of this stream is an end of its connection. */
  isOpen = false;
  readonly #client: ClientConnection;
  readonly #readTurns: ReadTurns;
  readonly #onMemberBytes: (count: number) => void;
  /** Waits until the client has read. */
  #resumeWriting: (() => void) | null = null;

  /** `onMemberBytes`: so many bytes came from the member. */
  constructor(client: ClientConnection, readTurns: ReadTurns, onMemberBytes: (count: number) => void) {
    super({ highWaterMark: FULL_READ_BYTES, allowHalfOpen: true });
    this.#client = client;
    this.#readTurns = readTurns;
    this.#onMemberBytes = onMemberBytes;
    // Nothing here can fail by itself; errors of the real sockets are told by their 'close'.
    this.on('error', () => {});
  }

  clientDrained(): void {
    const resume = this.#resumeWriting;
    this.#resumeWriting = null;
    resume?.();
  }

  // What http-proxy-3 asks of a socket besides a stream; the real sockets are set up already.
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    this.#client.resumeTunnel();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.isHeadDue) {
      this.isHeadDue = false;
      return done();
    }
    this.#onMemberBytes(chunk.length);
    if (!this.#client.socket.destroyed && !this.#client.write(chunk)) this.#resumeWriting = done;
    else if (chunk.length >= FULL_READ_BYTES) this.#readTurns.wait({ onTurn: done });
    else done();
  }

  override _final(done: () => void): void {
    if (this.isOpen) this.#client.endTunnel();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.clientDrained();
    done(error);
  }
}
