// One HTTP/1.1 request of a client and the answer that it is owed. The request's body goes out of here to
// whichever member connection is attached; the member's answer comes in and goes to the client in the
// framing that the client understands. Does not choose members and does not parse heads.
import type { LimitsUnit, TimeoutsUnit } from '../snapshot/snapshot.ts';
import type { BodyDecoder } from '../wire/body-decoder.ts';
import { type FieldText, joinFieldText, noFieldText } from '../wire/field-text.ts';
import type { HeadLines } from '../balancer/sessions/head-lines.ts';
import {
  createDropTable,
  type DropTable,
  hopByHopIds,
  type OutgoingHead,
  responseHeadOut,
} from '../wire/head-writer.ts';
import { headerIds } from '../wire/header-id.ts';
import type { RequestHead } from '../wire/request-head.ts';
import type { ResponseHead } from '../wire/response-head.ts';
import type { ClientConnection } from './client-connection.ts';
import { editsForWire, linesForWire } from './edits-for-wire.ts';
import type { AddedLines, AnswerEdits, AnswerObserver, Exchange, RequestEdits } from './exchange.ts';
import type { LaneLimits } from './lane-services.ts';
import { ADDED_CHUNKED, ADDED_CLOSE, ADDED_KEEP_ALIVE, ADDED_UPGRADE, lastHopAnswer, ownAnswer } from './own-answer.ts';
import { readMaxForwards } from './max-forwards.ts';
import { type ProxyErrorCode, type RequestFault, statusOf } from './proxy-error.ts';
import type { RequestBody } from './request-body.ts';

/** What an exchange tells the member connection that carries it. */
export interface ExchangePeer {
  /** The client can take more of the answer. */
  resumeAnswer(): void;
  /** The client is gone, or what it sends is no sound body, or does not come. */
  abort(fault: RequestFault): void;
}

/** Takes over what comes from the client once its connection no longer speaks HTTP. */
export interface TunnelEnd {
  /** False: full; the client's socket is paused. */
  clientSent(bytes: Buffer): boolean;
  /** The client will send nothing more. */
  clientEnded(): void;
  /** The client can take more again. */
  clientDrained(): void;
}

/** How the answer's body reaches the client. */
type AnswerBody =
  /** As it came, framing included. */
  | 'as-is'
  /** Payload only; the end of the connection ends it (HTTP/1.0 clients). */
  | 'bare'
  /** In chunks of ours, because the member ends it by closing. */
  | 'chunks';

/** What concerns one connection only, and what only we tell or are told: no client's business, or not the member's word. */
const HOP_BY_HOP = [
  ...hopByHopIds,
  headerIds.proxyAuthenticate,
  headerIds.endpointLoadMetrics,
  headerIds.endpointLoadMetricsBin,
  headerIds.xEvenkeelExplain,
];
const DROPS = createDropTable(HOP_BY_HOP);
const DROPS_WITH_CODING = createDropTable([...HOP_BY_HOP, headerIds.transferEncoding, headerIds.trailer]);
const DROPS_WITH_FRAMING = createDropTable([
  ...HOP_BY_HOP,
  headerIds.transferEncoding,
  headerIds.trailer,
  headerIds.contentLength,
]);

const NO_BYTES = Buffer.alloc(0);
const LAST_CHUNK = '0\r\n\r\n';

export class ClientExchange implements Exchange {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly connection: ClientConnection;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly startedMs: number;
  readonly isLoop: boolean;
  requestEdits: RequestEdits | null = null;
  observer: AnswerObserver | null = null;
  isClientGone = false;
  /** Of the answer that has begun; 0: none has. */
  status = 0;
  /** Whether the client has the whole answer, as far as we are concerned. */
  isAnswered = false;
  /** Whether the client's connection ends after this answer. */
  isLast: boolean;
  /** Idle time of a body in either direction, milliseconds; 0: none. */
  bodyTimeoutMs: number;
  /** The member connection that carries the exchange now. */
  peer: ExchangePeer | null = null;
  readonly #limits: LaneLimits;
  #answerBody: AnswerBody = 'as-is';
  /** A head that waits for the first bytes of its body. */
  #unsentHead: OutgoingHead | null = null;
  #hasContinued = false;

