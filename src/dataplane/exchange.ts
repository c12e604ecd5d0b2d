// The seam between the story of a request and the protocols that carry it. The story decides where a
// request goes; listeners make exchanges; a forwarder makes one attempt. Neither side knows the other's sockets.
import type { HeadLines } from '../balancer/sessions/head-lines.ts';
import type { LimitsUnit, TimeoutsUnit } from '../snapshot/snapshot.ts';
import type { ProxyErrorCode, RequestFault } from './proxy-error.ts';

/** Lines of a head by index: a new value, or null to leave the line out. */
export type LineEdits = ReadonlyMap<number, string | null>;

/** Lines to add to a head: names and values. */
export type AddedLines = readonly (readonly [name: string, value: string])[];

/** In what the member's request differs from the client's, apart from what every member gets. */
export interface RequestEdits {
  /** Null: the target that came. */
  readonly target: string | null;
  readonly lines: LineEdits | null;
  readonly added: AddedLines;
}

/** In what the client's answer differs from the member's, likewise. */
export interface AnswerEdits {
  readonly lines: LineEdits | null;
  readonly added: AddedLines;
}

/** Who looks at the head of a member's answer before the client gets it. */
export interface AnswerObserver {
  /** Called once for the final head of each attempt. Null: it goes on as it is. `lines` does not outlive the call. */
  answerBegins(lines: HeadLines): AnswerEdits | null;
}

/** One request of a client and the answer that it is owed. */
export interface Exchange {
  readonly method: string;
  /** Host and port as the client sent them; '' when it sent none. */
  readonly host: string;
  /** `/path?query` as it was sent, or `*`. */
  readonly target: string;
  /** Address of the client's end of the connection. */
  readonly clientAddress: string;
  /** Whether the client came by HTTPS. */
  readonly isSecure: boolean;
  /** The header lines of the request. */
  readonly lines: HeadLines;
  /** For the attempts to come; null: nothing but what every member gets is changed. */
  requestEdits: RequestEdits | null;
  /** For the attempts to come; null: nobody looks. */
  observer: AnswerObserver | null;
  /** When its head was complete: milliseconds on the lane's clock. */
  readonly startedMs: number;
  /** Whether the request came back to a process that it has passed before. */
  readonly isLoop: boolean;
  /** Why no further attempt is worth making (the client is gone, its body is malformed), or null. */
  readonly fault: RequestFault | null;
  /** Whether the same body can be sent once more. */
  readonly isReplayable: boolean;
  /** X-Request-Id as members get it; '' for none. */
  readonly requestId: string;
  /** Of the answer that has begun; 0: none has. */
  readonly status: number;
  /** Everything that the client's connection was sent so far. Bytes. */
  readonly sentBytes: number;
  /** Takes the limits and timeouts of the balancer that the request belongs to. Returns the fault when it is beyond them. */
  admit(limits: LimitsUnit, timeouts: TimeoutsUnit): ProxyErrorCode | null;
  /** Answers without a member. Only while no answer has begun. `added`: lines for this client only; default none. */
  refuse(fault: RequestFault, added?: AddedLines): void;
  /** Nothing more will be done for the request: its answer is complete, cut or refused. Called once. */
  end(): void;
}

/** Where an attempt goes. One object per member and address, kept through changes of weight and state. */
export interface MemberTarget {
  /** Row of the scoreboard. */
  readonly row: number;
  readonly host: string;
  readonly port: number;
  /** Whether it gets its own authority as Host, instead of the client's. */
  readonly replacesHost: boolean;
}

/** How an attempt ended. */
export type Outcome =
  /** The client has the whole answer. */
  | { readonly kind: 'answered'; readonly status: number }
  /** The answer had begun, and broke off. */
  | { readonly kind: 'cut'; readonly status: number; readonly fault: ProxyErrorCode }
  /** The client has got nothing yet. */
  | { readonly kind: 'failed'; readonly fault: RequestFault };

/** Who has an attempt made. */
export interface AttemptOwner {
  /** Called once. The next attempt may be begun from within. */
  attemptEnded(outcome: Outcome): void;
}

/** Makes attempts. */
export interface Forwarder<E extends Exchange, M extends MemberTarget> {
  /**
   * Sends the request to the member and carries its answer to the client until both are through; then tells the owner.
   * Counts bytes; everything else is the story's.
   */
  forward(exchange: E, target: M, timeouts: TimeoutsUnit, owner: AttemptOwner): void;
}
