// Snapshots in short, a log that remembers, and lanes that do what a test says.
import type { LaneEvents, LaneStarter } from '../../../src/control/lane-thread-handle.ts';
import type { Logger } from '../../../src/lib/logger.ts';
import type { FromLane, PlacedBalancer, Publication, ToLane } from '../../../src/snapshot/lane-protocol.ts';
import type { BalancerUnit, MemberUnit, RuleUnit, Snapshot } from '../../../src/snapshot/snapshot.ts';

export function member(identity: string, changes: Partial<MemberUnit> = {}): MemberUnit {
  return {
    identity,
    name: identity,
    host: '127.0.0.1',
    port: 80,
    sessionRoute: identity,
    redirect: null,
    factor: 100,
    lbSet: 0,
    role: 'Active',
    state: 'Enabled',
    ignoreErrors: false,
    pod: null,
    isLeaving: false,
    ...changes,
  };
}

/** A balancer `shop/NAME`; members are given by identity or whole. */
export function balancer(name: string, members: readonly (string | MemberUnit)[]): BalancerUnit {
  return {
    key: `shop/${name}`,
    namespace: 'shop',
    name,
    lbMethod: 'byrequests',
    members: members.map((each) => (typeof each === 'string' ? member(each) : each)),
    failover: { maxAttempts: 1, retryAfterMs: 60_000, forceRecovery: true, failOnStatus: [], failOnTimeout: false },
    timeouts: { connectMs: 1, responseMs: 1, bodyMs: 1, keepAliveMs: 1, tunnelMs: 1, waitMs: 0 },
    limits: { maxBodyBytes: 0, maxConnectionsPerMember: 0, maxWaiting: 0 },
    hostHeader: 'Keep',
    session: null,
    drain: { timeoutMs: null, onTimeout: 'Redispatch', unreadyGraceMs: 0 },
    hash: null,
  };
}

export function snapshotOf(...balancers: readonly BalancerUnit[]): Snapshot {
  const rules: RuleUnit[] = balancers.map(({ key, name }) => ({
    host: name,
    pathType: 'Prefix',
    path: '/',
    balancer: key,
  }));
  return { balancers: new Map(balancers.map((unit) => [unit.key, unit])), rules };
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export class RecordedLog implements Logger {
  readonly lines: LogLine[] = [];
  debug = this.#at('debug');
  info = this.#at('info');
  warn = this.#at('warn');
  error = this.#at('error');

  /** Takes the lines out, as `level message`. */
  take(): string[] {
    return this.lines.splice(0).map(({ level, message }) => `${level} ${message}`);
  }

  #at(level: LogLine['level']) {
    return (fields: LogLine['fields'], message: string): void => void this.lines.push({ level, message, fields });
  }
}

/** A lane as far as publications go: what it serves after those that it was sent. */
export class ReplayedLane {
  readonly balancers = new Map<string, PlacedBalancer>();
  rules: readonly RuleUnit[] = [];
  generation = 0;

  apply({ generation, rules, set, drop }: Publication): void {
    for (const placed of set) this.balancers.set(placed.unit.key, placed);
    for (const key of drop) this.balancers.delete(key);
    if (rules !== null) this.rules = rules;
    this.generation = generation;
  }
}

export function publicationOf(message: ToLane): Publication {
  if (message.type !== 'publish') throw new Error(`not a publication: ${message.type}`);
  return JSON.parse(message.publication) as Publication;
}

/** One life of a lane. */
export class FakeLane {
  readonly messages: ToLane[] = [];
  readonly #events: LaneEvents;
  isTerminated = false;

  constructor(events: LaneEvents) {
    this.#events = events;
  }

  /** Types of the messages so far. */
  get types(): string[] {
    return this.messages.map(({ type }) => type);
  }

  say(message: FromLane): void {
    this.#events.onMessage(message);
  }

  exit(error: Error | null = new Error('boom')): void {
    this.#events.onExit(error);
  }

  handle() {
    return {
      post: (message: ToLane) => void this.messages.push(message),
      terminate: () => {
        this.isTerminated = true;
      },
    };
  }
}

/** A starter, and every lane that it started. */
export function fakeLanes(): { readonly started: FakeLane[]; readonly startLane: LaneStarter } {
  const started: FakeLane[] = [];
  const startLane: LaneStarter = (events) => {
    const lane = new FakeLane(events);
    started.push(lane);
    return lane.handle();
  };
  return { started, startLane };
}
