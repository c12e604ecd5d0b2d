// Keeps a candidate trying: reads and renews the Lease on time, through every fault of the API server, and says whether
// this process leads. The rules are in leader-election.ts; what leading means is not known here.
import type { Clock } from '../../lib/clock.ts';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { type ElectionTerms, LeaderElection, type LeaseClaim, type SeenLease } from './leader-election.ts';
import type { LeaseStore } from './lease.ts';

/** Of client-go, on which clusters are sized. */
export const LEASE_DURATION_MS = 15_000;
export const RENEW_DEADLINE_MS = 10_000;
/** Between two tries; candidates add up to a fifth, so that they do not try in step. */
const RETRY_PERIOD_MS = 2_000;
const RETRY_JITTER = 0.2;
/** After a renewal that failed: sooner, since the deadline runs. */
const RENEWAL_RETRY_MS = 1_000;
/** After which a request is given up: two fit before the deadline. */
export const LEASE_TIMEOUT_MS = 4_000;

export interface LeaderElectorOptions<Lease extends SeenLease> {
  readonly identity: string;
  readonly store: LeaseStore<Lease>;
  /** Called when the Lease can be read and written again after a time in which it could not; must not throw. */
  readonly onRecovered?: () => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

export class LeaderElector<Lease extends SeenLease> {
  readonly #options: LeaderElectorOptions<Lease>;
  readonly #election: LeaderElection<Lease>;
  #timer: unknown = null;
  #try: Promise<void> = Promise.resolve();
  #wasLeading = false;
  #isStopped = false;
  #isResigned = false;
  #fault = '';
  #holder = '';

  constructor(options: LeaderElectorOptions<Lease>) {
    this.#options = options;
    const terms: ElectionTerms = {
      identity: options.identity,
      leaseDurationMs: LEASE_DURATION_MS,
      renewDeadlineMs: RENEW_DEADLINE_MS,
    };
    this.#election = new LeaderElection(terms);
  }

  /** Whether this process leads now. To be asked before each act of a leader. */
  isLeading(): boolean {
    return !this.#isResigned && this.#election.isLeading(this.#options.clock.nowMs());
  }

  start(): void {
    this.#tryIn(0);
  }

  /**
   * Leads no more from this moment on and makes no more tries. `quiet` resolves to whether everything that was begun as a leader has
   * ended: only then the Lease is given back, so that the next leader need not wait; otherwise it runs out.
   */
  async stop(quiet: Promise<boolean>): Promise<void> {
    if (this.#isStopped) return this.#try;
    this.#isStopped = true;
    this.#isResigned = true;
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    const before = this.#try;
    this.#try = this.#giveBack(before, quiet);
    this.#tell();
    return this.#try;
  }

  async #giveBack(before: Promise<void>, quiet: Promise<boolean>): Promise<void> {
    const { log, clock, store } = this.#options;
    await before;
    const isQuiet = await quiet;
    const claim = this.#election.resign(clock.nowMs());
    if (claim === null) return;
    if (!isQuiet) {
      log.warn({}, 'something the leader began has not ended; the Lease is left to run out');
      return;
    }
    try {
      if ((await store.write(claim)) !== null) log.info({}, 'gave the Lease back');
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'could not give the Lease back; it runs out by itself');
    }
  }

  #tryIn(delayMs: number): void {
    this.#timer = this.#options.timers.set(() => {
      this.#timer = null;
      this.#try = this.#run();
    }, delayMs);
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    let isFaulty = false;
    try {
      await this.#attempt();
      if (this.#fault !== '') {
        log.info({}, 'the Lease can be read and written again');
        this.#options.onRecovered?.();
      }
      this.#fault = '';
    } catch (error) {
      isFaulty = true;
      this.#election.lostTrack();
      const reason = reasonOf(error);
      if (reason !== this.#fault) log.warn({ reason }, 'the Lease cannot be read or written; trying on');
      this.#fault = reason;
    }
    this.#tell();
    if (!this.#isStopped) this.#tryIn(this.#delayMs(isFaulty));
  }

  async #attempt(): Promise<void> {
    const { clock, store } = this.#options;
    const step = this.#election.step(clock.nowMs(), clock.wallMs());
    if (step !== 'read') return this.#write(step);
    const lease = await store.read();
    if (this.#isStopped) return;
    const claim = this.#election.judge(lease, clock.nowMs(), clock.wallMs());
    if (claim !== null) await this.#write(claim);
  }

  async #write(claim: LeaseClaim<Lease>): Promise<void> {
    const sentMs = this.#options.clock.nowMs();
    const lease = await this.#options.store.write(claim);
    if (lease === null) this.#election.lostTrack();
    else this.#election.won(lease, sentMs);
  }

  #delayMs(isFaulty: boolean): number {
    const { clock, random } = this.#options;
    if (this.isLeading()) return isFaulty ? RENEWAL_RETRY_MS : RETRY_PERIOD_MS;
    const delayMs = RETRY_PERIOD_MS * (1 + RETRY_JITTER * random());
    const waitMs = this.#election.waitMs(clock.nowMs());
    return waitMs > 0 && !isFaulty ? Math.min(delayMs, waitMs) : delayMs;
  }

  #tell(): void {
    const { log, identity } = this.#options;
    const isLeading = this.isLeading();
    const { holder } = this.#election;
    if (isLeading !== this.#wasLeading) {
      this.#wasLeading = isLeading;
      if (isLeading) log.info({ identity }, 'leading: this replica writes statuses and events');
      else log.info({ identity, leader: holder === identity ? '' : holder }, 'not leading any more');
    } else if (!isLeading && holder !== this.#holder && holder !== '' && holder !== identity) {
      log.info({ leader: holder }, 'another replica leads');
    }
    this.#holder = holder;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
