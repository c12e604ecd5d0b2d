// What is measured, and what the product must reach. Data only; run-case.ts measures.
import { BODY_BYTES, type MemberPath } from './load/member-sockets.ts';
import { type PeerName, SESSION_COOKIE } from './peers/peer.ts';

/** What a run can tell. Names end in their unit. */
export const METRICS = {
  cpuUs: { title: 'processor time, µs/request', digits: 1 },
  requestsPerSecond: { title: 'requests/s', digits: 0 },
  p50Us: { title: 'p50, µs', digits: 0 },
  p99Us: { title: 'p99, µs', digits: 0 },
  p999Us: { title: 'p99.9, µs', digits: 0 },
  idleKiB: { title: 'KiB/idle connection', digits: 1 },
  memoryMiB: { title: 'memory, MiB', digits: 0 },
} as const;

export type Metric = keyof typeof METRICS;

/** `loop`: all connections busy all the time. `steady`: requests at a fixed rate. `idle`: connections without requests. */
export type CaseKind = 'loop' | 'steady' | 'idle';

export interface BenchCase {
  readonly name: string;
  readonly title: string;
  readonly kind: CaseKind;
  /** The metric that ratios and plots are about. */
  readonly metric: Metric;
  readonly path: MemberPath;
  readonly members: number;
  readonly connections: number;
  readonly postBytes: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: all of them. */
  readonly peers: readonly PeerName[] | null;
}

const SESSION = { Cookie: `theme=dark; ${SESSION_COOKIE}=1B8A06D2C94F4E7D8E6A3F5B7C9D0E12` };

const BASE: BenchCase = {
  name: '',
  title: '',
  kind: 'loop',
  metric: 'cpuUs',
  path: '/small',
  members: 4,
  connections: 64,
  postBytes: 0,
  headers: SESSION,
  peers: null,
};

const BROWSER_HEADERS = {
  ...SESSION,
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language': 'en-GB,en;q=0.7,de;q=0.3',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  Connection: 'keep-alive',
  Referer: 'http://bench.test/catalogue/lamps?page=2',
  'Upgrade-Insecure-Requests': '1',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
  Priority: 'u=0, i',
};

/** With more members than this, the peers are those whose users have as many. */
const MANY_MEMBERS = 100;
const MANY_MEMBER_PEERS: readonly PeerName[] = ['evenkeel', 'nginx', 'haproxy', 'httpd'];

function withMembers(members: number): BenchCase {
  const peers = members > MANY_MEMBERS ? MANY_MEMBER_PEERS : null;
  const noun = members === 1 ? 'member' : 'members';
  return { ...BASE, name: `members-${members}`, title: `Small answers, ${members} ${noun}`, members, peers };
}

export const CASES: readonly BenchCase[] = [
  { ...BASE, name: 'small', title: `Small answers (${BODY_BYTES['/small']} bytes), 4 members` },
  {
    ...BASE,
    name: 'browser',
    title: 'Small answers, requests with the headers of a browser',
    headers: BROWSER_HEADERS,
  },
  { ...BASE, name: '16k', title: '16 KiB answers', path: '/medium' },
  { ...BASE, name: '1m', title: '1 MiB answers', path: '/large' },
  { ...BASE, name: 'post', title: '16 KiB POST', path: '/post', postBytes: 16_384 },
  {
    ...BASE,
    name: 'new-connection',
    title: 'A new connection for each request',
    headers: { ...SESSION, Connection: 'close' },
  },
  { ...BASE, name: 'latency', title: 'Latency at the same load', kind: 'steady', metric: 'p99Us' },
  { ...BASE, name: 'idle', title: '10,000 idle connections', kind: 'idle', metric: 'idleKiB', connections: 10_000 },
  withMembers(1),
  withMembers(10),
  withMembers(100),
  withMembers(1_000),
  withMembers(10_000),
];

/** A limit for the product's metric: so many times the peer's, or than the product's own in another case; or so much. */
export type Bound = {
  readonly case: string;
  readonly metric: Metric;
  readonly most: number;
} & ({ readonly peer: PeerName } | { readonly otherCase: string } | { readonly isAbsolute: true });

export const BOUNDS: readonly Bound[] = [
  { case: 'small', metric: 'cpuUs', peer: 'haproxy', most: 1.25 },
  { case: 'small', metric: 'cpuUs', peer: 'httpd', most: 0.45 },
  { case: 'small', metric: 'cpuUs', peer: 'http-proxy-3', most: 0.25 },
  { case: '16k', metric: 'cpuUs', peer: 'nginx', most: 1.1 },
  { case: '1m', metric: 'cpuUs', peer: 'nginx', most: 1.1 },
  { case: 'new-connection', metric: 'cpuUs', peer: 'nginx', most: 2 },
  { case: 'new-connection', metric: 'cpuUs', peer: 'httpd', most: 0.8 },
  { case: 'latency', metric: 'p99Us', peer: 'haproxy', most: 1.5 },
  { case: 'idle', metric: 'idleKiB', isAbsolute: true, most: 10 },
  { case: 'idle', metric: 'memoryMiB', isAbsolute: true, most: 300 },
  { case: 'members-10000', metric: 'cpuUs', otherCase: 'members-10', most: 2 },
];

/** For a short run: a look at whether something has gone wrong, not a measurement. */
export const QUICK = {
  cases: ['small', '16k', '1m', 'new-connection'],
  peers: ['evenkeel', 'nginx', 'haproxy', 'http-proxy-3'] satisfies readonly PeerName[] as readonly PeerName[],
  rounds: 3,
  seconds: 2,
  /** Bounds are this much wider. */
  slack: 2,
} as const;
