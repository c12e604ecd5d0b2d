// One lane in this thread behind a message channel, with everything a test wants to set, and its counters.
import { MessageChannel } from 'node:worker_threads';
import { runLane } from '../../src/dataplane/lane.ts';
import { defaultLaneLimits, type LaneLimits } from '../../src/dataplane/lane-services.ts';
import { ControlScoreboard } from '../../src/scoreboard/control-side.ts';
import { allocateScoreboard } from '../../src/scoreboard/layout.ts';
import type { FromLane, LaneSettings, Publication, ToLane } from '../../src/snapshot/lane-protocol.ts';
import type { BalancerUnit, MemberUnit, RuleUnit } from '../../src/snapshot/snapshot.ts';
import { until } from './patience.ts';
import { connectRaw } from './raw-client.ts';
import type { RawMember } from './raw-member.ts';
import type { RawSocket } from './raw-socket.ts';

/** A member of the balancer: a port of this machine, or more. */
export type MemberSpec = RawMember | number | (Partial<MemberUnit> & { readonly port: number });

export interface HarnessOptions {
  readonly timeouts?: Partial<BalancerUnit['timeouts']>;
  readonly limits?: Partial<BalancerUnit['limits']>;
  readonly failover?: Partial<BalancerUnit['failover']>;
  readonly hostHeader?: BalancerUnit['hostHeader'];
  readonly session?: BalancerUnit['session'];
  readonly laneLimits?: Partial<LaneLimits>;
  readonly settings?: Partial<LaneSettings>;
  readonly rules?: readonly RuleUnit[];
  /** Rows of the members in their order; without: one after the other. */
  readonly memberRows?: readonly number[];
}

const EVERYTHING: RuleUnit = { host: '*', pathType: 'Prefix', path: '/', balancer: 'test/app' };

/** Row of the balancer, and of the first member; the others follow. */
export const BALANCER_ROW = 1;
export const MEMBER_ROW = 1;

export class LaneHarness {
  readonly messages: FromLane[] = [];
  readonly scoreboard: ControlScoreboard;
  readonly #channel = new MessageChannel();
  readonly #options: HarnessOptions;
  readonly #clients: RawSocket[] = [];
  #generation = 0;
  #hasBalancer = false;
  port = 0;

