// The body of one request on its way from the client: validated, passed on as it came, and kept for
// another attempt as long as it is small. Knows the framing, not the sockets.
import { BodyDecoder } from '../wire/body-decoder.ts';
import type { Framing } from '../wire/framing.ts';
import type { BodyLimits } from '../wire/limits.ts';
import { type BlockPool, KeptBytes } from './kept-bytes.ts';
import type { RequestFault } from './proxy-error.ts';

/** Takes body bytes for a member. */
export interface BodySink {
  /** `bytes[start, end)` are good for the call only. False: full; the source pauses until it is told to go on. */
  writeBody(bytes: Buffer, start: number, end: number): boolean;
}

/** How much of all request bodies of a lane is kept for replay. */
export interface ReplayBudget {
  usedBytes: number;
  readonly maxBytes: number;
  /** Of one request. */
  readonly maxBytesEach: number;
  readonly blocks: BlockPool;
}

const NOTHING: readonly Buffer[] = [];

export class RequestBody {
  /** Whether all of it has arrived. */
  isComplete: boolean;
  /** Whether every byte so far is kept, so that an attempt can begin anew. */
  isReplayable = true;
  /** Why the request was given up on the client's side; null otherwise. */
  fault: RequestFault | null = null;
  /** After `feed`: where the first byte behind the body is. */
  position = 0;
  readonly #framing: Framing;
  readonly #contentLength: number;
  readonly #budget: ReplayBudget;
  readonly #decoder: BodyDecoder | null;
  #kept: KeptBytes | null = null;
  #sink: BodySink | null = null;
  #isDiscarding = false;
  /** 0: no limit. */
  #maxBytes = 0;

  constructor(framing: Framing, contentLength: number, budget: ReplayBudget, limits: BodyLimits) {
    this.#framing = framing;
    this.#contentLength = contentLength;
    this.#budget = budget;
    this.isComplete = framing === 'none' || (framing === 'length' && contentLength === 0);
    this.#decoder = this.isComplete ? null : new BodyDecoder(limits);
    this.#decoder?.begin(framing, contentLength);
  }

  /** Whether any byte of it has arrived. */
  get hasBegun(): boolean {
    const decoder = this.#decoder;
    return decoder !== null && decoder.payloadBytes + decoder.framingBytes > 0;
  }

  /** Payload that is still to come, as far as the client has said; Infinity when it has not. */
  get missingBytes(): number {
    if (this.isComplete) return 0;
    return this.#framing === 'length' ? this.#contentLength - this.#decoder!.payloadBytes : Infinity;
  }

  /** Sets the limit of the balancer. False when the body is, or says that it will be, beyond it. 0: no limit. */
  limit(maxBytes: number): boolean {
    this.#maxBytes = maxBytes;
    return !this.#isBeyondLimit();
  }

  /**
   * Takes `bytes[start, end)`, up to the end of the body; what is kept of them is copied. Returns whether the source may go on
   * at once.
   */
  feed(bytes: Buffer, start: number, end: number): boolean {
    const decoder = this.#decoder!;
    const progress = decoder.feed(bytes, start, end);
    if (progress === 'refused') {
      this.fault ??= decoder.error ?? 'bad-request-body';
      return false;
    }
    this.position = decoder.position;
    this.isComplete = decoder.isComplete;
    if (this.#isDiscarding) return true;
    if (this.#isBeyondLimit()) {
      this.fault ??= 'body-too-large';
      return false;
    }
    if (this.#sink === null) {
      this.#keep(bytes, start, decoder.position);
      return this.#mayHoldMore();
    }
    if (this.isReplayable) this.#keep(bytes, start, decoder.position);
    if (this.#isTooMuch()) this.#giveUpReplay()?.giveBack();
    return this.#sink.writeBody(bytes, start, decoder.position);
  }

  /**
   * Bytes from now on go to the sink; what came before is returned, to be sent first, before the next call. Only while
   * replayable.
   */
  attach(sink: BodySink): readonly Buffer[] {
    this.#sink = sink;
    if (this.#kept === null) return NOTHING;
    const pieces = this.#kept.pieces();
    // What had to be held before there was a sink may be more than is held for replay. It is not given back: it is still
    // to be sent.
    if (this.#isTooMuch()) this.#giveUpReplay();
    return pieces;
  }

  /** The attempt is over. */
  detach(): void {
    this.#sink = null;
  }

  /** The request is over: what is kept is let go, what still comes is thrown away. */
  release(): void {
    this.#sink = null;
    this.#isDiscarding = true;
    if (this.#kept !== null) this.#giveUpReplay()?.giveBack();
  }

  #isBeyondLimit(): boolean {
    if (this.#maxBytes === 0 || this.#decoder === null) return false;
    return Math.max(this.#decoder.payloadBytes, this.#contentLength) > this.#maxBytes;
  }

  /** Whoever has no sink yet gets one whether or not there is budget left, and goes on then. */
  #mayHoldMore(): boolean {
    const { usedBytes, maxBytes, maxBytesEach } = this.#budget;
    return this.#keptBytes < maxBytesEach && usedBytes < maxBytes;
  }

  #isTooMuch(): boolean {
    const { usedBytes, maxBytes, maxBytesEach } = this.#budget;
    return this.#keptBytes > maxBytesEach || usedBytes > maxBytes;
  }

  get #keptBytes(): number {
    return this.#kept === null ? 0 : this.#kept.length;
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#kept ??= new KeptBytes(this.#budget.blocks);
    this.#kept.add(bytes, start, end);
    this.#budget.usedBytes += end - start;
  }

  /** Returns what was kept. */
  #giveUpReplay(): KeptBytes | null {
    const kept = this.#kept;
    this.isReplayable = false;
    this.#budget.usedBytes -= this.#keptBytes;
    this.#kept = null;
    return kept;
  }
}
