// Ends a client connection after its last answer: closes our side once the client has taken everything, then reads
// on for a moment and throws it away, because closing a socket with unread bytes resets it, and the answer is lost
// with it (RFC 9112 §9.6). Where nothing more can come it just closes, which is a third of the work. Writes nothing.
import type { Socket } from 'node:net';
import type { LaneServices } from './lane-services.ts';
import type { Closing } from './outbox.ts';
import { Timed } from './timer-wheel.ts';

/** How many times longer than one silence (`lingerMs`) a whole farewell may take. */
export const MAX_SILENCES = 10;

export class Farewell extends Timed implements Closing {
  readonly #socket: Socket;
  readonly #services: LaneServices;
  readonly #flushMs: number;
  readonly #isClientSilent: boolean;
  /** When the client must have gone; 0 while it has not taken everything. */
  #untilMs = 0;

  /**
   * `flushMs`: how long the client may take to read what it was sent. `isClientSilent`: nothing more comes from it, by its
   * own word.
   */
  constructor(socket: Socket, services: LaneServices, flushMs: number, isClientSilent: boolean) {
    super();
    this.#socket = socket;
    this.#services = services;
    this.#flushMs = flushMs;
    this.#isClientSilent = isClientSilent;
    services.outbox.close(this);
  }

  begin(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // The kernel has the whole answer, and sends it on before the end.
    if (this.#isClientSilent && socket.writableLength === 0) return void socket.destroy();
    const { wheel, clock } = this.#services;
    wheel.arm(this, clock.nowMs() + this.#flushMs);
    socket.once('close', () => wheel.forget(this));
    if (!socket.readableEnded) socket.resume();
    socket.end(() => this.#onFlushed());
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
