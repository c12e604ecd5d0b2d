// What every connection of a lane shares. Made once per lane by lane.ts and handed around by reference.
import type { Clock } from '../lib/clock.ts';
import type { LaneScoreboard } from '../scoreboard/lane-side.ts';
import {
  type BodyLimits,
  defaultBodyLimits,
  defaultRequestLimits,
  defaultResponseLimits,
  type HeadLimits,
} from '../wire/limits.ts';
import type { RequestParser } from '../wire/request-parser.ts';
import type { MemberDialler } from './member-dialler.ts';
import type { OpenTunnels } from './open-tunnels.ts';
import type { Outbox } from './outbox.ts';
import type { ParserPool } from './parser-pool.ts';
import type { ReadBuffer } from './read-buffer.ts';
import type { ReadTurns } from './read-turns.ts';
import type { ReplayBudget } from './request-body.ts';
import type { ResponseReader } from './response-reader.ts';
import type { TimerWheel } from './timer-wheel.ts';

export interface LaneServices {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly scoreboard: LaneScoreboard;
  /** All writes to client and member connections go through it, by their outlets. */
  readonly outbox: Outbox;
  /** Opens connections to members. */
  readonly dialler: MemberDialler;
  readonly replayBudget: ReplayBudget;
  /** Where clients and members are read into. */
  readonly readBuffer: ReadBuffer;
  /** Keeps those who read much from stopping the others. */
  readonly readTurns: ReadTurns;
  readonly requestParsers: ParserPool<RequestParser>;
  readonly responseReaders: ParserPool<ResponseReader>;
  readonly tunnels: OpenTunnels;
  readonly limits: LaneLimits;
}

/** What holds for all connections of a lane, whatever the balancer. */
export interface LaneLimits {
  /** From the first byte of a head to its last; also from accepting to the first byte. Milliseconds. */
  readonly headMs: number;
  /** Between requests, before a balancer has said otherwise. Milliseconds. */
  readonly keepAliveMs: number;
  /**
   * How long a client may be silent while bytes are still read and thrown away after its last answer, which a reset
   * would destroy. Milliseconds; ten times as long in all.
   */
  readonly lingerMs: number;
  /** Requests of one client connection, after which it is closed: lets connections spread over lanes anew. Count. */
  readonly maxRequestsPerConnection: number;
  /** A connection to a member that is older is not kept: names are resolved anew now and then. Milliseconds. */
  readonly maxMemberConnectionAgeMs: number;
  /** How long a young session whose member is unknown here waits for news of it. Milliseconds. */
  readonly newsWaitMs: number;
  /** A request body with at most this much missing is read to its end after an early answer. Bytes. */
  readonly maxDrainBytes: number;
  /** How much of one request body is kept so that it can be sent again. Bytes. */
  readonly maxReplayBytes: number;
  /** How much of all request bodies of the lane is. Bytes. */
  readonly maxReplayBytesInAll: number;
  readonly request: HeadLimits;
  readonly response: HeadLimits;
  readonly body: BodyLimits;
}

export const defaultLaneLimits: LaneLimits = {
  headMs: 30_000,
  keepAliveMs: 60_000,
  lingerMs: 2_000,
  maxRequestsPerConnection: 100_000,
  maxMemberConnectionAgeMs: 600_000,
  newsWaitMs: 500,
  maxDrainBytes: 65_536,
  maxReplayBytes: 65_536,
  maxReplayBytesInAll: 64 * 1024 * 1024,
  request: defaultRequestLimits,
  response: defaultResponseLimits,
  body: defaultBodyLimits,
};
