// Balancers and lanes for the tests of src/balancer, on a real scoreboard and with hands on the clock.
import type { LaneContext } from '../../../src/balancer/compile.ts';
import { type CompiledBalancer, NONE } from '../../../src/balancer/compiled-balancer.ts';
import { elect } from '../../../src/balancer/elect.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { allocateScoreboard, mapColumn, mapShared } from '../../../src/scoreboard/layout.ts';
import type { PlacedBalancer } from '../../../src/snapshot/lane-protocol.ts';
import type { ScoreboardBuffers } from '../../../src/snapshot/scoreboard-buffers.ts';
import type { BalancerUnit, MemberUnit } from '../../../src/snapshot/snapshot.ts';

export interface ManualClock extends Clock {
  advanceMs(ms: number): void;
}

export function manualClock(startMs = 1_000_000): ManualClock {
  let ms = startMs;
  return {
    nowMs: () => ms,
    wallMs: () => ms,
    advanceMs(by) {
      ms += by;
    },
  };
}

/** A member whose session route and identity are its name. */
export function memberUnit(name: string, over: Partial<MemberUnit> = {}): MemberUnit {
  return {
    identity: name,
    name,
    host: '127.0.0.1',
    port: 8080,
    sessionRoute: name,
    redirect: null,
    factor: 100,
    lbSet: 0,
    role: 'Active',
    state: 'Enabled',
    ignoreErrors: false,
    pod: null,
    isLeaving: false,
    ...over,
  };
}

export function balancerUnit(members: readonly MemberUnit[], over: Partial<BalancerUnit> = {}): BalancerUnit {
  return {
    key: 'shop/app',
    namespace: 'shop',
    name: 'app',
    lbMethod: 'byrequests',
    members,
    failover: { maxAttempts: 3, retryAfterMs: 60_000, forceRecovery: true, failOnStatus: [], failOnTimeout: false },
    timeouts: { connectMs: 5000, responseMs: 60_000, bodyMs: 60_000, keepAliveMs: 60_000, tunnelMs: 0, waitMs: 0 },
    limits: { maxBodyBytes: 0, maxConnectionsPerMember: 0, maxWaiting: 0 },
    hostHeader: 'Keep',
    session: null,
    drain: { timeoutMs: null, onTimeout: 'Redispatch', unreadyGraceMs: 0 },
    hash: null,
    ...over,
  };
}

/** Rows by identity: `m3` has row 4; other names have the rows 1, 2, 3 … in the order of `names`. */
export function placed(unit: BalancerUnit, names = unit.members.map((member) => member.identity)): PlacedBalancer {
  return { unit, row: 1, memberRows: unit.members.map((member) => names.indexOf(member.identity) + 1) };
}

export function scoreboardFor(members: number, lanes = 1): ScoreboardBuffers {
  return allocateScoreboard(members + 1, 4, lanes);
}

export function laneOn(board: ScoreboardBuffers, lane: number, over: Partial<LaneContext> = {}): LaneContext {
  return {
    lane,
    standings: { ...mapShared(board), ...mapColumn(board, lane) },
    clock: manualClock(),
    random: () => 0,
    ...over,
  };
}

/** The names of the members that `count` elections choose; `-` for none. */
export function electNames(balancer: CompiledBalancer, count: number): string {
  return Array.from({ length: count }, () => nameOf(balancer, elect(balancer))).join(' ');
}

export function nameOf(balancer: CompiledBalancer, index: number): string {
  return index <= NONE ? '-' : balancer.members[index]!.name;
}

/** lbstatus by name, as of the last round. */
export function credits(balancer: CompiledBalancer): Record<string, number> {
  balancer.credit?.settle();
  return Object.fromEntries(
    balancer.members.map((member, index) => [member.name, balancer.standings.lbstatus[balancer.rows[index]!]!]),
  );
}
