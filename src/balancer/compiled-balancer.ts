// A balancer as one lane elects from it: dense arrays in the order of configuration, and the working
// memory of its elections. Made by compile.ts, never by hand; nothing here allocates per election.
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { PlacedBalancer } from '../snapshot/lane-protocol.ts';
import type { MemberUnit } from '../snapshot/snapshot.ts';
import type { CreditBook } from './credit-book.ts';
import type { HashRing } from './hash-ring.ts';
import type { LbMethod } from './lbmethods/lb-method.ts';
import type { Offered } from './offered.ts';
import type { ReportBook } from './report-book.ts';
import type { RouteTable } from './route-table.ts';
import type { Standings } from './standings.ts';
import type { TrafficBook } from './traffic-book.ts';

export { NONE } from './offered.ts';

/** Bits of `traits`: what the configuration says of a member. 0: an ordinary member that takes requests. */
export const Trait = {
  /** Takes requests of its sessions only. */
  Draining: 1,
  HotSpare: 2,
  HotStandby: 4,
  /** Disabled or Stopped. */
  Off: 8,
  /** Stopped: not retried either. */
  Stopped: 16,
  /** Errors do not put it to rest. */
  IgnoresErrors: 32,
} as const;

export interface CompiledBalancer {
  readonly placed: PlacedBalancer;
  /** `placed.unit.members`: an election answers with an index into this. */
  readonly members: readonly MemberUnit[];
  readonly standings: Standings;
  readonly clock: Clock;
  readonly random: Random;
  readonly method: LbMethod;
  /** Row of the scoreboard, factor (100 to 10000), `Trait` bits; by index. */
  readonly rows: Int32Array;
  readonly factors: Int32Array;
  readonly traits: Uint8Array;
  /** Indices sorted by lbSet, within a set in order of configuration. */
  readonly bySet: Int32Array;
  /** Where each set ends in `bySet`; sets without members are not there. */
  readonly setEnds: Int32Array;
  readonly retryAfterUs: number;
  readonly forceRecovery: boolean;
  /** Most attempts at a time on one member, all lanes together; 0: no limit. */
  readonly maxConnectionsPerMember: number;
  /** Members by session route. */
  readonly routes: RouteTable;
  /** What the method goes by (`LbMethod.needs`); the others are null. */
  readonly credit: CreditBook | null;
  readonly traffic: TrafficBook | null;
  readonly reports: ReportBook | null;
  readonly ring: HashRing | null;
  readonly offered: Offered;
  /** `LevelDue` bits, by index. */
  readonly levelDue: Uint8Array;
  /** Room for the spares and standbys of the set being walked. */
  readonly spares: Int32Array;
  readonly standbys: Int32Array;
}
