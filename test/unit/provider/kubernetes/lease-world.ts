// A world in which candidates compete for a Lease: true time, and processes whose clocks run fast or slow, whose wall clocks
// jump, which are paused, and whose requests and answers are late or lost. What a request does, it may do long after its
// sender has given it up.
import type { LeaseRecord, SeenLease } from '../../../../src/provider/kubernetes/leader-election.ts';
import { LEASE_TIMEOUT_MS, LeaderElector } from '../../../../src/provider/kubernetes/leader-elector.ts';
import type { LeaseStore } from '../../../../src/provider/kubernetes/lease.ts';
import { RecordedLog } from '../../control/fixtures.ts';

interface Event {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class LeaseWorld {
  trueMs = 0;
  /** What is stored. */
  lease: SeenLease | null = null;
  /** Writes that took effect, oldest first. */
  readonly writes: { readonly atMs: number; readonly record: LeaseRecord }[] = [];
  /** Share of requests and answers that are lost or very late, 0 to 1. */
  faultiness = 0;
  readonly candidates: Candidate[] = [];
  readonly random: () => number;
  #version = 0;
  #order = 0;
  #events: Event[] = [];

  constructor(random: () => number = () => 0.5) {
    this.random = random;
  }

  get leaders(): readonly string[] {
    return this.candidates.filter(({ elector }) => elector.isLeading()).map(({ name }) => name);
  }

  add(name: string, rate = 1): Candidate {
    const candidate = new Candidate(this, name, rate);
    this.candidates.push(candidate);
    return candidate;
  }

  at(dueMs: number, run: () => void): () => void {
    this.#order += 1;
    const event = { dueMs, order: this.#order, run };
    this.#events.push(event);
    return () => {
      this.#events = this.#events.filter((each) => each !== event);
    };
  }

  /** Lets true time pass; `check` is called after everything that happens. */
  async advance(ms: number, check: () => void = () => {}): Promise<void> {
    const endMs = this.trueMs + ms;
    await settle();
    for (;;) {
      const next = this.#nextUntil(endMs);
      if (next === null) break;
      this.#events = this.#events.filter((each) => each !== next);
      this.trueMs = Math.max(this.trueMs, next.dueMs);
      next.run();
      await settle();
      check();
    }
    this.trueMs = endMs;
    await settle();
    check();
  }

  #nextUntil(endMs: number): Event | null {
    let next: Event | null = null;
    for (const event of this.#events) {
      if (event.dueMs > endMs) continue;
      const isSooner = next === null || event.dueMs < next.dueMs;
      if (isSooner || (event.dueMs === next?.dueMs && event.order < next.order)) next = event;
    }
    return next;
  }

  /** What the API server does with a write when it arrives. */
  commit(record: LeaseRecord, over: SeenLease | null): SeenLease | null {
    if ((over?.version ?? null) !== (this.lease?.version ?? null)) return null;
    // A write that changes nothing is none.
    if (this.lease !== null && JSON.stringify(record) === JSON.stringify(this.lease.record)) return this.lease;
    this.#version += 1;
    this.lease = { record, version: `v${this.#version}` };
    this.writes.push({ atMs: this.trueMs, record });
    return this.lease;
  }
}

export class Candidate {
  readonly name: string;
  readonly log = new RecordedLog();
  readonly elector: LeaderElector<SeenLease>;
  /** Requests of this candidate reach nobody, though they may be answered late. */
  isCutOff = false;
  /** Until then, in true time, the process does nothing. */
  pausedUntilMs = 0;
  /** How far its wall clock is off; null: it stands still. */
  wallOffMs: number | null = 0;
  isDead = false;
  readonly #world: LeaseWorld;
  readonly #rate: number;

  constructor(world: LeaseWorld, name: string, rate: number) {
    this.#world = world;
    this.name = name;
    this.#rate = rate;
    this.elector = new LeaderElector<SeenLease>({
      identity: name,
      store: this.#store(),
      clock: {
        nowMs: () => this.#world.trueMs * rate,
        wallMs: () => (this.wallOffMs === null ? 1_000_000 : 1_000_000 + this.#world.trueMs + this.wallOffMs),
      },
      timers: {
        set: (callback, delayMs) => this.#later(delayMs, callback),
        clear: (handle) => (handle as () => void)(),
      },
      random: world.random,
      log: this.log,
    });
  }

  /** How often it began to lead, and ceased to, oldest first. */
  get changes(): readonly boolean[] {
    const told = this.log.lines.map(({ message }) => message);
    return told.filter((message) => /leading(:| any)/.test(message)).map((message) => message.startsWith('leading'));
  }

  /** Ends the process as kill -9 does. */
  kill(): void {
    this.isDead = true;
    this.#world.candidates.splice(this.#world.candidates.indexOf(this), 1);
  }

  /** Runs something in the process, at the earliest `delayMs` of its own time from now. */
  #later(delayMs: number, run: () => void): () => void {
    const world = this.#world;
    let cancel = (): void => {};
    const fire = (): void => {
      if (this.isDead) return;
      if (world.trueMs < this.pausedUntilMs) cancel = world.at(this.pausedUntilMs, fire);
      else run();
    };
    cancel = world.at(world.trueMs + Math.max(0, delayMs) / this.#rate, fire);
    return () => cancel();
  }

  #store(): LeaseStore<SeenLease> {
    return {
      read: () => this.#request(() => this.#world.lease),
      write: ({ record, over }) => this.#request(() => this.#world.commit(record, over)),
    };
  }

  #request<T>(serve: () => T): Promise<T> {
    const world = this.#world;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#later(LEASE_TIMEOUT_MS, () => reject(new Error('took too long')));
    const isBad = (): boolean => world.random() < world.faultiness;
    if (this.isCutOff || (isBad() && world.random() < 0.5)) return promise;
    const thereMs = isBad() ? world.random() * 20_000 : world.random() * 50;
    world.at(world.trueMs + thereMs, () => {
      if (isBad() && world.random() < 0.3) {
        this.#later(10, () => reject(new Error('500')));
        return;
      }
      const answer = serve();
      if (isBad() && world.random() < 0.5) return;
      const backMs = isBad() ? world.random() * 20_000 : world.random() * 50;
      this.#later(backMs, () => resolve(answer));
    });
    return promise;
  }
}

/** Lets promises that can go on go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await null;
}
