// How many sessions live on each member, as far as they pass through this process: reads what lanes note in the scoreboard,
// winds the clock that they note it by, and sweeps what is too old. Tells nothing of which sessions they are.
import {
  SessionSketch,
  type SketchMemory,
  ticksPerSweep,
  ticksPerWindow,
} from '../balancer/sessions/session-sketch.ts';
import type { Clock } from '../lib/clock.ts';
import type { Timers } from '../lib/hold-off.ts';
import type { PlacedBalancer } from '../snapshot/lane-protocol.ts';

export interface LiveSessionsOptions {
  readonly memory: SketchMemory;
  /** Attempts under way, by row of the member. */
  readonly busyTotal: Int32Array<ArrayBufferLike>;
  /** What is published now, and the number of its generation. */
  readonly placed: () => Iterable<PlacedBalancer>;
  readonly generation: () => number;
  /** How long a session counts after its last request, in milliseconds. */
  readonly windowMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** What is known of one pod's sessions. */
export interface PodSessions {
  /** As it was asked for. */
  readonly pod: string;
  /** Sessions that go on, in all balancers together; about, see the sketch; exact for 0. */
  readonly sessions: number;
  /** For how long this process has looked, at most as long as a session counts; what was not seen in it is not counted. */
  readonly watchedSeconds: number;
  readonly windowSeconds: number;
}

export class LiveSessions {
  readonly #options: LiveSessionsOptions;
  readonly #sketch: SessionSketch;
  readonly #startedMs: number;
  readonly #tickMs: number;
  /** Rows that may hold something. */
  readonly #rows = new Set<number>();
  /** What is left of this round of sweeping. */
  #round: number[] = [];
  #perTick = 0;
  #ticks = 0;
  #timer: unknown = null;
  /** Rows of members by pod, with and without its namespace; those of drained ones are not among them. */
  #pods = new Map<string, number[]>();
  #podsOf = -1;

  constructor(options: LiveSessionsOptions) {
    this.#options = options;
    this.#sketch = new SessionSketch(options.memory);
    this.#tickMs = options.windowMs / ticksPerWindow;
    this.#startedMs = options.clock.nowMs();
    this.#sketch.setTick(0);
  }

  /** Winds and sweeps from now on. Lanes may run before. */
  start(): void {
    this.#timer = this.#options.timers.set(() => this.#wind(), this.#tickMs);
  }

  stop(): void {
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }

  /** Sessions of the member in this row that were seen within the window. */
  ofRow(row: number): number {
    return this.#sketch.estimate(row);
  }

  /**
   * `name`: of a pod, or `namespace/name`; a name that is in several namespaces stands for all of those pods. A member whose
   * drain is over has none left: nobody is sent to it any more. Null: no member has that pod.
   */
  ofPod(name: string): PodSessions | null {
    const rows = this.#rowsByPod().get(name);
    if (rows === undefined) return null;
    const { busyTotal, clock, windowMs } = this.#options;
    // A connection that stays open, as of a WebSocket, is a session too, however long ago its request was.
    const sessions = rows.reduce((sum, row) => sum + Math.max(this.ofRow(row), Atomics.load(busyTotal, row)), 0);
    const watchedMs = Math.min(windowMs, clock.nowMs() - this.#startedMs);
    return {
      pod: name,
      sessions,
      watchedSeconds: Math.floor(watchedMs / 1000),
      windowSeconds: Math.floor(windowMs / 1000),
    };
  }

  #rowsByPod(): ReadonlyMap<string, readonly number[]> {
    const generation = this.#options.generation();
    if (generation === this.#podsOf) return this.#pods;
    this.#podsOf = generation;
    this.#pods = new Map();
    for (const { unit, memberRows } of this.#options.placed()) {
      for (const [index, { pod, state }] of unit.members.entries()) {
        if (pod === null) continue;
        for (const name of [pod, pod.slice(pod.indexOf('/') + 1)]) {
          const rows = this.#pods.get(name) ?? [];
          this.#pods.set(name, rows);
          if (state !== 'Drained') rows.push(memberRows[index]!);
        }
      }
    }
    return this.#pods;
  }

  #wind(): void {
    const { clock, timers } = this.#options;
    const elapsedMs = clock.nowMs() - this.#startedMs;
    const ticks = Math.floor(elapsedMs / this.#tickMs);
    // After a halt of more than a window nothing that was seen before it counts, and none of it may seem new again.
    if (ticks - this.#ticks > ticksPerWindow) this.#forgetAll();
    else for (let each = this.#ticks; each < ticks; each++) this.#sweep();
    this.#ticks = ticks;
    this.#sketch.setTick(ticks);
    this.#timer = timers.set(() => this.#wind(), (ticks + 1) * this.#tickMs - elapsedMs);
  }

  /** A part of the rows at each tick, so that each is swept in time. */
  #sweep(): void {
    if (this.#round.length === 0) this.#beginRound();
    for (const row of this.#round.splice(-this.#perTick)) {
      if (this.#sketch.estimate(row) === 0) this.#rows.delete(row);
    }
  }

  #forgetAll(): void {
    this.#beginRound();
    for (const row of this.#round) this.#sketch.clear(row);
  }

  #beginRound(): void {
    for (const { unit, memberRows } of this.#options.placed()) {
      if (unit.session !== null) for (const row of memberRows) this.#rows.add(row);
    }
    this.#round = [...this.#rows];
    this.#perTick = Math.ceil(this.#round.length / (ticksPerSweep / 3));
  }
}
