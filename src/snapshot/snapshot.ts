// The contract between the planes: what a lane must know to serve, as plain data.
// No behaviour, no Kubernetes, no defaults: translate fills everything in, lanes only compile it.
import type { SessionUnit } from './session-unit.ts';

/** Names of the balancing methods; each has a file of that name in balancer/lbmethods/. */
export type LbMethodName = 'byrequests' | 'bytraffic' | 'bybusyness' | 'heartbeat' | 'leasttime' | 'hash';

/** Active members serve; spares replace unusable ones of their set; standbys serve when nobody else of their set can. */
export type MemberRole = 'Active' | 'HotSpare' | 'HotStandby';

/**
 * What the operator wants of a member. Draining: sessions only. Drained: its drain is over, so nothing, and its sessions go
 * the way of `DrainUnit.onTimeout`. Disabled: nothing. Stopped: nothing, and no probes.
 */
export type MemberState = 'Enabled' | 'Draining' | 'Drained' | 'Disabled' | 'Stopped';

/** One backend address of a balancer. */
export interface MemberUnit {
  /** Who this member is, whatever its address, weight or place; counters belong to (balancer, identity). */
  readonly identity: string;
  /** For people: the pod's name, else the URL. Unique within the balancer; a metric label. */
  readonly name: string;
  /** Host name or IP address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  /** The id that a session carries to come back to this member. */
  readonly sessionRoute: string;
  /** Session route to use instead while this member is unusable; null: none. */
  readonly redirect: string | null;
  /** httpd's internal weight: 100 to 10000, a hundred times the load factor. */
  readonly factor: number;
  /** 0 to 99; lower sets serve first. */
  readonly lbSet: number;
  readonly role: MemberRole;
  readonly state: MemberState;
  /** httpd's +I: errors do not put this member to rest. */
  readonly ignoreErrors: boolean;
  /** The pod behind it as `namespace/name`; null: none is known. */
  readonly pod: string | null;
  /** Whether it is about to end by itself: then there is no use in keeping its place when it is gone. */
  readonly isLeaving: boolean;
}

/** What becomes of the sessions of members that are leaving. */
export interface DrainUnit {
  /** How long a draining member keeps its sessions, in milliseconds; null: for as long as it is there. */
  readonly timeoutMs: number | null;
  /** Afterwards. Redispatch: as with those of members that are gone. Reject: they are refused. */
  readonly onTimeout: 'Redispatch' | 'Reject';
  /** How long an endpoint that stopped serving keeps its sessions, in milliseconds; 0: not at all. */
  readonly unreadyGraceMs: number;
}

/** When and how often a request may go to another member. */
export interface FailoverUnit {
  /** Further attempts after the first; 0: none. */
  readonly maxAttempts: number;
  /** How long a member rests after an error, in milliseconds; 0: not at all. */
  readonly retryAfterMs: number;
  /** When every member rests in error, wake all of them at once. */
  readonly forceRecovery: boolean;
  /** Statuses of a member's answer that put it to rest. */
  readonly failOnStatus: readonly number[];
  /** Whether a response that does not begin in time puts the member to rest. */
  readonly failOnTimeout: boolean;
}

/** All in milliseconds; 0 means no limit, except for `waitMs` and `keepAliveMs`, where it means not to wait and not to keep. */
export interface TimeoutsUnit {
  readonly connectMs: number;
  readonly responseMs: number;
  readonly bodyMs: number;
  readonly keepAliveMs: number;
  readonly tunnelMs: number;
  readonly waitMs: number;
}

/** 0 means no limit. */
export interface LimitsUnit {
  readonly maxBodyBytes: number;
  readonly maxConnectionsPerMember: number;
  readonly maxWaiting: number;
}

/** What the method `hash` hashes of a request. */
export interface HashUnit {
  readonly source: 'ClientAddress' | 'Header' | 'Cookie' | 'UrlParameter';
  /** Of the header, the cookie or the URL parameter, as users write it; '' for `ClientAddress`. */
  readonly name: string;
}

/** A unit of publication: one balancer with all that its requests need. */
export interface BalancerUnit {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly lbMethod: LbMethodName;
  /** In order of configuration: ties go to the earlier member. */
  readonly members: readonly MemberUnit[];
  readonly failover: FailoverUnit;
  readonly timeouts: TimeoutsUnit;
  readonly limits: LimitsUnit;
  /** The Host header of members: the client's, or the member's own authority. */
  readonly hostHeader: 'Keep' | 'Replace';
  /** How sessions are kept on their member; null: they are not. */
  readonly session: SessionUnit | null;
  readonly drain: DrainUnit;
  /** Not null under the method `hash`, null otherwise. */
  readonly hash: HashUnit | null;
}

/** One line of the rule table: a host and a path that lead to a balancer. */
export interface RuleUnit {
  /** Lower case, without port and trailing dot: `shop.example.com`, `*.example.com` (one label), or `*` for every host. */
  readonly host: string;
  readonly pathType: 'Exact' | 'Prefix';
  /** Percent-decoded, as one character per byte (latin1 of the UTF-8 bytes); starts with `/`, no trailing `/` but for `/` itself under Prefix. */
  readonly path: string;
  /** Key of the balancer. */
  readonly balancer: string;
}

/** The whole of what lanes serve. Immutable; a change makes another one. */
export interface Snapshot {
  /** By key. */
  readonly balancers: ReadonlyMap<string, BalancerUnit>;
  /** The other unit of publication: the table of rules, without duplicates of (host, pathType, path). */
  readonly rules: readonly RuleUnit[];
}
