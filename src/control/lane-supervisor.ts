// Keeps the lanes running: starts them, hands them the newest generation, takes in what a dead one
// left in the scoreboard, and starts another in its place with back-off.
import { type Backoff, createBackoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import type { Timers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { ControlScoreboard } from '../scoreboard/control-side.ts';
import type { FromLane, LaneSettings, ToLane } from '../snapshot/lane-protocol.ts';
import type { LaneHandle, LaneStarter } from './lane-thread-handle.ts';

/** What the supervisor needs of the publisher. */
export interface LaneFeed {
  /** A lane is being started: the message that brings it up to date, null if there is none yet. */
  laneStarted(lane: number): ToLane | null;
  laneSaid(lane: number, message: FromLane): void;
  laneGone(lane: number): void;
}

export interface LaneSupervisorOptions {
  /** Settings of all lanes, which differ in `lane` only. */
  readonly settings: readonly LaneSettings[];
  readonly startLane: LaneStarter;
  readonly scoreboard: ControlScoreboard;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** A lane could not open its port when all of them were first started. */
export class ListenError extends Error {
  /** The system's, such as EADDRINUSE. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A lane that ran this long before it died is not in a crash loop. */
const STABLE_MS = 10_000;
const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** How long lanes may take to note what they have cut. */
const CLOSE_GRACE_MS = 500;
/** How long threads may take to be gone after they were ended. */
const EXIT_GRACE_MS = 2_000;
/** Refused members that are logged. */
const MAX_REFUSED = 1_024;

interface Lane {
  readonly settings: LaneSettings;
  readonly backoff: Backoff;
  handle: LaneHandle | null;
  /** Timer of the next start, while the lane is down. */
  restart: unknown;
  startedMs: number;
  isListening: boolean;
  isIdle: boolean;
}

export class LaneSupervisor {
  readonly #options: LaneSupervisorOptions;
  readonly #lanes: Lane[];
  readonly #firstListening = Promise.withResolvers<void>();
  #feed: LaneFeed | null = null;
  #isRetiring = false;
  #isStopping = false;
  #restarts = 0;
  /** Members of which it was logged that they are refused: host and address. */
  readonly #refused = new Set<string>();
  /** Called when a lane goes idle or is gone. */
  #onLess: () => void = () => {};

  constructor(options: LaneSupervisorOptions) {
    this.#options = options;
    this.#lanes = options.settings.map((settings) => ({
      settings,
      backoff: createBackoff(BASE_DELAY_MS, MAX_DELAY_MS, options.random),
      handle: null,
      restart: null,
      startedMs: 0,
      isListening: false,
      isIdle: false,
    }));
    // Whoever does not wait for the start must not be ended by its failure.
    this.#firstListening.promise.catch(() => {});
  }

  /** How many lanes there should be. */
  get count(): number {
    return this.#lanes.length;
  }

  /** How often a lane was started in place of a dead one. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Whether the lane accepts connections. */
  isListening(lane: number): boolean {
    return this.#lanes[lane]?.isListening ?? false;
  }

  /**
   * Starts all lanes. Resolves when each has listened once; rejects with ListenError if one of them cannot open
   * the port before that. A lane that dies is started again and again, so this may wait for ever.
   */
  start(feed: LaneFeed): Promise<void> {
    this.#feed = feed;
    // Told to stop while others were still starting.
    if (this.#isStopping) return this.#firstListening.promise;
    for (const lane of this.#lanes) this.#spawn(lane);
    return this.#firstListening.promise;
  }

  /** To every lane that runs. */
  broadcast(message: ToLane): void {
    for (const lane of this.#lanes) lane.handle?.post(message);
  }

  /** To one lane; a lane that is down is not told. */
  send(lane: number, message: ToLane): void {
    this.#lanes[lane]?.handle?.post(message);
  }

  /** Keep-alive clients are told to close, by lanes that are started from now on as well; all go on accepting. */
  retire(): void {
    this.#isRetiring = true;
    this.broadcast({ type: 'retire-connections' });
  }

  /**
   * Ends all lanes: each finishes what is in flight, and what is left at the deadline is cut. Resolves when the
   * threads are gone. Lanes that die from now on stay down.
   */
  async stop(timeoutMs: number): Promise<void> {
    const { timers } = this.#options;
    this.#isStopping = true;
    for (const lane of this.#lanes) {
      if (lane.restart !== null) timers.clear(lane.restart);
      lane.restart = null;
    }
    this.broadcast({ type: 'stop-accepting' });
    await this.#until((lane) => lane.isIdle || lane.handle === null, timeoutMs);
    this.broadcast({ type: 'close' });
    // What was cut belongs into the access log too.
    await this.#until((lane) => lane.isIdle || lane.handle === null, CLOSE_GRACE_MS);
    for (const lane of this.#lanes) lane.handle?.terminate();
    await this.#until((lane) => lane.handle === null, EXIT_GRACE_MS);
  }

  /** Resolves when `isTrue` holds for every lane, or after `timeoutMs`. */
  async #until(isTrue: (lane: Lane) => boolean, timeoutMs: number): Promise<void> {
    const { timers } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onLess = () => {
      if (this.#lanes.every(isTrue)) resolve();
    };
    const deadline = timers.set(resolve, timeoutMs);
    this.#onLess();
    await promise;
    timers.clear(deadline);
    this.#onLess = () => {};
  }

  #spawn(lane: Lane): void {
    const { clock, startLane } = this.#options;
    const number = lane.settings.lane;
    lane.restart = null;
    lane.startedMs = clock.nowMs();
    lane.isIdle = false;
    lane.handle = startLane({
      onMessage: (message) => this.#onMessage(lane, message),
      onExit: (error) => this.#onExit(lane, error),
    });
    lane.handle.post({ type: 'start', settings: lane.settings });
    const whole = this.#feed?.laneStarted(number);
    if (whole) lane.handle.post(whole);
    if (this.#isRetiring) lane.handle.post({ type: 'retire-connections' });
  }

  #onMessage(lane: Lane, message: FromLane): void {
    const { log } = this.#options;
    const number = lane.settings.lane;
    switch (message.type) {
      case 'applied':
        log.debug({ lane: number, generation: message.generation }, 'lane serves a new generation');
        break;
      case 'refused':
        log.error(
          { lane: number, generation: message.generation, reason: message.message },
          'lane refused a generation',
        );
        break;
      case 'listening':
        lane.isListening = true;
        log.info({ lane: number, port: message.port }, 'lane is listening');
        if (this.#lanes.every(({ isListening }) => isListening)) this.#firstListening.resolve();
        break;
      case 'listen-failed':
        log.error({ lane: number, code: message.code, reason: message.message }, 'lane cannot listen');
        this.#firstListening.reject(new ListenError(message.code, message.message));
        // A lane without a port is of no use; its successor tries again, after a while.
        lane.handle?.terminate();
        break;
      case 'member-refused':
        this.#logRefused(message.host, message.address);
        break;
      case 'idle':
        lane.isIdle = true;
        this.#onLess();
        break;
      default:
        message satisfies never;
    }
    this.#feed?.laneSaid(number, message);
  }

  /** Every lane finds it out for itself. */
  #logRefused(host: string, address: string): void {
    const pair = `${host} ${address}`;
    if (this.#refused.has(pair) || this.#refused.size >= MAX_REFUSED) return;
    this.#refused.add(pair);
    const hint = 'it points inwards; --allow-member-cidr would allow it';
    this.#options.log.warn({ host, address, reason: hint }, 'member is not connected to');
  }

  #onExit(lane: Lane, error: Error | null): void {
    const { clock, log, scoreboard, timers } = this.#options;
    const number = lane.settings.lane;
    lane.handle = null;
    lane.isListening = false;
    scoreboard.absorbLane(number);
    this.#feed?.laneGone(number);
    if (!this.#isStopping) {
      if (clock.nowMs() - lane.startedMs > STABLE_MS) lane.backoff.reset();
      const delayMs = Math.round(lane.backoff.next());
      log.error({ lane: number, reason: error?.stack ?? 'it ended by itself', restartInMs: delayMs }, 'lane died');
      lane.restart = timers.set(() => {
        this.#restarts += 1;
        this.#spawn(lane);
      }, delayMs);
    }
    this.#onLess();
  }
}