  constructor(options: HarnessOptions) {
    this.#options = options;
    const buffers = allocateScoreboard(32, 8, 1);
    this.scoreboard = new ControlScoreboard(buffers);
    this.#channel.port1.on('message', (message: FromLane) => this.messages.push(message));
    runLane(this.#channel.port2, { ...defaultLaneLimits, ...options.laneLimits });
    this.post({
      type: 'start',
      settings: {
        lane: 0,
        scoreboard: buffers,
        bind: '127.0.0.1',
        httpPort: 0,
        reusePort: false,
        maxConnections: 10_000,
        viaName: 'evenkeel-test',
        trustedProxies: [],
        forwarding: { sendsForwarded: false, sendsVia: false, requestId: 'off' },
        memberGuard: null,
        accessLog: null,
        explainDigest: null,
        crashOnRequest: false,
        ...options.settings,
      },
    });
  }

  post(message: ToLane): void {
    this.#channel.port1.postMessage(message);
  }

  /** Publishes one balancer with these members and waits until it is served. */
  async publish(members: readonly MemberSpec[], change: HarnessOptions = {}): Promise<void> {
    this.#generation += 1;
    const options = { ...this.#options, ...change };
    const unit = balancerOf(members, options);
    const publication: Publication = {
      generation: this.#generation,
      rules: this.#hasBalancer ? null : (options.rules ?? [EVERYTHING]),
      set: [
        { unit, row: BALANCER_ROW, memberRows: options.memberRows ?? members.map((_, index) => MEMBER_ROW + index) },
      ],
      drop: [],
    };
    this.#hasBalancer = true;
    this.post({ type: 'publish', publication: JSON.stringify(publication) });
    const generation = this.#generation;
    await until(
      () => this.messages.some((m) => m.type === 'applied' && m.generation === generation),
      () => `generation ${generation}: ${JSON.stringify(this.messages)}`,
    );
    await until(() => this.#noteListening(), 'the lane to listen');
  }

  async client(): Promise<RawSocket> {
    const client = await connectRaw(this.port);
    this.#clients.push(client);
    return client;
  }

  /** A counter of the member with this index. */
  member(name: Parameters<ControlScoreboard['memberSum']>[0], index = 0, cell = 0): number {
    return this.scoreboard.memberSum(name, MEMBER_ROW + index, cell);
  }

  /** Attempts under way, as elections see them. */
  busy(index = 0): number {
    return Atomics.load(this.scoreboard.shared.busyTotal, MEMBER_ROW + index);
  }

  /** Answers that we made, by class; `row` 0: for requests without a balancer. */
  own(codeClass: number, row = BALANCER_ROW): number {
    return this.scoreboard.balancerSum('ownResponses', row, codeClass);
  }

  /** Everything that says how often a request was counted, as one object to compare. */
  get counts(): Readonly<Record<string, number>> {
    let responses = 0;
    let own = 0;
    let durations = 0;
    for (let row = MEMBER_ROW; row < 32; row += 1) {
      for (let cell = 0; cell < 6; cell += 1) responses += this.scoreboard.memberSum('responses', row, cell);
    }
    for (let row = 0; row < 8; row += 1) {
      for (let cell = 0; cell < 6; cell += 1) own += this.scoreboard.balancerSum('ownResponses', row, cell);
      for (let cell = 0; cell < 16; cell += 1) durations += this.scoreboard.balancerSum('durations', row, cell);
    }
    return { responses, own, durations };
  }

  /** Open client connections, as the lane counts them. */
  get connections(): number {
    return this.scoreboard.columns[0]!.connections[0]!;
  }

  /** Waits until no attempt is under way. */
  async settled(index = 0): Promise<void> {
    await until(
      () => this.busy(index) === 0,
      () => `busy to be 0, not ${this.busy(index)}`,
    );
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    this.post({ type: 'close' });
    await until(() => this.messages.some((m) => m.type === 'idle'), 'the lane to be idle');
    this.#channel.port1.close();
  }

  #noteListening(): boolean {
    for (const message of this.messages) {
      if (message.type === 'listen-failed') throw new Error(message.message);
      if (message.type === 'listening') this.port = message.port;
    }
    return this.port !== 0;
  }
}

function balancerOf(members: readonly MemberSpec[], options: HarnessOptions): BalancerUnit {
  return {
    key: 'test/app',
    namespace: 'test',
    name: 'app',
    lbMethod: 'byrequests',
    members: members.map(memberOf),
    failover: {
      maxAttempts: Math.min(3, members.length - 1),
      retryAfterMs: 60_000,
      forceRecovery: true,
      failOnStatus: [],
      failOnTimeout: false,
      ...options.failover,
    },
    timeouts: {
      connectMs: 5_000,
      responseMs: 20_000,
      bodyMs: 20_000,
      keepAliveMs: 20_000,
      tunnelMs: 20_000,
      waitMs: 0,
      ...options.timeouts,
    },
    limits: { maxBodyBytes: 0, maxConnectionsPerMember: 0, maxWaiting: 0, ...options.limits },
    hostHeader: options.hostHeader ?? 'Keep',
    session: options.session ?? null,
    drain: { timeoutMs: null, onTimeout: 'Redispatch', unreadyGraceMs: 0 },
    hash: null,
  };
}

function memberOf(spec: MemberSpec, index: number): MemberUnit {
  const given: Partial<MemberUnit> & { readonly port: number } =
    typeof spec === 'number' ? { port: spec } : 'connections' in spec ? { port: spec.port } : spec;
  return {
    identity: `member-${index}`,
    name: `member-${index}`,
    host: '127.0.0.1',
    sessionRoute: `m${index}`,
    redirect: null,
    factor: 100,
    lbSet: 0,
    role: 'Active',
    state: 'Enabled',
    ignoreErrors: false,
    pod: null,
    isLeaving: false,
    ...given,
  };
}

/** A port of this machine on which nobody listens. */
export const CLOSED_PORT = 1;

/** Starts a lane that serves these members, and closes all of it when the block is left. */
export async function startLane(members: readonly MemberSpec[], options: HarnessOptions = {}): Promise<LaneHarness> {
  const lane = new LaneHarness(options);
  await lane.publish(members);
  return lane;
}
