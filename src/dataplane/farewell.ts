// Ends a client connection after its last answer: closes our side once the client has taken everything, then reads
// on for a moment and throws it away, because closing a socket with unread bytes resets it, and the answer is lost
// with it (RFC 9112 §9.6). Writes nothing.
import type { Socket } from 'node:net';
import type { LaneServices } from './lane-services.ts';
import { Timed } from './timer-wheel.ts';

/** How many times longer than one silence the whole farewell may take. */
const MAX_SILENCES = 10;

export class Farewell extends Timed {
  readonly #socket: Socket;
  readonly #services: LaneServices;
  /** When the client must have gone; 0 while it has not taken everything. */
  #untilMs = 0;

  /** `flushMs`: how long the client may take to read what it was sent. */
  constructor(socket: Socket, services: LaneServices, flushMs: number) {
    super();
    this.#socket = socket;
    this.#services = services;
    const { wheel, clock } = services;
    wheel.arm(this, clock.nowMs() + flushMs);
    socket.once('close', () => wheel.forget(this));
    socket.end(() => this.#onFlushed());
    if (!socket.readableEnded) socket.resume();
  }

  /** More came that nobody wants. */
  onData(): void {
    if (this.#untilMs === 0) return;
    const { wheel, clock, limits } = this.#services;
    wheel.arm(this, Math.min(clock.nowMs() + limits.lingerMs, this.#untilMs));
  }

  override onDeadline(): void {
    this.#socket.destroy();
  }

  #onFlushed(): void {
    if (this.#socket.destroyed) return;
    const { clock, limits } = this.#services;
    this.#untilMs = clock.nowMs() + MAX_SILENCES * limits.lingerMs;
    this.onData();
  }
}
