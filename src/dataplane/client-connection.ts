// One client connection: reads requests one after another, has each served, and answers in order.
// Bytes behind the request being served wait, and so does the socket. Knows nothing of members.
import type { Socket } from 'node:net';
import type { OutgoingHead } from '../wire/head-writer.ts';
import type { RequestParser } from '../wire/request-parser.ts';
import type { WireErrorCode } from '../wire/wire-error.ts';
import { ClientExchange, type TunnelEnd } from './client-exchange.ts';
import { Farewell } from './farewell.ts';
import type { ForwardingHeaders } from './forwarding-headers.ts';
import type { LaneServices } from './lane-services.ts';
import { ownAnswer } from './own-answer.ts';
import type { RequestFault } from './proxy-error.ts';
import { Outlet } from './outlet.ts';
import { readInto } from './read-into.ts';
import { ReadShare } from './read-turns.ts';
import { RequestBody } from './request-body.ts';
import { reset } from './reset.ts';
import { Timed } from './timer-wheel.ts';

/** What comes behind the request that is being served is read up to here. Bytes. */
const MAX_HELD_BYTES = 16_384;
const NO_BYTES = Buffer.alloc(0);
/** Pipelined requests that are answered without a member in one turn of the loop. Count. */
const REQUESTS_PER_TURN = 32;

export interface ClientConnectionOptions {
  readonly socket: Socket;
  readonly services: LaneServices;
  readonly forwarding: ForwardingHeaders;
  /** Serves one request; `exchange.end` is called when its answer is complete, cut or refused. */
  readonly serve: (exchange: ClientExchange) => void;
  /**
   * A request was answered here, before it could be served. Null: what came was none, for this reason. `bytes`: of the
   * answer.
   */
  readonly onAnsweredHere: (request: ClientExchange | null, fault: RequestFault | null, bytes: number) => void;
  /** Called once when the connection is gone. */
  readonly onClose: () => void;
}

export class ClientConnection extends Timed {
  readonly socket: Socket;
  readonly forwarding: ForwardingHeaders;
  /** Everything that was given to the socket so far. Bytes. */
  sentBytes = 0;
  /** Close after the next answer, because the lane wants to be rid of connections. */
  isRetiring = false;
  readonly #options: ClientConnectionOptions;
  readonly #services: LaneServices;
  readonly #outlet: Outlet;
  /** While a head is read, and as long as somebody may look at it. */
  #parser: RequestParser | null = null;
  #exchange: ClientExchange | null = null;
  /** Whether the exchange is being served. */
  #isServing = false;
  #tunnel: TunnelEnd | null = null;
  /** Bytes behind the request that is being served. */
  #pending: Buffer | null = null;
  #isReadingPending = false;
  #requests = 0;
  #isHeadBegun = false;
  readonly #share: ReadShare;
  /** Somebody waits until the client has read what it was sent. */
  #isDrainAwaited = false;
  /** The last answer is out. */
  #farewell: Farewell | null = null;
  /** The client has closed its side. */
  #hasEnded = false;
  #isClosed = false;

  constructor(options: ClientConnectionOptions) {
    super();
    const { socket, services, forwarding } = options;
    this.socket = socket;
    this.forwarding = forwarding;
    this.#options = options;
    this.#services = services;
    this.#outlet = new Outlet(socket, services.outbox);
    this.#share = new ReadShare(services.readTurns, socket, () => this.#readOn());
    readInto(services.readBuffer.target, socket, (bytes, size) => this.#onData(bytes, size));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    // 'close' follows every error and says all that matters.
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    this.#services.wheel.set(this, services.limits.headMs);
  }

  /** False: the socket is full; after `expectDrain` the exchange is told when it has drained. */
  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    this.sentBytes += end - start;
    this.#outlet.write(bytes, start, end);
    return this.#outlet.hasRoom;
  }

  /** The same for a head, or a whole answer, and what there is of its body, a little later. */
  post(head: OutgoingHead | string, body: Buffer = NO_BYTES, start = 0, end = body.length): boolean {
    this.sentBytes += this.#outlet.post(head, body, start, end);
    return this.#outlet.hasRoom;
  }

  /** Waits for the client to read: it may take this long. Milliseconds; 0: no limit. */
  expectDrain(timeoutMs: number): void {
    this.#isDrainAwaited = true;
    this.#services.wheel.set(this, timeoutMs);
  }

  /** The member took what there was of the request's body, or is there to take it. */
  resumeBody(): void {
    const exchange = this.#exchange;
    if (exchange !== null && !exchange.body.isComplete) this.#expectBody(exchange);
  }

