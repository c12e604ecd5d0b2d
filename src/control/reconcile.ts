// The control loop: what users wrote changed → read all of it → translate → check → publish. Level-triggered: each
// pass starts from the whole, so nothing depends on which events came. A pass never throws; the last good snapshot stays.
import type { Balancer } from '../api/balancer.ts';
import { createProblem, type Problem } from '../api/problem.ts';
import { createBackoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { createHoldOff, type HoldOff, type Timers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { LocatedProblem, Provider, Reading } from '../provider/provider.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { BalancerConditions } from '../translate/conditions.ts';
import type { Translation, Translator } from '../translate/translate.ts';
import { ProblemLog } from './problem-log.ts';
import type { Publisher, Unplaced } from './publisher.ts';

export interface ReconcilerOptions {
  readonly provider: Provider;
  readonly translator: Translator;
  /** What is wrong with a snapshot that must not be published; empty: nothing. */
  readonly checkSnapshot: (snapshot: Snapshot) => readonly string[];
  /** Notices about one Balancer of ours; asked once per object. */
  readonly noticesFor: (balancer: Balancer) => readonly Problem[];
  readonly publisher: Pick<Publisher, 'publish' | 'generationOf' | 'acknowledged'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What is known of one Balancer of ours; what its status is made of. */
export interface BalancerFacts {
  readonly conditions: BalancerConditions;
  /** Members in the snapshot; 0 if it is not served. */
  readonly members: number;
  /** Whether every lane that serves has its newest published version. */
  readonly isProgrammed: boolean;
}

/** Quiet time after a change, and the longest wait under constant change. */
const HOLD_OFF_MS = 20;
const MAX_HOLD_OFF_MS = 200;
/** After a pass in which something found no room: room is made without anybody saying so. */
const NO_ROOM_RETRY_MS = 1_000;
/** After a pass that threw. */
const FAULT_BASE_DELAY_MS = 1_000;
const FAULT_MAX_DELAY_MS = 30_000;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #holdOff: HoldOff;
  readonly #problemLog: ProblemLog;
  readonly #faultDelay;
  readonly #notices = new WeakMap<Balancer, readonly Problem[]>();
  #passes = 0;
  readonly #waiting = new Set<{ readonly passes: number; readonly resolve: () => void }>();
  #translation: Translation | null = null;
  #problems: readonly LocatedProblem[] = [];
  /** Keys of Balancers whose newest version found no room. */
  #unplaced: ReadonlySet<string> = new Set();
  /** Why the last snapshot was not published; empty: it was. */
  #refusal = '';
  /** What the last pass threw; empty: nothing. */
  #fault = '';
  #retry: unknown = null;
  #isStopped = false;

  constructor(options: ReconcilerOptions) {
    const { clock, timers, random, log } = options;
    this.#options = options;
    this.#problemLog = new ProblemLog(log);
    this.#faultDelay = createBackoff(FAULT_BASE_DELAY_MS, FAULT_MAX_DELAY_MS, random);
    this.#holdOff = createHoldOff({ delayMs: HOLD_OFF_MS, maxDelayMs: MAX_HOLD_OFF_MS, clock, timers }, () =>
      this.#pass(),
    );
  }

  /** Passes so far. */
  get passes(): number {
    return this.#passes;
  }

  /** All problems and notices as of the last pass. */
  get problems(): readonly LocatedProblem[] {
    return this.#problems;
  }

  /** Starts the provider and makes the first pass. Rejects as the provider does. */
  async start(): Promise<void> {
    await this.#options.provider.start(() => this.#request());
    if (!this.#isStopped) this.#pass();
  }

  /** Makes no more passes. Does not stop the provider. */
  stop(): void {
    this.#isStopped = true;
    this.#holdOff.cancel();
    this.#clearRetry();
  }

  /** Resolves after the pass of that number, from 1; for tests, which must not wait by the clock. */
  whenPassed(passes: number): Promise<void> {
    if (this.#passes >= passes) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ passes, resolve });
    return promise;
  }

  /** What is known of each Balancer of ours now, by key. */
  facts(): ReadonlyMap<string, BalancerFacts> {
    const { publisher } = this.#options;
    const facts = new Map<string, BalancerFacts>();
    if (this.#translation === null) return facts;
    const { conditions, snapshot } = this.#translation;
    for (const [key, condition] of conditions) {
      const generation = publisher.generationOf(key);
      facts.set(key, {
        conditions: condition,
        members: snapshot.balancers.get(key)?.members.length ?? 0,
        isProgrammed:
          this.#refusal === '' &&
          !this.#unplaced.has(key) &&
          generation !== null &&
          publisher.acknowledged > 0 &&
          generation <= publisher.acknowledged,
      });
    }
    return facts;
  }

  #request(): void {
    if (!this.#isStopped) this.#holdOff.request();
  }

  #pass(): void {
    const { log } = this.#options;
    this.#clearRetry();
    try {
      const hasRoom = this.#reconcile();
      if (this.#fault !== '') log.info({}, 'reconciling works again');
      this.#fault = '';
      this.#faultDelay.reset();
      if (!hasRoom) this.#retryIn(NO_ROOM_RETRY_MS);
    } catch (error) {
      const delayMs = Math.round(this.#faultDelay.next());
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      if (reason !== this.#fault) log.error({ reason }, 'reconciling failed and is tried again; what was served stays');
      this.#fault = reason;
      this.#retryIn(delayMs);
    }
    this.#passes += 1;
    for (const waiter of this.#waiting) {
      if (waiter.passes > this.#passes) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** False: a balancer found no room. */
  #reconcile(): boolean {
    const { provider, translator, checkSnapshot, publisher, clock, log } = this.#options;
    const startMs = clock.nowMs();
    const reading = provider.read();
    const translation = translator.translate(reading.resources);
    const faults = checkSnapshot(translation.snapshot);
    const refusal = faults.join('; ');
    if (refusal !== '' && refusal !== this.#refusal) {
      log.error(
        { faults: faults.slice(0, 10), count: faults.length },
        'the new snapshot is not sound; what was served stays',
      );
    }
    if (refusal === '' && this.#refusal !== '') log.info({}, 'the snapshot is sound again');
    this.#refusal = refusal;
    const result = refusal === '' ? publisher.publish(translation.snapshot) : null;
    const unplaced = result?.unplaced ?? [];
    this.#translation = translation;
    this.#unplaced = new Set(unplaced.map(({ key }) => key));
    this.#problems = this.#collectProblems(reading, translation, unplaced);
    this.#problemLog.update(this.#problems, (problem) => reading.locate(problem));
    if (result?.isNew) {
      const { generation, sent, dropped } = result;
      const tookMs = Math.round(clock.nowMs() - startMs);
      const { size } = translation.snapshot.balancers;
      log.info({ generation, balancers: size, sent, dropped, tookMs }, 'published a new generation');
    }
    return unplaced.length === 0;
  }

  #collectProblems(reading: Reading, translation: Translation, unplaced: readonly Unplaced[]): LocatedProblem[] {
    const found = [...translation.problems];
    for (const [key, { balancer }] of reading.resources.balancers) {
      if (translation.conditions.has(key)) found.push(...this.#noticesOf(balancer));
    }
    for (const { key, message } of unplaced) {
      const { namespace, name } = translation.snapshot.balancers.get(key)!;
      found.push(createProblem({ kind: 'Balancer', namespace, name }, 'spec.members', message));
    }
    return [...reading.problems, ...found.map((problem) => ({ problem, location: null }))];
  }

  #noticesOf(balancer: Balancer): readonly Problem[] {
    let notices = this.#notices.get(balancer);
    if (notices === undefined) {
      notices = this.#options.noticesFor(balancer);
      this.#notices.set(balancer, notices);
    }
    return notices;
  }

  #retryIn(delayMs: number): void {
    this.#retry = this.#options.timers.set(() => this.#request(), delayMs);
  }

  #clearRetry(): void {
    if (this.#retry !== null) this.#options.timers.clear(this.#retry);
    this.#retry = null;
  }
}
