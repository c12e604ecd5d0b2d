// The control loop: what users wrote changed → read all of it → translate → check → publish. Level-triggered: each pass
// starts from the whole, so nothing depends on which events came. One that throws is made again; the last good snapshot
// stays.
import type { Balancer } from '../api/balancer.ts';
import { refOf } from '../api/parse.ts';
import { createProblem, type Problem } from '../api/problem.ts';
import type { HostRecord } from '../api/resource-set.ts';
import { ChangeLog, type Changed } from '../lib/change-log.ts';
import type { Clock } from '../lib/clock.ts';
import type { Timers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { LocatedProblem, Provider, Reading } from '../provider/provider.ts';
import type { BalancerUnit, Snapshot } from '../snapshot/snapshot.ts';
import type { BalancerConditions } from '../translate/conditions.ts';
import type { TranslatedBalancer, Translator } from '../translate/translate.ts';
import { DrainBook } from './drain-book.ts';
import { findShortGraces } from './drain-grace.ts';
import { type PassResult, PassSchedule } from './pass-schedule.ts';
import { type OwnedProblems, ProblemLog } from './problem-log.ts';
import type { Publisher, PublishResult } from './publisher.ts';

export interface ReconcilerOptions {
  readonly provider: Provider;
  readonly translator: Translator;
  /** What is wrong with a snapshot that must not be published; empty: nothing. */
  readonly checkSnapshot: (snapshot: Snapshot) => readonly string[];
  /** The same for one balancer of it. */
  readonly checkBalancer: (unit: BalancerUnit) => readonly string[];
  /** Notices about one Balancer of ours; asked once per object. */
  readonly noticesFor: (balancer: Balancer) => readonly Problem[];
  readonly publisher: Pick<Publisher, 'publish' | 'publishBalancers' | 'generationOf' | 'acknowledged'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What is known of one Balancer of ours; what its status is made of. */
export interface BalancerFacts {
  /** The version that all this is about. */
  readonly balancer: Balancer;
  readonly conditions: BalancerConditions;
  /** What the status is to record of its hosts; null: nothing. */
  readonly hostRecord: HostRecord | null;
  /** Members in the snapshot; 0 if it is not served. */
  readonly members: number;
  /** Those of them that take requests of their sessions only, or not even these any more. */
  readonly draining: number;
  /** Whether every lane that serves has its newest published version. */
  readonly isProgrammed: boolean;
  /** Why that version cannot be programmed; null: it is, or is on its way. */
  readonly hindrance: Hindrance | null;
}

/** What keeps a sound Balancer from the lanes; the message is for people. */
export interface Hindrance {
  readonly reason: 'NoRoom' | 'SnapshotRefused';
  readonly message: string;
}

const NO_SERVICES: ReadonlySet<string> = new Set();

/** What the last pass found of one Balancer. */
interface Known {
  readonly balancer: Balancer;
  /** As translated, whatever its drains make of it; null: it is not served. */
  readonly unit: BalancerUnit | null;
  readonly conditions: BalancerConditions;
  readonly hostRecord: HostRecord | null;
  /** Why its newest version found no room; null: it did. */
  readonly unplaced: string | null;
  readonly problems: readonly LocatedProblem[];
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #schedule: PassSchedule;
  readonly #problemLog: ProblemLog;
  readonly #notices = new WeakMap<Balancer, readonly Problem[]>();
  readonly #changes = new ChangeLog();
  /** Every Balancer of ours, by key. */
  #known = new Map<string, Known>();
  /** Problems of no Balancer: those that the provider found. */
  #documentProblems: readonly LocatedProblem[] = [];
  /** Version of the reading that all that is known and published was made of; null: the next pass looks at everything. */
  #basis: number | null = null;
  /** Why the last snapshot was not published; empty: it was. */
  #refusal = '';
  readonly #drains: DrainBook;

  constructor(options: ReconcilerOptions) {
    const { clock, timers, random, log } = options;
    this.#options = options;
    this.#problemLog = new ProblemLog(log);
    this.#drains = new DrainBook(clock);
    this.#schedule = new PassSchedule({ clock, timers, random, log, pass: (isAsked) => this.#pass(isAsked) });
  }

  /** Passes so far. */
  get passes(): number {
    return this.#schedule.passes;
  }

  /** All problems and notices as of the last pass. */
  get problems(): readonly LocatedProblem[] {
    return [...this.#documentProblems, ...[...this.#known.values()].flatMap(({ problems }) => problems)];
  }

  /** Starts the provider and makes the first pass. Rejects as the provider does. */
  async start(): Promise<void> {
    await this.#options.provider.start(() => this.#schedule.request());
    this.#schedule.passNow();
  }

  /** Makes no more passes. Does not stop the provider. */
  stop(): void {
    this.#schedule.stop();
  }

  /** As that of the schedule. */
  whenPassed(passes: number): Promise<void> {
    return this.#schedule.whenPassed(passes);
  }

  /** Keys of which other facts are known; but for `isProgrammed`, which follows the publisher and its lanes. */
  get changes(): Changed {
    return this.#changes;
  }

  /** What is known of a Balancer now; undefined: there is none of ours of that key. */
  factsOf(key: string): BalancerFacts | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    const { balancer, conditions, hostRecord, unit, unplaced } = known;
    const { publisher } = this.#options;
    const { acknowledged } = publisher;
    const drains = this.#drains;
    const generation = publisher.generationOf(key);
    const isPublished = this.#refusal === '' && unplaced === null && generation !== null;
    return {
      balancer,
      conditions,
      hostRecord,
      members: unit?.members.length ?? 0,
      // Looks at each member, and is asked for seldom, while facts are made for all Balancers again and again.
      get draining() {
        return unit === null ? 0 : drains.draining(key).length;
      },
      isProgrammed: isPublished && acknowledged > 0 && generation <= acknowledged,
      hindrance: this.#hindrance(unplaced),
    };
  }

  #hindrance(unplaced: string | null): Hindrance | null {
    if (this.#refusal !== '') {
      const message = `What was served stays, since the new snapshot is not sound: ${this.#refusal}.`;
      return { reason: 'SnapshotRefused', message };
    }
    return unplaced === null ? null : { reason: 'NoRoom', message: `It found no room: ${unplaced}.` };
  }

  #pass(isAsked: boolean): PassResult {
    const reading = this.#options.provider.read();
    const services = this.#changedServices(reading, isAsked);
    this.#basis = null;
    const hasRoom = services === null ? this.#rebuild(reading) : this.#update(reading, services);
    if (hasRoom && this.#refusal === '') this.#basis = reading.version;
    return { isRoomShort: !hasRoom, nextDueMs: this.#drains.nextDeadlineMs };
  }

  /** The only Services that are worth a look; null: everything is. */
  #changedServices({ version, changes }: Reading, isAsked: boolean): ReadonlySet<string> | null {
    if (!isAsked && version === this.#basis) return NO_SERVICES;
    return changes !== null && changes.since === this.#basis ? changes.services : null;
  }

  /** Looks at everything. False: a balancer found no room. */
  #rebuild(reading: Reading): boolean {
    const { translator, checkSnapshot, publisher, clock } = this.#options;
    const startMs = clock.nowMs();
    const { snapshot: translated, balancers } = translator.translate(reading.resources);
    const staged = new Map([...translated.balancers].map(([key, unit]) => [key, this.#drains.stage(unit)]));
    const snapshot: Snapshot = { ...translated, balancers: staged };
    this.#judge(checkSnapshot(snapshot));
    const result = this.#refusal === '' ? publisher.publish(snapshot) : null;
    const gone = [...this.#known.keys()].filter((key) => !balancers.has(key));
    for (const key of gone) this.#forget(key);
    this.#documentProblems = reading.problems;
    const changed = this.#learn(reading, balancers, result);
    changed.push(...gone.map((owner) => ({ owner, problems: [] })), { owner: '', problems: reading.problems });
    this.#problemLog.update(changed, (problem) => reading.locate(problem));
    this.#logGeneration(result, startMs);
    return result === null || result.unplaced.length === 0;
  }

  /** Looks at Balancers with members of these Services only, and at those in which a drain has ended: endpoints change far more often than anything else. */
  #update(reading: Reading, services: ReadonlySet<string>): boolean {
    const { translator, checkBalancer, publisher, clock } = this.#options;
    const startMs = clock.nowMs();
    const balancers = translator.translateServices(reading.resources, services);
    const due = this.#drains.due(startMs).filter((key) => !balancers.has(key));
    const changedUnits = [...balancers.values(), ...due.map((key) => this.#known.get(key)!)];
    const units = changedUnits.flatMap(({ unit }) => (unit === null ? [] : [this.#drains.stage(unit)]));
    this.#judge(units.flatMap(checkBalancer));
    const result = this.#refusal === '' ? publisher.publishBalancers(units) : null;
    const changed = this.#learn(reading, balancers, result);
    this.#problemLog.update(changed, (problem) => reading.locate(problem));
    this.#logGeneration(result, startMs);
    return result === null || result.unplaced.length === 0;
  }

  /** A faulty snapshot is not published, and said so once. */
  #judge(faults: readonly string[]): void {
    const { log } = this.#options;
    const refusal = faults.join('; ');
    if (refusal !== '' && refusal !== this.#refusal) {
      const fields = { faults: faults.slice(0, 10), count: faults.length };
      log.error(fields, 'the new snapshot is not sound; what was served stays');
    }
    if (refusal !== this.#refusal) this.#changes.noteAll();
    if (refusal === '' && this.#refusal !== '') log.info({}, 'the snapshot is sound again');
    this.#refusal = refusal;
  }

  /** Takes down what came of these Balancers. Returns their problems. */
  #learn(
    reading: Reading,
    balancers: ReadonlyMap<string, TranslatedBalancer>,
    result: PublishResult | null,
  ): OwnedProblems[] {
    const { pods } = reading.resources;
    const graceSecondsOf = (pod: string): number | null => pods?.get(pod)?.graceSeconds ?? null;
    const messages = new Map(result?.unplaced.map(({ key, message }) => [key, message]));
    return [...balancers].map(([key, { unit, conditions, hostRecord, problems: found }]) => {
      const { balancer } = reading.resources.balancers.get(key)!;
      const unplaced = messages.get(key) ?? null;
      const all = [...found, ...this.#noticesOf(balancer)];
      if (unit !== null && pods !== undefined) all.push(...findShortGraces(balancer, unit, graceSecondsOf));
      if (unplaced !== null) all.push(createProblem(refOf(balancer), 'spec.members', unplaced));
      const problems = all.map((problem) => ({ problem, location: null }));
      if (unit === null) this.#drains.forget(key);
      const known = { balancer, unit, conditions, hostRecord, unplaced, problems };
      if (!isSameKnown(this.#known.get(key), known)) this.#changes.note(key);
      this.#known.set(key, known);
      return { owner: key, problems };
    });
  }

  #forget(key: string): void {
    this.#drains.forget(key);
    this.#known.delete(key);
    this.#changes.note(key);
  }

  #logGeneration(result: PublishResult | null, startMs: number): void {
    const { clock, log } = this.#options;
    if (!result?.isNew) return;
    const { generation, sent, dropped } = result;
    const tookMs = Math.round(clock.nowMs() - startMs);
    log.info({ generation, balancers: this.#known.size, sent, dropped, tookMs }, 'published a new generation');
  }

  #noticesOf(balancer: Balancer): readonly Problem[] {
    let notices = this.#notices.get(balancer);
    if (notices === undefined) {
      notices = this.#options.noticesFor(balancer);
      this.#notices.set(balancer, notices);
    }
    return notices;
  }
}

/** As far as facts are made of it. */
function isSameKnown(before: Known | undefined, known: Known): boolean {
  const { balancer, unit, conditions, hostRecord, unplaced } = known;
  if (before === undefined || before.balancer !== balancer || before.unit !== unit) return false;
  return before.conditions === conditions && before.hostRecord === hostRecord && before.unplaced === unplaced;
}
