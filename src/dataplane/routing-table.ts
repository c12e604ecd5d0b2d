// What a lane serves now: the rules and the compiled balancers of one generation. A publication makes
// the next one in place; requests under way keep the balancer that they began with.
import type { CompiledBalancer } from '../balancer/compiled-balancer.ts';
import { compile, type LaneContext } from '../balancer/compile.ts';
import { type CompiledSession, compileSession } from '../balancer/sessions/compiled-session.ts';
import { createRendezvous, type Rendezvous } from '../balancer/sessions/rendezvous.ts';
import type { SessionSketch } from '../balancer/sessions/session-sketch.ts';
import type { PlacedBalancer, Publication } from '../snapshot/lane-protocol.ts';
import type { BalancerUnit } from '../snapshot/snapshot.ts';
import type { MemberTarget } from './exchange.ts';
import { type Match, Matcher } from './matcher.ts';
import type { MemberAddress, MemberPool } from './member-pool.ts';
import { WaitingRoom } from './waiting-room.ts';

/** A member with its connections. */
export interface ServedMember extends MemberTarget {
  readonly address: MemberAddress;
}

/** The sessions of a balancer. */
export interface ServedSessions {
  readonly compiled: CompiledSession;
  /** Who takes over a session whose member is gone. */
  readonly rendezvous: Rendezvous;
  /** Where it is noted which sessions were seen on which member. */
  readonly sketch: SessionSketch;
  /** Session routes of members whose drain is over, and what becomes of their sessions. */
  readonly drainedRoutes: ReadonlySet<string>;
  readonly onDrainTimeout: 'Redispatch' | 'Reject';
}

/** A balancer with what forwarding needs; `members` by the index that elections give. */
export interface ServedBalancer {
  readonly unit: BalancerUnit;
  /** Row of the scoreboard. */
  readonly row: number;
  readonly compiled: CompiledBalancer;
  readonly members: readonly ServedMember[];
  readonly sessions: ServedSessions | null;
  /** Where requests wait for a free member; null: they do not. */
  readonly room: WaitingRoom | null;
}

export class RoutingTable {
  readonly #context: LaneContext;
  readonly #pool: MemberPool;
  readonly #sketch: SessionSketch;
  readonly #balancers = new Map<string, ServedBalancer>();
  /** Of those that have one: most have none, and the rooms are asked ten times a second. */
  readonly #rooms = new Map<string, WaitingRoom>();
  #matcher = new Matcher([]);
  #generation = 0;
  readonly #onChange = new Set<() => void>();

  constructor(context: LaneContext, pool: MemberPool, sketch: SessionSketch) {
    this.#context = context;
    this.#pool = pool;
    this.#sketch = sketch;
  }

  /** The generation that is served; 0: none. */
  get generation(): number {
    return this.#generation;
  }

  match(host: string, target: string): Match {
    return this.#matcher.match(host, target);
  }

  /** The balancer of a key that `match` gave. */
  balancer(key: string): ServedBalancer | undefined {
    return this.#balancers.get(key);
  }

  /** Serves the next generation. Throws before anything has changed when it cannot be compiled. */
  apply(publication: Publication): void {
    const matcher = publication.rules === null ? this.#matcher : new Matcher(publication.rules);
    const compiled = publication.set.map((placed) => {
      const previous = this.#balancers.get(placed.unit.key)?.compiled ?? null;
      return { placed, compiled: compile(placed, previous, this.#context) };
    });
    for (const { placed, compiled: balancer } of compiled) this.#serve(placed, balancer);
    for (const key of publication.drop) this.#drop(key);
    this.#matcher = matcher;
    this.#generation = publication.generation;
    for (const tell of this.#onChange) tell();
  }

  #serve(placed: PlacedBalancer, compiled: CompiledBalancer): void {
    const { unit, row, memberRows } = placed;
    const before = this.#balancers.get(unit.key);
    const members = unit.members.map((member, index) => ({
      row: memberRows[index]!,
      host: member.host,
      port: member.port,
      replacesHost: unit.hostHeader === 'Replace',
      address: this.#pool.acquire(member.host, member.port),
    }));
    const sessions = sessionsOf(placed, before?.sessions ?? null, this.#sketch);
    const room = unit.timeouts.waitMs > 0 ? (before?.room ?? new WaitingRoom(this.#context.clock)) : null;
    // Whoever waits in a room that is closed goes on at once.
    (room ?? before?.room)?.configure(unit.timeouts.waitMs, unit.limits.maxWaiting);
    this.#balancers.set(unit.key, { unit, row, compiled, members, sessions, room });
    if (room === null) this.#rooms.delete(unit.key);
    else this.#rooms.set(unit.key, room);
    (room ?? before?.room)?.rearrange();
    // After the new ones are in, so that addresses in both keep their connections.
    if (before !== undefined) this.#release(before);
  }

  /** Lets those go on who wait for what nobody tells: errors that are over, attempts that ended in other lanes. */
  wakeWaiting(): void {
    for (const room of this.#rooms.values()) room.tick();
  }

  /** Resolves at the next change of what is served, or when the time is up. Milliseconds. */
  async change(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onChange.add(resolve);
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#onChange.delete(resolve);
  }

  #drop(key: string): void {
    const served = this.#balancers.get(key);
    if (served === undefined) return;
    this.#balancers.delete(key);
    this.#rooms.delete(key);
    served.room?.configure(0, 0);
    served.room?.wake();
    this.#release(served);
  }

  #release(served: ServedBalancer): void {
    for (const member of served.members) this.#pool.release(member.address);
  }
}

function sessionsOf(
  { unit }: PlacedBalancer,
  before: ServedSessions | null,
  sketch: SessionSketch,
): ServedSessions | null {
  if (unit.session === null) return null;
  const routes = unit.members.map((member) => member.sessionRoute);
  const drained = unit.members.filter(({ state }) => state === 'Drained');
  return {
    compiled: compileSession(unit.session, unit.key, routes, before?.compiled ?? null),
    rendezvous: createRendezvous(unit.members),
    sketch,
    drainedRoutes: new Set(drained.map(({ sessionRoute }) => sessionRoute)),
    onDrainTimeout: unit.drain.onTimeout,
  };
}
