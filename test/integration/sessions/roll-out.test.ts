// A deployment under 100 users: every member is replaced in turn, as their sessions go on in the members' memory.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/deadline.ts';
import { Configuration } from '../product/configuration.ts';
import { Application, inMemorySessions, type SessionReport, startApplications } from './application.ts';
import { Browser, setCookies } from './browser.ts';
import { edit, type Fields, serve, sticky } from './sticky-file.ts';

const CLIENTS = 100;
/** Milliseconds that a user takes before the next request, at most. */
const THINK_MS = 100;
/** Every second user begins anew after so many requests; the others stay. */
const FICKLE_REQUESTS = 3;

/** A user who goes on and on; notes what went wrong. */
class User {
  readonly #port: number;
  /** Members that were taken out of the file; from then on their sessions may be lost. */
  readonly #removed: ReadonlySet<string>;
  #browser = new Browser(true);
  #report: SessionReport | null = null;
  #isDone = false;
  readonly failures: string[] = [];
  requests = 0;
  /** Sessions that ended with their member. */
  ended = 0;
  readonly #isFickle: boolean;

  constructor(port: number, isFickle: boolean, removed: ReadonlySet<string>) {
    this.#port = port;
    this.#isFickle = isFickle;
    this.#removed = removed;
  }

  async goOn(): Promise<void> {
    while (!this.#isDone) {
      if (this.#isFickle && this.requests % FICKLE_REQUESTS === 0) this.#forget();
      try {
        await this.#ask();
      } catch (error) {
        this.failures.push(String(error));
      }
      this.requests += 1;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * THINK_MS));
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
    const before = this.#report;
    const answer = await this.#browser.get(this.#port);
    if (answer.status !== 200) return void this.failures.push(`${answer.status} ${answer.body}`);
    const report = JSON.parse(answer.body) as SessionReport;
    this.#report = report;
    if (before === null || report.isLost) {
      if (setCookies(answer).length !== 1) this.failures.push('no cookie for a new session');
      if (before === null) return;
      this.ended += 1;
      if (!this.#removed.has(before.member)) this.failures.push(`lost ${before.id} though ${before.member} is there`);
    } else if (report.id !== before.id || report.member !== before.member || report.count !== before.count + 1) {
      this.failures.push(`${JSON.stringify(report)} after ${JSON.stringify(before)}`);
    }
  }
}

test('five members are replaced in turn under 100 users: no error, and no session is lost before its member goes', {
  timeout: 90_000,
}, async () => {
  const respond = inMemorySessions('sid');
  const begun = new Map<string, number>();
  const counting: typeof respond = (request, application) => {
    const answer = respond(request, application);
    if ('set-cookie' in answer.lines) begun.set(application.name, (begun.get(application.name) ?? 0) + 1);
    return answer;
  };
  await using first = await startApplications('abcde', counting);
  let members: Application[] = [...first];
  const session = { cookie: 'sid', strategy: 'Suffix' };
  const file = new Configuration(sticky(members, session));
  await using evenkeel = await serve(file);
  const removed = new Set<string>();
  const users = Array.from({ length: CLIENTS }, (_, index) => new User(evenkeel.httpPort, index % 2 === 0, removed));
  const going = Promise.all(users.map((user) => user.goOn()));
  const requestsOfAll = async (count: number): Promise<void> => {
    const now = users.map(({ requests }) => requests);
    await eventually(() => {
      for (const [index, user] of users.entries()) expect(user.requests).toBeGreaterThanOrEqual(now[index]! + count);
    });
  };
  const serveNow = (changes: Readonly<Record<string, Fields>> = {}): Promise<void> =>
    edit(file, sticky(members, session, changes), evenkeel);
  const successors: Application[] = [];
  let endedBefore = 0;

  try {
    await requestsOfAll(2);
    for (const old of first) {
      const successor = await new Application(`${old.name}2`, counting).listen();
      successors.push(successor);
      members = [...members, successor];
      await serveNow();
      await serveNow({ [old.name]: { state: 'Draining' } });
      // What was elected before the change is through after that.
      await requestsOfAll(1);
      const begunBefore = begun.get(old.name);
      const requestsBefore = old.seen.length;
      await requestsOfAll(3);
      expect(begun.get(old.name)).toBe(begunBefore);
      expect(old.seen.length).toBeGreaterThan(requestsBefore);
      expect(users.flatMap(({ failures }) => failures)).toEqual([]);
      expect(users.reduce((sum, { ended }) => sum + ended, 0)).toBe(endedBefore);

      removed.add(old.name);
      members = members.filter((member) => member !== old);
      await serveNow();
      await requestsOfAll(1);
      const requestsAfter = old.seen.length;
      old.kill();
      await requestsOfAll(1);
      expect(old.seen.length).toBe(requestsAfter);
      // Whoever was on that member has lost one session, and goes on with another.
      const ended = users.reduce((sum, user) => sum + user.ended, 0);
      expect(ended - endedBefore).toBeGreaterThan(0);
      expect(ended - endedBefore).toBeLessThan(CLIENTS / 2);
      endedBefore = ended;
      expect(begun.get(successor.name)).toBeGreaterThan(0);
    }
    for (const user of users) user.leave();
    await going;
    expect(users.flatMap(({ failures }) => failures)).toEqual([]);
    for (const { ended } of users) expect(ended).toBeLessThanOrEqual(removed.size);
  } finally {
    for (const user of users) user.leave();
    await going;
    for (const successor of successors) successor.kill();
    file[Symbol.dispose]();
  }
});