  /** From now on all bytes go to and from `tunnel`, which is told first what has come already. */
  openTunnel(tunnel: TunnelEnd): void {
    this.#tunnel = tunnel;
    this.#services.wheel.disarm(this);
    const pending = this.#pending;
    this.#pending = null;
    if (pending === null || tunnel.clientSent(pending)) this.socket.resume();
    else this.#pause();
    if (this.#hasEnded) tunnel.clientEnded();
  }

  /** The tunnel takes more. */
  resumeTunnel(): void {
    if (!this.#share.isOver) this.socket.resume();
  }

  /** The tunnel sends nothing more. The answer that opened it may still be posted. */
  endTunnel(): void {
    this.#services.outbox.flush();
    this.socket.end();
  }

  retire(): void {
    this.isRetiring = true;
  }

  closeIfIdle(): void {
    if (this.#exchange !== null || this.#isHeadBegun || this.#farewell !== null) return;
    // A connection that has just been accepted may have its first request under way.
    if (this.#requests === 0) this.#services.wheel.set(this, this.#services.limits.lingerMs);
    else this.#end();
  }

  destroy(): void {
    this.#services.outbox.flush();
    this.socket.destroy();
  }

  /** Cuts the connection so that nobody takes it for a regular end. */
  reset(): void {
    this.#services.outbox.flush();
    reset(this.socket);
  }

  /** Nothing more will be done for the exchange: on to the next one. */
  exchangeEnded(exchange: ClientExchange): void {
    this.#isServing = false;
    if (this.#isClosed) return this.#giveBackParser();
    if (!exchange.isAnswered) this.destroy();
    else if (exchange.isLast) this.#end();
    else if (exchange.body.isComplete) this.#next(exchange);
    else {
      // The answer is out before the request's body was in, and little of it is missing.
      exchange.body.release();
      this.#expectBody(exchange);
    }
  }

  override onDeadline(): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      if (this.#isHeadBegun) this.#refuse('request-timeout');
      else this.destroy();
    } else if (this.#isDrainAwaited || exchange.status !== 0) {
      // The client does not read its answer, or stalls in a body that nobody waits for any more.
      this.destroy();
    } else {
      this.#fail('request-timeout');
    }
  }

  /** `bytes[0, size)` are good for this call only. */
  #onData(bytes: Buffer, size: number): void {
    const { readBuffer } = this.#services;
    if (this.#farewell !== null) return this.#farewell.onData();
    const exchange = this.#exchange;
    if (this.#pending !== null) this.#hold(bytes, 0, size);
    else if (exchange === null) this.#readHead(bytes, size);
    else if (this.#tunnel !== null) {
      if (!this.#tunnel.clientSent(readBuffer.keepable(bytes.subarray(0, size)))) this.#pause();
    } else if (exchange.body.isComplete) this.#hold(bytes, 0, size);
    else this.#readBody(exchange, bytes, 0, size);
    this.#share.count(size === readBuffer.target.length);
  }

  /** The next turn has begun. */
  #readOn(): void {
    if (this.#exchange === null) this.#readNext();
    else if (this.#tunnel !== null) this.socket.resume();
    else if (!this.#exchange.body.isComplete) this.#expectBody(this.#exchange);
  }

  #readHead(bytes: Buffer, size: number): void {
    this.#parser ??= this.#services.requestParsers.take();
    const parser = this.#parser;
    switch (parser.feed(bytes, 0, size)) {
      case 'more':
        if (this.#hasEnded) return this.#end();
        if (!this.#isHeadBegun && parser.hasBegun) {
          this.#isHeadBegun = true;
          this.#services.wheel.set(this, this.#services.limits.headMs);
        }
        return;
      case 'refused':
        return this.#refuse(parser.error as WireErrorCode);
      case 'done':
        return this.#begin(bytes, size, parser);
    }
  }

  #begin(bytes: Buffer, size: number, { head, position: bodyStart }: RequestParser): void {
    const { wheel, replayBudget, clock, limits } = this.#services;
    this.#isHeadBegun = false;
    this.#requests += 1;
    wheel.disarm(this);
    const body = new RequestBody(head.framing, head.contentLength, replayBudget, limits.body);
    const exchange = new ClientExchange(this, head, body, clock.nowMs(), limits);
    if (this.#requests >= limits.maxRequestsPerConnection || this.isRetiring) exchange.isLast = true;
    this.#exchange = exchange;
    if (bodyStart < size) {
      if (body.isComplete) this.#hold(bytes, bodyStart, size);
      else this.#readBody(exchange, bytes, bodyStart, size);
    } else if (!body.isComplete) this.#expectBody(exchange);
    if (this.#hasEnded) {
      if (!body.isComplete) return this.#end();
      if (this.#pending === null) exchange.isLast = true;
    }
    const sentBefore = this.sentBytes;
    this.#isServing = true;
    if (!exchange.answerHere()) return this.#options.serve(exchange);
    this.#options.onAnsweredHere(exchange, null, this.sentBytes - sentBefore);
    this.exchangeEnded(exchange);
  }

  #readBody(exchange: ClientExchange, bytes: Buffer, start: number, end: number): void {
    const { body } = exchange;
    const mayGoOn = body.feed(bytes, start, end);
    if (body.fault !== null) return this.#fail(body.fault);
    if (body.isComplete) {
      if (!this.#isDrainAwaited) this.#services.wheel.disarm(this);
      if (body.position < end) this.#hold(bytes, body.position, end);
      if (exchange.isAnswered) this.#next(exchange);
    } else {
      if (!this.#isDrainAwaited) this.#services.wheel.set(this, mayGoOn ? exchange.bodyTimeoutMs : 0);
      if (!mayGoOn) this.#pause();
    }
  }

  #expectBody(exchange: ClientExchange): void {
    this.socket.resume();
    if (this.#isDrainAwaited) return;
    // A client that waits for "100 Continue" has time until the member has spoken.
    this.#services.wheel.set(this, exchange.isContinueAwaited ? 0 : exchange.bodyTimeoutMs);
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    const { readBuffer } = this.#services;
    const more = bytes.subarray(start, end);
    this.#pending = this.#pending === null ? readBuffer.keepable(more) : Buffer.concat([this.#pending, more]);
    // Read on for a while: who has left is noticed by reading only.
    if (this.#pending.length >= MAX_HELD_BYTES) this.#pause();
  }

  /** Until whoever has a reason resumes it. */
  #pause(): void {
    this.#share.forget();
    this.socket.pause();
  }

  /** The answer is out and the request is in: on to the next one. */
  #next(exchange: ClientExchange): void {
    exchange.body.release();
    this.#exchange = null;
    this.#giveBackParser();
    if (this.isRetiring || (this.#hasEnded && this.#pending === null)) return this.#end();
    if (this.#outlet.hasRoom) return this.#readNext();
    // A client that sends requests and reads no answers gets no more of them.
    this.#pause();
    this.expectDrain(exchange.bodyTimeoutMs || this.#services.limits.headMs);
  }

  #readNext(): void {
    if (this.socket.isPaused()) this.socket.resume();
    this.#services.wheel.set(this, this.#services.limits.keepAliveMs);
    if (this.#pending !== null && !this.#isReadingPending) this.#readPending();
  }

  /**
   * A loop, because requests that are answered at once would else be read each from within the one before; and not without
   * end, because the others wait.
   */
  #readPending(): void {
    this.#isReadingPending = true;
    let left = REQUESTS_PER_TURN;
    while (this.#pending !== null && this.#exchange === null && !this.#isDrainAwaited && left > 0) {
      const pending = this.#pending;
      this.#pending = null;
      left -= 1;
      this.#readHead(pending, pending.length);
    }
    this.#isReadingPending = false;
    if (left === 0 && this.#pending !== null && this.#exchange === null) this.#share.end();
  }

  #onDrain(): void {
    this.#tunnel?.clientDrained();
    if (!this.#isDrainAwaited || this.#farewell !== null) return;
    this.#isDrainAwaited = false;
    const exchange = this.#exchange;
    if (exchange === null) return this.#readNext();
    const isBodyDue = !exchange.body.isComplete && !this.socket.isPaused();
    this.#services.wheel.set(this, isBodyDue ? exchange.bodyTimeoutMs : 0);
    exchange.peer?.resumeAnswer();
  }

  /** The request broke while it was served. */
  #fail(fault: RequestFault): void {
    const exchange = this.#exchange!;
    exchange.isLast = true;
    this.#services.wheel.disarm(this);
    this.#pause();
    if (exchange.peer !== null) exchange.peer.abort(fault);
    else if (exchange.isAnswered) this.#end();
    else exchange.body.fault ??= fault;
  }

  /** What came is no request. */
  #refuse(fault: RequestFault): void {
    const answer = ownAnswer(fault, false, true, 1);
    this.#options.onAnsweredHere(null, fault, answer.length);
    this.post(answer);
    this.#end();
  }

  /** There will be no further answer. */
  #end(): void {
    const exchange = this.#exchange;
    const isClientSilent = this.#pending === null && exchange !== null && exchange.isLastWord;
    exchange?.body.release();
    this.#exchange = null;
    this.#pending = null;
    this.#giveBackParser();
    this.#services.wheel.disarm(this);
    const flushMs = exchange?.bodyTimeoutMs || this.#services.limits.headMs;
    this.#farewell = new Farewell(this.socket, this.#services, flushMs, isClientSilent);
  }

  #onEnd(): void {
    this.#hasEnded = true;
    if (this.#farewell !== null) return;
    const exchange = this.#exchange;
    if (this.#tunnel !== null) this.#tunnel.clientEnded();
    else if (exchange === null) this.#end();
    else if (exchange.body.isComplete) exchange.isLast ||= this.#pending === null;
    else if (exchange.isAnswered) this.#end();
    else this.destroy();
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#services.wheel.forget(this);
    const exchange = this.#exchange;
    if (exchange !== null) {
      exchange.isClientGone = true;
      exchange.peer?.abort('client-gone');
      exchange.body.release();
    }
    this.#giveBackParser();
    this.#options.onClose();
  }

  /** Unless its head is still in use: an exchange may outlive its client. */
  #giveBackParser(): void {
    if (this.#parser === null || this.#isServing) return;
    this.#services.requestParsers.giveBack(this.#parser);
    this.#parser = null;
  }
}
