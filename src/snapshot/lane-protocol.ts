// The messages between the control plane and a lane: configuration, seldom and whole. Numbers go
// through the scoreboard; request data never crosses. Everything here survives structured cloning.
import type { ScoreboardBuffers } from './scoreboard-buffers.ts';
import type { BalancerUnit, RuleUnit } from './snapshot.ts';

/** A balancer with the rows of the scoreboard that its counters live in. */
export interface PlacedBalancer {
  readonly unit: BalancerUnit;
  /** Row of the balancer. */
  readonly row: number;
  /** Row of each member, in the order of `unit.members`. */
  readonly memberRows: readonly number[];
}

/** The difference between two generations. A lane that has none gets the difference from nothing: everything. */
export interface Publication {
  /** Counts up by one with each publication, from 1. */
  readonly generation: number;
  /** The whole rule table, or null when it did not change. */
  readonly rules: readonly RuleUnit[] | null;
  /** Balancers that are new or changed. */
  readonly set: readonly PlacedBalancer[];
  /** Keys of balancers that are gone. */
  readonly drop: readonly string[];
}

/** What members and clients are told of the way of a message, beyond `X-Forwarded-*`. */
export interface ForwardingSettings {
  /** Whether members get the header Forwarded (RFC 7239). */
  readonly sendsForwarded: boolean;
  /** Whether members and clients get the header Via (RFC 9110 §7.6.3). */
  readonly sendsVia: boolean;
  /**
   * X-Request-Id to members. `off`: left alone. `make`: a new one, except that a trusted proxy's is passed on. `pass`:
   * every client's is passed on, and made where there is none.
   */
  readonly requestId: 'off' | 'make' | 'pass';
}

/** Refuses members that point inwards. */
export interface MemberGuardSettings {
  /** Networks that members may be in nevertheless: CIDR texts. */
  readonly allowed: readonly string[];
}

/** A line for each request. */
export interface AccessLogSettings {
  /** Null: standard output. */
  readonly path: string | null;
}

/** What a lane needs before its first publication. */
export interface LaneSettings {
  /** 0 to lanes - 1: which column of the scoreboard it writes, and its phase. */
  readonly lane: number;
  readonly scoreboard: ScoreboardBuffers;
  readonly bind: string;
  readonly httpPort: number;
  /** Whether other lanes listen on the same port. */
  readonly reusePort: boolean;
  /** Client connections of one lane beyond which further ones are closed at once. */
  readonly maxConnections: number;
  /** Pseudonym of this process in Via and in the loop check: [a-z0-9.-]. */
  readonly viaName: string;
  /** Peers whose forwarding headers are believed: CIDR texts. */
  readonly trustedProxies: readonly string[];
  readonly forwarding: ForwardingSettings;
  /** Null: members may be anywhere. */
  readonly memberGuard: MemberGuardSettings | null;
  /** Null: there is none. */
  readonly accessLog: AccessLogSettings | null;
  /** SHA-256, in hex, of the secret that makes answers explain themselves; null: none does. Secret like it: never logged. */
  readonly explainDigest: string | null;
  /** Whether the message `crash` is obeyed; tests only. */
  readonly crashOnRequest: boolean;
}

/** From the control plane to a lane. */
export type ToLane =
  | { readonly type: 'start'; readonly settings: LaneSettings }
  /** A `Publication` as JSON: serialised once, the same text for every lane. */
  | { readonly type: 'publish'; readonly publication: string }
  /** There is another explain secret; see `LaneSettings`. */
  | { readonly type: 'explain'; readonly digest: string }
  /** Tell keep-alive clients to close; go on accepting. */
  | { readonly type: 'retire-connections' }
  /** Stop accepting, finish what is in flight, then report `idle`. */
  | { readonly type: 'stop-accepting' }
  /** Cut whatever is left. */
  | { readonly type: 'close' }
  /** Die by an uncaught exception. Obeyed only where `crashOnRequest` is set. */
  | { readonly type: 'crash' };

/** From a lane to the control plane. */
export type FromLane =
  | { readonly type: 'applied'; readonly generation: number }
  /** The lane could not compile this generation and serves the one before. */
  | { readonly type: 'refused'; readonly generation: number; readonly message: string }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'listen-failed'; readonly code: string; readonly message: string }
  | { readonly type: 'idle' }
  /** A member was not dialled, because its host led to an address that points inwards. Once for each pair. */
  | { readonly type: 'member-refused'; readonly host: string; readonly address: string };
