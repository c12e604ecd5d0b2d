// The way out to one socket. What the kernel takes at once is never copied; the rest is, and waits in the socket.
import type { Socket } from 'node:net';
import type { OutgoingHead } from '../wire/head-writer.ts';
import type { Outbox } from './outbox.ts';
import { BROKEN, descriptorOf, handleOf, type SocketHandle, writeNow } from './write-now.ts';

export class Outlet {
  /** Bytes that were sent, or wait in the socket. What a broken connection did not take is not among them. */
  sentBytes = 0;
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  #handle: SocketHandle | null = null;
  #descriptor = -1;
  /** Whether bytes wait in the socket, as far as was seen last. */
  #isBacked = false;
  /** The flush that sends what was posted last. */
  #postedFor = -1;

  constructor(socket: Socket, outbox: Outbox) {
    this.#socket = socket;
    this.#outbox = outbox;
  }

  /** Whether something was posted that is still to be sent at the end of this turn. */
  get isPosted(): boolean {
    return this.#postedFor === this.#outbox.flushes;
  }

  /**
   * Whether the socket takes more; else it will emit 'drain'. Node asks to wait after every write of its high-water mark, also
   * when the kernel took all of it at once; there is nothing to wait for then.
   */
  get hasRoom(): boolean {
    return !this.#isBacked || !this.#socket.writableNeedDrain || this.#socket.writableLength === 0;
  }

  /**
   * Sends a head, or all of a short answer (latin1), and what there is of its body, `bytes[start, end)`, this turn. Returns how
   * many bytes. The body may be overwritten afterwards.
   */
  post(head: OutgoingHead | string, bytes: Buffer, start: number, end: number): number {
    return this.#outbox.post(this, head, bytes, start, end);
  }

  /** Sends `bytes[start, end)` at once, behind what was posted. They may be overwritten afterwards. */
  write(bytes: Buffer, start: number, end: number): void {
    this.overtakeNothing();
    this.send(bytes, start, end);
  }

  /** For the outbox: something was posted. */
  expectFlush(): void {
    this.#postedFor = this.#outbox.flushes;
  }

  /** For the outbox: what was posted goes out before what is sent now. */
  overtakeNothing(): void {
    if (this.isPosted) this.#outbox.flush();
  }

  /** For the outbox: sends `bytes[start, end)` now. */
  send(bytes: Buffer, start: number, end: number): void {
    const handle = handleOf(this.#socket);
    if (handle === null) return;
    if (handle !== this.#handle) {
      this.#handle = handle;
      this.#descriptor = descriptorOf(handle);
    }
    if (this.#isBacked) this.#isBacked = this.#socket.writableLength > 0;
    const taken = this.#isBacked || this.#descriptor === -1 ? 0 : writeNow(this.#descriptor, bytes, start, end);
    if (taken === end - start) this.sentBytes += taken;
    else this.#sendRest(bytes, start, end, taken);
  }

  #sendRest(bytes: Buffer, start: number, end: number, taken: number): void {
    if (taken !== BROKEN) this.sentBytes += end - start;
    this.#isBacked = true;
    // Of a broken connection the socket hears by trying.
    this.#socket.write(Buffer.from(bytes.subarray(start + Math.max(taken, 0), end)));
  }
}