  constructor(
    connection: ClientConnection,
    head: RequestHead,
    body: RequestBody,
    startedMs: number,
    limits: LaneLimits,
  ) {
    this.connection = connection;
    this.head = head;
    this.body = body;
    this.method = head.method;
    this.host = head.host;
    this.target = head.originTarget;
    this.startedMs = startedMs;
    this.isLoop = connection.forwarding.isLoop(head);
    this.isLast = !head.isKeepAlive;
    this.bodyTimeoutMs = limits.headMs;
    this.#limits = limits;
  }

  get clientAddress(): string {
    return this.connection.forwarding.peer;
  }

  get isSecure(): boolean {
    return this.connection.forwarding.isSecure;
  }

  /** One that members get as the client sent it counts too. */
  get requestId(): string {
    const made = this.connection.forwarding.requestId(this.head);
    if (made !== '') return made;
    const line = this.head.fields.find(headerIds.xRequestId);
    return line === -1 ? '' : this.head.fields.value(line);
  }

  get sentBytes(): number {
    return this.connection.sentBytes;
  }

  get lines(): HeadLines {
    return this.head.fields;
  }

  /** Whether this begins a WebSocket. Other upgrades are not served: they are stripped, and the request is plain. */
  get isUpgrade(): boolean {
    return this.head.upgrade !== '' && this.head.isWebSocket && this.method === 'GET';
  }

  /** Whether the client holds its body back until it is told to go on (RFC 9110 §10.1.1). */
  get isContinueAwaited(): boolean {
    return this.head.expectsContinue && !this.#hasContinued && !this.body.hasBegun;
  }

  /**
   * Whether the client has said that it sends nothing after this request (RFC 9112 §9.6). Not taken for granted after a
   * body: old clients send an empty line behind it (RFC 9112 §2.2).
   */
  get isLastWord(): boolean {
    return this.head.framing === 'none' && !this.head.isKeepAlive;
  }

  get fault(): RequestFault | null {
    return this.isClientGone ? 'client-gone' : this.body.fault;
  }

  get isReplayable(): boolean {
    return this.body.isReplayable;
  }

  admit(limits: LimitsUnit, timeouts: TimeoutsUnit): ProxyErrorCode | null {
    this.bodyTimeoutMs = timeouts.bodyMs;
    return this.body.limit(limits.maxBodyBytes) ? null : 'body-too-large';
  }

