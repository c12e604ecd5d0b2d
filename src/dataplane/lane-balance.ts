// Keeps the lanes level: tells the others through the scoreboard how much this lane has to do, looks at how much they
// have, and has connections told to close when this one has more than its share. What is too much lane-share.ts decides.
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Clock } from '../lib/clock.ts';
import type { Column } from '../scoreboard/layout.ts';
import { balanced, decideShare, type LaneLoad } from './lane-share.ts';

/** Milliseconds between two samples. */
const SAMPLE_MS = 1_000;
/** A lane that has said nothing for so long does not run. Seconds. */
const SILENT_S = 4;

export interface LaneBalanceOptions {
  /** Of this lane. */
  readonly own: Column;
  /** Of the other lanes. */
  readonly others: readonly Column[];
  readonly clock: Clock;
  /** The connections of this lane. */
  readonly connections: {
    /** Open ones that were not told to close. */
    readonly staying: number;
    /** Tells so many of them, at most; returns how many. */
    retireSome(count: number): number;
  };
  /** How busy the loop was since the last reading. */
  readonly readUse?: () => number;
}

export class LaneBalance {
  readonly #options: LaneBalanceOptions;
  readonly #readUse: () => number;
  #state = balanced;
  #nextMs: number;

  constructor(options: LaneBalanceOptions) {
    this.#options = options;
    this.#readUse = options.readUse ?? createUseReader();
    this.#nextMs = options.clock.nowMs() + SAMPLE_MS;
  }

  /** Call it now and then; it takes a sample when it is time for one. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + SAMPLE_MS;
    const { own, others, connections } = this.#options;
    const use = this.#readUse();
    const nowS = Math.floor(nowMs / 1000);
    own.loopUsePermille[0] = Math.round(use * 1000);
    own.heapKib[0] = Math.round(oldHeapBytes() / 1024);
    own.sampledAtS[0] = nowS;
    const running = others.filter(({ sampledAtS }) => nowS - sampledAtS[0]! < SILENT_S);
    const { state, retire } = decideShare(this.#state, { connections: connections.staying, use }, running.map(loadOf));
    this.#state = state;
    if (retire > 0) own.retired[0]! += connections.retireSome(retire);
  }
}

function loadOf({ connections, loopUsePermille }: Column): LaneLoad {
  return { connections: connections[0]!, use: loopUsePermille[0]! / 1000 };
}

/** Of the thread that calls it. What is young is mostly garbage, and more or less of it from one moment to the next. */
function oldHeapBytes(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => !space_name.startsWith('new_'));
  return spaces.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

/** Of the thread that calls it. */
function createUseReader(): () => number {
  let before: EventLoopUtilization = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}
