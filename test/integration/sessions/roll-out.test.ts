// A deployment under 500 users: every member is replaced in turn, as their sessions go on in the members' memory.
import { expect, test } from 'vitest';
import { Configuration } from '../product/configuration.ts';
import { type Application, inMemorySessions, startApplications } from './application.ts';
import { Crowd } from './crowd.ts';
import { podFile } from './pod-file.ts';
import { edit, type Fields, serve } from './sticky-file.ts';

const CLIENTS = 500;
const session = { cookie: 'sid', strategy: 'Suffix' };

/** Counts the sessions that were begun, by member. */
function countingSessions(): { readonly begun: Map<string, number>; readonly respond: Application['respond'] } {
  const begun = new Map<string, number>();
  const respond = inMemorySessions('sid');
  return {
    begun,
    respond: (request, application, body) => {
      const answer = respond(request, application, body);
      if ('set-cookie' in answer.lines) begun.set(application.name, (begun.get(application.name) ?? 0) + 1);
      return answer;
    },
  };
}

/** Members as URLs and as pods, and which of them drain: there are three ways to say so. */
class Deployment {
  readonly #urls = new Map<string, Application>();
  readonly #pods = new Map<string, Application>();
  readonly draining = new Set<string>();

  add(application: Application, isPod: boolean): void {
    (isPod ? this.#pods : this.#urls).set(application.name, application);
  }

  isPod(name: string): boolean {
    return this.#pods.has(name);
  }

  remove(name: string): void {
    this.#urls.delete(name);
    this.#pods.delete(name);
  }

  get text(): string {
    const members = [...this.#urls.values()].map(
      ({ name, url }): Fields => ({ url, route: name, state: this.draining.has(name) ? 'Draining' : 'Enabled' }),
    );
    // The operator drains pod c; the others are terminating.
    const overrides = [{ member: 'c', state: this.draining.has('c') ? 'Draining' : 'Enabled' }];
    return podFile({
      pods: [...this.#pods.values()],
      stickySession: session,
      terminating: this.draining.difference(new Set(['c'])),
      members,
      spec: { overrides },
    });
  }
}

test('five members are replaced in turn under 500 users: no error, and no session is lost before its member goes', {
  timeout: 240_000,
}, async () => {
  const { begun, respond } = countingSessions();
  await using first = await startApplications('abcde', respond);
  await using later = await startApplications('fghij', respond);
  const deployment = new Deployment();
  for (const application of first) deployment.add(application, !'ab'.includes(application.name));
  using file = new Configuration(deployment.text);
  await using evenkeel = await serve(file);
  await using crowd = new Crowd(CLIENTS, { ports: [evenkeel.httpPort], thinkMs: 800, fickleEach: 2 });
  const serveNow = (): Promise<void> => edit(file, deployment.text, evenkeel);
  await crowd.requestsOfAll(2);
  let lostBefore = 0;
  for (const [at, old] of first.entries()) {
    const successor = later[at]!;
    deployment.add(successor, deployment.isPod(old.name));
    deployment.draining.add(old.name);
    await serveNow();
    // What was elected before the change is through after that.
    await crowd.requestsOfAll(1);
    const begunBefore = begun.get(old.name)!;
    const requestsBefore = old.seen.length;
    await crowd.requestsOfAll(2);
    expect(begun.get(old.name)).toBe(begunBefore);
    expect(old.seen.length).toBeGreaterThan(requestsBefore);
    expect(crowd.failures).toEqual([]);
    expect(crowd.losses.length).toBe(lostBefore);

    deployment.remove(old.name);
    await serveNow();
    await crowd.requestsOfAll(1);
    const requestsAfter = old.seen.length;
    old.kill();
    await crowd.requestsOfAll(1);
    expect(old.seen.length).toBe(requestsAfter);
    expect(begun.get(successor.name)).toBeGreaterThan(0);
    // Whoever was on that member has lost one session, and goes on with another.
    const lost = crowd.losses.slice(lostBefore);
    expect(lost.length).toBeGreaterThan(CLIENTS / 20);
    expect(lost.filter(({ before }) => before.member !== old.name)).toEqual([]);
    expect(new Set(lost.map(({ before }) => before.id)).size).toBe(lost.length);
    lostBefore += lost.length;
  }
  await crowd.leave();
  expect(crowd.failures).toEqual([]);
  expect(crowd.strays).toBe(0);
});