  refuse(fault: RequestFault, added: AddedLines = []): void {
    if (this.isClientGone) return;
    this.#answerWhole(statusOf(fault), (head, isLast) =>
      ownAnswer(fault, head.method === 'HEAD', isLast, head.minorVersion, linesForWire(added)),
    );
  }

  end(): void {
    this.connection.exchangeEnded(this);
  }

  /** Answers a request that may go no further than here; false: it may. */
  answerHere(): boolean {
    const hopsLeft = readMaxForwards(this.head);
    if (hopsLeft === 'bad-max-forwards') this.refuse(hopsLeft);
    if (hopsLeft === 0) this.#answerWhole(200, lastHopAnswer);
    return this.isAnswered;
  }

  /** Passes a 1xx on. HTTP/1.0 clients do not know them (RFC 9110 §15.2). */
  interim(head: ResponseHead): void {
    if (this.head.minorVersion === 0 || this.isClientGone) return;
    const via = this.connection.forwarding.viaLine(head.minorVersion);
    this.connection.post(responseHeadOut(head, DROPS_WITH_FRAMING, null, via));
    if (head.status !== 100 || !this.isContinueAwaited) return;
    this.#hasContinued = true;
    this.connection.resumeBody();
  }

  /** The final head is there. It goes out with the first bytes of its body, or by `flush`. */
  beginAnswer(head: ResponseHead): void {
    this.status = head.status;
    const isOld = this.head.minorVersion === 0;
    if (head.framing === 'close') this.#answerBody = isOld ? 'bare' : 'chunks';
    else if (head.framing === 'chunked' && isOld) this.#answerBody = 'bare';
    if (this.#answerBody === 'bare' || this.#willCloseForBody() || this.connection.isRetiring) this.isLast = true;
    let drops = this.#answerBody === 'as-is' && !isOld ? DROPS : DROPS_WITH_CODING;
    if (head.mayNotDeclareBody) drops = DROPS_WITH_FRAMING;
    let added = this.isLast ? ADDED_CLOSE : isOld ? ADDED_KEEP_ALIVE : noFieldText;
    if (this.#answerBody === 'chunks') added = joinFieldText(ADDED_CHUNKED, added);
    this.#unsentHead = this.#headOut(head, drops, added);
  }

  /** The member switches protocols: what follows its head is no HTTP any more. */
  switchProtocols(head: ResponseHead): void {
    this.status = head.status;
    this.isLast = true;
    this.connection.post(this.#headOut(head, DROPS_WITH_FRAMING, ADDED_UPGRADE));
  }

  /** Body bytes `[start, decoder.position)`, just taken by the decoder. False: the client is full; wait for `resumeAnswer`. */
  writeAnswer(bytes: Buffer, start: number, decoder: BodyDecoder): boolean {
    const end = decoder.position;
    if (start === end) return true;
    if (this.#answerBody === 'as-is') return this.#write(bytes, start, end);
    if (this.#answerBody === 'chunks') return this.#writeChunk(bytes, start, end);
    const payload = decoder.payloadIn(bytes);
    return payload.length === 0 || this.#write(payload, 0, payload.length);
  }

  endAnswer(): void {
    this.flush();
    if (this.#answerBody === 'chunks') this.connection.post(LAST_CHUNK);
    this.isAnswered = true;
  }

  /** Sends a head that still waits for its body. */
  flush(): void {
    if (this.#unsentHead !== null) this.#write(NO_BYTES, 0, 0);
  }

  /** Takes back an answer of which the client has seen nothing. False: it is too late. */
  withdrawAnswer(): boolean {
    if (this.#unsentHead === null) return false;
    this.#unsentHead = null;
    this.#answerBody = 'as-is';
    this.status = 0;
    return true;
  }

  /** The answer cannot be completed: only the end of the connection tells the client so. */
  cutAnswer(): void {
    this.isLast = true;
    // Where the end of the connection ends the body, a regular end would make half an answer look whole.
    if (this.#answerBody === 'bare') this.connection.reset();
    else this.connection.destroy();
  }

  #headOut(head: ResponseHead, drops: DropTable, line: FieldText): OutgoingHead {
    const added = joinFieldText(line, this.connection.forwarding.viaLine(head.minorVersion));
    const edits: AnswerEdits | null = this.observer === null ? null : this.observer.answerBegins(head.fields);
    if (edits === null) return responseHeadOut(head, drops, null, added);
    return responseHeadOut(head, drops, editsForWire(edits.lines), joinFieldText(linesForWire(edits.added), added));
  }

  #answerWhole(status: number, answer: (head: RequestHead, isLast: boolean) => string): void {
    this.status = status;
    if (this.#willCloseForBody() || this.connection.isRetiring) this.isLast = true;
    this.connection.post(answer(this.head, this.isLast));
    this.isAnswered = true;
  }

  /** All posted, so that a short chunk goes out in one write. */
  #writeChunk(bytes: Buffer, start: number, end: number): boolean {
    this.flush();
    this.connection.post(`${(end - start).toString(16)}\r\n`, bytes, start, end);
    return this.connection.post('\r\n');
  }

  #write(bytes: Buffer, start: number, end: number): boolean {
    if (this.isClientGone) return true;
    const head = this.#unsentHead;
    if (head === null) return this.connection.write(bytes, start, end);
    this.#unsentHead = null;
    return this.connection.post(head, bytes, start, end);
  }

  /**
   * Whether too much of the request's body is missing to wait for it after the answer. A client that was not told
   * to continue may send its body or not: there is no telling what its next bytes are.
   */
  #willCloseForBody(): boolean {
    return !this.body.isComplete && (this.isContinueAwaited || this.body.missingBytes > this.#limits.maxDrainBytes);
  }
}
