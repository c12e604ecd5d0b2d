// The access log of a lane: one line of JSON for each request. Off, there is none of these.
import type { Clock } from '../lib/clock.ts';
import { accessLine } from './access-log-line.ts';
import type { AccessLogSink } from './access-log-sink.ts';
import type { Exchange } from './exchange.ts';
import type { RequestFault } from './proxy-error.ts';
import type { RequestFacts } from './request-facts.ts';

/** At the end: how often it is looked whether everything is written, and the time between. Milliseconds. */
const LAST_LOOKS = 30;
const PAUSE_MS = 10;

export class AccessLog {
  readonly #sink: AccessLogSink;
  readonly #clock: Clock;
  /** Requests that have begun and have no line yet. */
  #open = 0;

  constructor(sink: AccessLogSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  /** A request is served from here on; `note` follows. */
  begin(): void {
    this.#open += 1;
  }

  /** The request was served, or refused by the story. */
  note(facts: RequestFacts, fault: RequestFault | null): void {
    this.#open -= 1;
    if (this.#sink.isFull) return this.#sink.drop();
    const { exchange, balancer } = facts;
    const { requestId } = exchange;
    const line = accessLine({
      wallMs: this.#clock.wallMs(),
      clientAddress: exchange.clientAddress,
      request: exchange,
      status: exchange.status,
      bytes: exchange.sentBytes - facts.sentBefore,
      durationMs: this.#clock.nowMs() - exchange.startedMs,
      balancer: balancer === null ? null : balancer.unit,
      member: facts.member,
      attempts: facts.attempts,
      session: facts.session,
      fault,
      requestId: requestId === '' ? null : requestId,
    });
    this.#sink.add(line);
  }

  /** A request was answered before it could be served. `request`: null where what came was none. */
  noteAnswered(
    clientAddress: string,
    request: Exchange | null,
    status: number,
    fault: RequestFault | null,
    bytes: number,
  ): void {
    if (this.#sink.isFull) return this.#sink.drop();
    const requestId = request === null ? '' : request.requestId;
    const line = accessLine({
      wallMs: this.#clock.wallMs(),
      clientAddress,
      request,
      status,
      bytes,
      durationMs: request === null ? 0 : this.#clock.nowMs() - request.startedMs,
      balancer: null,
      member: -1,
      attempts: 0,
      session: null,
      fault,
      requestId: requestId === '' ? null : requestId,
    });
    this.#sink.add(line);
  }

  /** To be called every tenth of a second or so. */
  tick(): void {
    this.#sink.flush();
  }

  /** Waits a little for requests that are just ending and for a reader that is slow, writes what is left, and then tells. */
  end(onEnded: () => void): void {
    const look = (looksLeft: number): void => {
      this.#sink.flush();
      if (looksLeft > 0 && (this.#open > 0 || !this.#sink.isEmpty)) setTimeout(look, PAUSE_MS, looksLeft - 1);
      else {
        this.#sink.close();
        onEnded();
      }
    };
    look(LAST_LOOKS);
  }
}
