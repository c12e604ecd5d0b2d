// Many users of an application with sessions in its members' memory, each with a browser that keeps its connection. They go
// on and on, and note what went wrong and when a session was lost; what of that may be is for the test to judge.
import { expect } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import type { SessionReport } from './application.ts';
import { Browser, setCookies } from './browser.ts';

/** A session that its member did not know any more, and the one that came in its place. */
export interface Loss {
  readonly before: SessionReport;
  readonly after: SessionReport;
  /** When the answer came, as of `performance.now`. */
  readonly atMs: number;
}

export interface Habits {
  /** Where a user sends the next request; more than one port: at random. */
  readonly ports: readonly number[];
  /** Milliseconds that a user takes before the next request, at most. */
  readonly thinkMs: number;
  /** Every so many-th user begins anew after some requests; 0: nobody does. */
  readonly fickleEach?: number;
}

/**
 * Requests after which a fickle user begins anew. So few that a member which has just joined, and so is behind with requests
 * of sessions, cannot take all new sessions: those who drain would not be put to the test.
 */
const FICKLE_REQUESTS = 2;
/** Every so many-th request is a POST, which nobody may send twice. */
const POST_EACH = 3;

export class User {
  readonly failures: string[] = [];
  readonly losses: Loss[] = [];
  /** Answers of members that did not know the session, which the client has kept for all that. */
  strays = 0;
  requests = 0;
  readonly #habits: Habits;
  readonly #isFickle: boolean;
  #browser = new Browser(true);
  #report: SessionReport | null = null;
  #isDone = false;

  constructor(habits: Habits, isFickle: boolean) {
    this.#habits = habits;
    this.#isFickle = isFickle;
  }

  /** The member that has the session; null: there is none yet. */
  get home(): string | null {
    return this.#report?.member ?? null;
  }

  async goOn(): Promise<void> {
    const { thinkMs } = this.#habits;
    while (!this.#isDone) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * thinkMs));
      if (this.#isFickle && this.requests % FICKLE_REQUESTS === 0) this.#forget();
      try {
        await this.#ask();
      } catch (error) {
        this.failures.push(String(error));
      }
      this.requests += 1;
    }
    this.#browser[Symbol.dispose]();
  }

  leave(): void {
    this.#isDone = true;
  }

  #forget(): void {
    this.#browser[Symbol.dispose]();
    this.#browser = new Browser(true);
    this.#report = null;
  }

  async #ask(): Promise<void> {
    const { ports } = this.#habits;
    const before = this.#report;
    const port = ports[Math.floor(Math.random() * ports.length)]!;
    const isPost = this.requests % POST_EACH === POST_EACH - 1;
    const answer = isPost ? await this.#browser.post(port, '/', 'item=1') : await this.#browser.get(port);
    if (answer.status !== 200) return void this.failures.push(`${answer.status} ${answer.body}`);
    const report = JSON.parse(answer.body) as SessionReport;
    const isSet = setCookies(answer).length > 0;
    if (before !== null && report.isLost && !isSet) {
      this.strays += 1;
      return;
    }
    this.#report = report;
    if (before === null || report.isLost) {
      if (!isSet) this.failures.push('no cookie for a new session');
      if (before !== null) this.losses.push({ before, after: report, atMs: performance.now() });
    } else if (report.id !== before.id || report.member !== before.member || report.count !== before.count + 1) {
      this.failures.push(`${JSON.stringify(report)} after ${JSON.stringify(before)}`);
    }
  }
}

export class Crowd implements AsyncDisposable {
  readonly users: readonly User[];
  readonly #going: Promise<unknown>;

  constructor(count: number, habits: Habits) {
    const { fickleEach = 0 } = habits;
    this.users = Array.from({ length: count }, (_, at) => new User(habits, fickleEach > 0 && at % fickleEach === 0));
    this.#going = Promise.all(this.users.map((user) => user.goOn()));
  }

  get failures(): readonly string[] {
    return this.users.flatMap(({ failures }) => failures);
  }

  get strays(): number {
    return this.users.reduce((sum, { strays }) => sum + strays, 0);
  }

  /** In the order in which they happened. */
  get losses(): readonly Loss[] {
    return this.users.flatMap(({ losses }) => losses).sort((one, other) => one.atMs - other.atMs);
  }

  /** Resolves when each user has had so many more answers. */
  async requestsOfAll(count: number): Promise<void> {
    const now = this.users.map(({ requests }) => requests);
    await eventually(() => {
      for (const [at, user] of this.users.entries()) expect(user.requests).toBeGreaterThanOrEqual(now[at]! + count);
    }, 90_000);
  }

  /** Resolves when the last answers are there. */
  async leave(): Promise<void> {
    for (const user of this.users) user.leave();
    await this.#going;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}
