// What the benchmark needs of a proxy, its own product included: can it run here, which version, how to start it.
import type { MemberAddress } from '../load/members.ts';
import type { Place, ProcessTree } from '../processes.ts';

export const PEER_NAMES = ['evenkeel', 'nginx', 'haproxy', 'httpd', 'caddy', 'undici', 'http-proxy-3'] as const;

export type PeerName = (typeof PEER_NAMES)[number];

export interface PeerSetup {
  /** Port to listen on, on 127.0.0.1. */
  readonly port: number;
  /** For a port beside the traffic, where a peer has one. */
  readonly adminPort: number;
  readonly members: readonly MemberAddress[];
  /** An empty folder for configuration, logs and temporary files. */
  readonly folder: string;
  /** Lanes, worker processes or threads. */
  readonly lanes: number;
  readonly place: Place;
}

export interface Peer {
  readonly name: PeerName;
  /** As it stands in tables. */
  readonly title: string;
  /** The version, or why the peer cannot run here. */
  readonly find: () => Promise<{ readonly version: string } | { readonly missing: string }>;
  /** Starts it; the caller waits until it answers. One process or thread serves, keep-alive to members is on. */
  readonly start: (setup: PeerSetup) => Promise<ProcessTree>;
}

/** Timeouts that every peer gets. Seconds. */
export const TIMEOUTS_S = { connect: 5, idle: 60 } as const;

/** The cookie by which sessions are kept, where a peer can do so. */
export const SESSION_COOKIE = 'JSESSIONID';
