// One connection to a member: carries one exchange at a time, then waits in the pool for the next.
// Whatever the member does (close, stall, send rubbish, send too much), the exchange ends exactly once.
import type { Socket } from 'node:net';
import type { TimeoutsUnit } from '../snapshot/snapshot.ts';
import { readKeepAliveTimeout } from '../wire/keep-alive.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import type { ClientExchange, ExchangePeer } from './client-exchange.ts';
import { faultOfConnecting } from './connect-fault.ts';
import type { AttemptOwner, MemberTarget, Outcome } from './exchange.ts';
import { isIdempotent } from './idempotent.ts';
import type { LaneServices } from './lane-services.ts';
import type { MemberAddress } from './member-pool.ts';
import { Outlet } from './outlet.ts';
import { isClientsFault, type RequestFault } from './proxy-error.ts';
import { ReadShare } from './read-turns.ts';
import type { BodySink } from './request-body.ts';
import type { ResponseReader } from './response-reader.ts';
import { Timed } from './timer-wheel.ts';

const NO_BYTES = Buffer.alloc(0);
/** A kept connection is given up so long before its member does: a request that meets the member's close is lost. */
const KEPT_MARGIN_MS = 1_000;
/** Of one attempt; further ones make it a malformed answer, as in httpd. */
export const MAX_INTERIM_ANSWERS = 10;

type State =
  /** In the pool. */
  | 'idle'
  | 'connecting'
  /** Waiting for a head. */
  | 'head'
  /** In the body of the answer. */
  | 'body'
  | 'closed';

export class MemberConnection extends Timed implements BodySink, ExchangePeer {
  readonly #services: LaneServices;
  readonly #address: MemberAddress;
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  readonly #bornMs: number;
  #state: State = 'connecting';
  #exchange: ClientExchange | null = null;
  #target: MemberTarget | null = null;
  #timeouts: TimeoutsUnit | null = null;
  #owner: AttemptOwner | null = null;
  /** From the first bytes of an answer until it is over. */
  #reader: ResponseReader | null = null;
  /** Whether it has carried an exchange before. */
  #isKept = false;
  /** Whether any byte of an answer has come since the exchange began. */
  #hasAnswerBegun = false;
  #interimAnswers = 0;
  readonly #share: ReadShare;
  /** Bytes sent before the exchange that it carries. */
  #sentBefore = 0;
  /** Bytes received that the scoreboard does not know yet. */
  #uncounted = 0;
  /** Why the socket is being destroyed, where the socket does not know. */
  #fault: RequestFault | null = null;

