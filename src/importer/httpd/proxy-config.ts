// What httpd would proxy, as plain data: servers with their mappings, and balancers. Nothing of it is translated yet.
import type { SourceLine } from '../finding.ts';
import type { Parameters } from './parameters.ts';
import type { PathMatch } from './path-pattern.ts';
import type { ProxyTarget } from './proxy-target.ts';

/** Paths of a server and where their requests go. */
export interface Mapping {
  readonly at: SourceLine;
  readonly text: string;
  readonly match: PathMatch;
  readonly target: ProxyTarget;
  /** The path that a member gets in place of the matched one; null: the same. */
  readonly memberPath: string | null;
  readonly parameters: Parameters;
}

export interface MemberLine {
  readonly at: SourceLine;
  readonly text: string;
  readonly url: string;
  readonly parameters: Parameters;
}

/** All that is said of one balancer in one server. */
export interface BalancerConfig {
  readonly name: string;
  readonly members: MemberLine[];
  /** Of ProxySet and of ProxyPass lines, the last one of a key. */
  readonly parameters: Map<string, { readonly value: string; readonly at: SourceLine }>;
  at: SourceLine;
}

/** The recipe that sets a cookie by `Header add Set-Cookie … env=BALANCER_ROUTE_CHANGED`. */
export interface RouteCookie {
  readonly at: SourceLine;
  readonly name: string;
  /** As behind the value: `path=/; HttpOnly`. */
  readonly attributes: readonly string[];
}

/** The main server, or a virtual host. */
export interface ServerConfig {
  readonly at: SourceLine;
  /** Null: the main server. */
  readonly parent: ServerConfig | null;
  readonly hosts: { readonly name: string; readonly at: SourceLine }[];
  readonly mappings: Mapping[];
  /** Those in <Location>, which count before the others. */
  readonly locations: Mapping[];
  readonly balancers: Map<string, BalancerConfig>;
  /** URLs of single servers with parameters of their own (`<Proxy http://…>`, `ProxySet http://…`). */
  readonly routeCookies: RouteCookie[];
  readonly checks: Map<string, Parameters>;
  readonly conditions: Map<string, string>;
  preservesHost: boolean | null;
  hasReverse: boolean;
  inherits: boolean;
  proxyTimeoutMs: number | null;
  timeoutMs: number | null;
  maxBodyBytes: number | null;
}

/** A server of which nothing is known but where it stands. */
export function newServer(at: SourceLine, parent: ServerConfig | null): ServerConfig {
  return {
    at,
    parent,
    hosts: [],
    mappings: [],
    locations: [],
    balancers: new Map(),
    routeCookies: [],
    checks: new Map(parent?.checks),
    conditions: new Map(parent?.conditions),
    preservesHost: null,
    hasReverse: false,
    inherits: true,
    proxyTimeoutMs: null,
    timeoutMs: null,
    maxBodyBytes: null,
  };
}

/** The balancer of a name in a server, which is there from the first time it is named. */
export function balancerOf(server: ServerConfig, name: string, at: SourceLine): BalancerConfig {
  const known = server.balancers.get(name);
  if (known !== undefined) return known;
  const config = { name, members: [], parameters: new Map(), at };
  server.balancers.set(name, config);
  return config;
}