  constructor(services: LaneServices, address: MemberAddress) {
    super();
    this.#services = services;
    this.#address = address;
    this.#bornMs = services.clock.nowMs();
    const socket = services.dialler.connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      onread: {
        buffer: services.readBuffer.target,
        callback: (size, buffer) => this.#onRead(size, buffer as Buffer),
      },
    });
    this.#socket = socket;
    this.#outlet = new Outlet(socket, services.outbox);
    this.#share = new ReadShare(services.readTurns, socket, () => socket.resume());
    socket.on('connect', () => this.#onConnect());
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#state === 'connecting') this.#fault ??= faultOfConnecting(error);
      // 'close' comes at the end of the turn: until then somebody might take it.
      if (this.#state === 'idle') this.#address.forget(this);
    });
    socket.on('close', () => this.#onClose());
  }

  /** Sends the request and carries the answer. The owner is told when both are through or the connection is gone. */
  carry(exchange: ClientExchange, target: MemberTarget, timeouts: TimeoutsUnit, owner: AttemptOwner): void {
    this.#exchange = exchange;
    this.#target = target;
    this.#timeouts = timeouts;
    this.#owner = owner;
    this.#fault = null;
    this.#hasAnswerBegun = false;
    this.#interimAnswers = 0;
    this.#sentBefore = this.#outlet.sentBytes;
    exchange.peer = this;
    if (this.#state === 'idle') this.#send(exchange);
    else this.#services.wheel.set(this, timeouts.connectMs);
  }

  /** More of the request's body. */
  writeBody(bytes: Buffer, start: number, end: number): boolean {
    this.#countSent(end - start);
    this.#outlet.write(bytes, start, end);
    this.#awaitHead();
    return this.#outlet.hasRoom;
  }

  resumeAnswer(): void {
    if (this.#state !== 'body') return;
    this.#socket.resume();
    this.#services.wheel.set(this, this.#timeouts!.bodyMs);
  }

  abort(fault: RequestFault): void {
    this.#fault = fault;
    this.destroy();
  }

  destroy(): void {
    // Out of the pool at once: until 'close' somebody might take it.
    if (this.#state === 'idle') this.#address.forget(this);
    this.#socket.destroy();
  }

  override onDeadline(): void {
    switch (this.#state) {
      case 'connecting':
        return this.abort('connect-timeout');
      case 'head':
        return this.abort('response-timeout');
      case 'body':
        return this.abort('response-cut');
      case 'idle':
      case 'closed':
        return this.destroy();
    }
  }

  #onConnect(): void {
    // Nothing is sent, and little of a body read, before there is somebody to take it: another member may have to.
    if (this.#exchange !== null) this.#send(this.#exchange);
  }

  #send(exchange: ClientExchange): void {
    this.#state = 'head';
    const { forwarding } = exchange.connection;
    const { replacesHost } = this.#target!;
    const head = forwarding.write(exchange.head, this.#address.authority, exchange.requestEdits, replacesHost);
    const kept = exchange.body.attach(this);
    const first = kept[0] ?? NO_BYTES;
    let bytes = this.#outlet.post(head, first, 0, first.length);
    for (let i = 1; i < kept.length; i += 1) {
      this.#outlet.write(kept[i]!, 0, kept[i]!.length);
      bytes += kept[i]!.length;
    }
    this.#countSent(bytes);
    if (!exchange.body.isComplete && this.#outlet.hasRoom) exchange.connection.resumeBody();
    this.#awaitHead();
  }

  /** The response timeout runs while it is the member's turn, not while the client is slow with its body. */
  #awaitHead(): void {
    const exchange = this.#exchange;
    if (this.#state !== 'head' || exchange === null) return;
    const isMembersTurn = exchange.body.isComplete || exchange.isContinueAwaited || !this.#outlet.hasRoom;
    this.#services.wheel.set(this, isMembersTurn ? this.#timeouts!.responseMs : 0);
  }

  #onDrain(): void {
    this.#exchange?.connection.resumeBody();
    this.#awaitHead();
  }

  #onRead(size: number, buffer: Buffer): boolean {
    this.#onData(buffer, size);
    this.#share.count(size === buffer.length);
    return true;
  }

  #onData(bytes: Buffer, size: number): void {
    const exchange = this.#exchange;
    // Nobody asked for anything.
    if (exchange === null) return this.destroy();
    // An answer to nothing: the request has not been written yet.
    if (this.#outlet.isPosted) return this.destroy();
    let at = 0;
    this.#hasAnswerBegun = true;
    if (this.#reader === null) {
      this.#reader = this.#services.responseReaders.take();
      this.#reader.parser.begin(exchange.method);
    }
    const reader = this.#reader;
    if (this.#state === 'head') at = this.#readHead(exchange, reader, bytes, size);
    if (at !== -1) this.#readBody(exchange, reader, bytes, at, size);
  }

  /** Returns where the body begins in `bytes[0, size)`, or -1 when there is nothing to go on with. */
  #readHead(exchange: ClientExchange, { parser, decoder }: ResponseReader, bytes: Buffer, size: number): number {
    let at = 0;
    while (true) {
      const progress = parser.feed(bytes, at, size);
      if (progress === 'more') return -1;
      if (progress === 'refused' || parser.head.isSwitch) return this.#refuseHead();
      at = parser.position;
      this.#uncounted += parser.head.reasonEnd;
      if (!parser.head.isInterim) break;
      this.#countReceived();
      this.#interimAnswers += 1;
      if (this.#interimAnswers > MAX_INTERIM_ANSWERS) return this.#refuseHead();
      exchange.interim(parser.head);
      // Told to go on, it is the client's turn.
      this.#awaitHead();
    }
    const { head } = parser;
    this.#state = 'body';
    decoder.begin(head.framing, head.contentLength);
    exchange.beginAnswer(head);
    return at;
  }

  #refuseHead(): -1 {
    this.abort('bad-response-head');
    return -1;
  }

  #readBody(
    exchange: ClientExchange,
    { parser, decoder }: ResponseReader,
    bytes: Buffer,
    start: number,
    size: number,
  ): void {
    const before = start === 0 ? decoder.payloadBytes : 0;
    const progress = decoder.feed(bytes, start, size);
    if (progress === 'refused') return this.#refuseBody(exchange);
    this.#uncounted += decoder.payloadBytes - before;
    this.#countReceived();
    const isRoomLeft = exchange.writeAnswer(bytes, start, decoder);
    if (decoder.isComplete) return this.#complete(exchange, parser.head, decoder.position === size);
    exchange.flush();
    if (isRoomLeft) return this.#services.wheel.set(this, this.#timeouts!.bodyMs);
    this.#services.wheel.disarm(this);
    this.#share.forget();
    this.#socket.pause();
    exchange.connection.expectDrain(this.#timeouts!.bodyMs);
  }

  /** As long as the client has seen nothing, a malformed body is a malformed answer. */
  #refuseBody(exchange: ClientExchange): void {
    this.#countReceived();
    if (!exchange.withdrawAnswer()) return this.abort('response-cut');
    this.#state = 'head';
    this.abort('bad-response-head');
  }

  /** The answer is whole. The connection is good for another one if both messages are over and nothing is left behind. */
  #complete(exchange: ClientExchange, head: ResponseHead, isClean: boolean): void {
    exchange.endAnswer();
    const keptMs = this.#keptMs(head);
    const isReusable =
      isClean &&
      head.isKeepAlive &&
      keptMs > 0 &&
      exchange.body.isComplete &&
      this.#outlet.hasRoom &&
      this.#services.clock.nowMs() - this.#bornMs < this.#services.limits.maxMemberConnectionAgeMs;
    this.#state = 'idle';
    this.#isKept = true;
    // Ready before the owner hears of it, who may have the next request sent.
    if (isReusable && this.#address.keep(this)) this.#services.wheel.set(this, keptMs);
    else this.destroy();
    this.#finish({ kind: 'answered', status: head.status });
  }

  /** How long the connection may rest: as we were told, and less than its member said. 0, or below: not at all. */
  #keptMs(head: ResponseHead): number {
    const { keepAliveMs } = this.#timeouts!;
    const saidS = readKeepAliveTimeout(head.fields);
    return saidS === -1 ? keepAliveMs : Math.min(keepAliveMs, saidS * 1000 - KEPT_MARGIN_MS);
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    const reader = this.#reader;
    if (this.#state === 'body' && exchange !== null && reader?.decoder.finish()) {
      this.#complete(exchange, reader.parser.head, false);
    } else this.destroy();
  }

  #onClose(): void {
    const before = this.#state;
    this.#state = 'closed';
    this.#services.wheel.forget(this);
    if (before === 'idle') this.#address.forget(this);
    const exchange = this.#exchange;
    if (exchange === null) return;
    const fault = this.#fault ?? (before === 'connecting' ? 'connect-refused' : 'closed-before-head');
    if (before !== 'body') return this.#finish({ kind: 'failed', fault });
    const { status } = exchange;
    exchange.cutAnswer();
    this.#finish({ kind: 'cut', status, fault: isClientsFault(fault) ? 'client-gone' : 'response-cut' });
  }

  #finish(outcome: Outcome): void {
    const exchange = this.#exchange!;
    exchange.peer = null;
    exchange.body.detach();
    this.#exchange = null;
    const owner = this.#owner!;
    this.#owner = null;
    this.#giveBackReader();
    if (this.#isWorthRepeating(exchange, outcome)) {
      new MemberConnection(this.#services, this.#address).carry(exchange, this.#target!, this.#timeouts!, owner);
    } else owner.attemptEnded(outcome);
  }

  #giveBackReader(): void {
    if (this.#reader === null) return;
    this.#services.responseReaders.giveBack(this.#reader);
    this.#reader = null;
  }

  /**
   * A member may close a kept connection just as we use it. It has not acted on the request then, as far as one can know;
   * what is safe to send twice, or was not sent at all, is sent once more (RFC 9110 §9.2.2).
   */
  #isWorthRepeating(exchange: ClientExchange, outcome: Outcome): boolean {
    if (outcome.kind !== 'failed' || outcome.fault !== 'closed-before-head') return false;
    const isStale = this.#isKept && !this.#hasAnswerBegun;
    if (!isStale || !exchange.isReplayable) return false;
    return isIdempotent(exchange.method) || this.#outlet.sentBytes === this.#sentBefore;
  }

  #countSent(bytes: number): void {
    this.#services.scoreboard.countSent(this.#target!.row, bytes);
  }

  #countReceived(): void {
    if (this.#uncounted === 0) return;
    this.#services.scoreboard.countReceived(this.#target!.row, this.#uncounted);
    this.#uncounted = 0;
  }
}
