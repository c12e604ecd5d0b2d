// The Secrets that Balancers name, each watched by its name alone: no right to list Secrets is needed beyond those, and
// none that nobody named is ever read.
import { parseResource } from '../../api/parse.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/resource-set.ts';
import type { Secret } from '../../api/secret.ts';
import { type ApiError, isRefusal, whyUnread } from './api-error.ts';
import { keyOfObject, ObjectStore } from './object-store.ts';
import { createReflector, defaultPace, type Reflector, type Surroundings } from './reflector.ts';
import { trimmed } from './trimmed.ts';
import { Turns } from './turns.ts';

export interface NamedSecretsOptions extends Surroundings {
  /** Undefined: it is gone. */
  readonly onChange: (key: string, secret: Secret | undefined) => void;
  /** Why it counts as missing although nobody knows whether it is; undefined: it is known, or named no more. */
  readonly onUnread: (key: string, why: string | undefined) => void;
  readonly onProblems: () => void;
  readonly onSettled: () => void;
}

interface Named {
  count: number;
  /** Whether it was read once, so that it is known what there is. */
  isRead: boolean;
  /** Why it is not waited for any longer although it was never read; null: it is waited for, or was read. */
  unread: string | null;
  /** What reading it fails with now. */
  fault: ApiError | null;
  /** Ends the patience; null: it has not begun. */
  timer: unknown;
  readonly reflector: Reflector;
}

/** Lists at the same time; many Secrets may be named at once, and all of them may be refused. */
const maxLists = 16;
/** A Secret is one object: what takes longer is better tried again, and keeps others waiting. */
const listTimeoutMs = 10_000;
/** A Secret that must not be read stays so until a person changes a role. */
const refusedRetry = { baseMs: 1_000, maxMs: 120_000 } as const;

export class NamedSecrets {
  readonly #options: NamedSecretsOptions;
  readonly #named = new Map<string, Named>();
  readonly #turns = new Turns(maxLists);
  readonly #store: ObjectStore<Secret>;

  constructor(options: NamedSecretsOptions) {
    this.#options = options;
    this.#store = new ObjectStore<Secret>({
      parse: (object) => {
        const parsed = parseResource(trimmed(object, 'v1', 'Secret'), 'dropped');
        return parsed.problems === undefined ? { resource: parsed.resource as Secret } : parsed;
      },
      groupOf: keyOfObject,
      isWanted: (group) => this.#named.has(group),
      onChange: (key, [secret]) => options.onChange(key, secret),
      onProblems: options.onProblems,
    });
  }

  get problems(): readonly Problem[] {
    return this.#store.problems;
  }

  /** Watches a Secret until release() was called as often. */
  want(namespace: string, name: string): void {
    const key = keyOf(namespace, name);
    const known = this.#named.get(key);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const named: Named = {
      count: 1,
      isRead: false,
      unread: null,
      fault: null,
      timer: null,
      reflector: this.#watch(key, namespace, name, () => named),
    };
    this.#named.set(key, named);
    void named.reflector.synced.then(() => this.#noteRead(key, named));
  }

  release(key: string): void {
    const named = this.#named.get(key);
    if (named === undefined) return;
    named.count -= 1;
    if (named.count > 0) return;
    this.#named.delete(key);
    this.#store.forget(key);
    this.#options.onChange(key, undefined);
    if (named.unread !== null) this.#options.onUnread(key, undefined);
    this.#end(named);
  }

  /** Whether it is known what there is, or it is waited for no longer. */
  isSettled(key: string): boolean {
    const named = this.#named.get(key);
    return named !== undefined && (named.isRead || named.unread !== null);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#named.values()].map((named) => this.#end(named)));
  }

  async #end({ timer, reflector }: Named): Promise<void> {
    this.#options.timers.clear(timer);
    await reflector.stop();
  }

  #watch(key: string, namespace: string, name: string, namedOf: () => Named): Reflector {
    const { pace, timers } = this.#options;
    const { patienceMs } = { ...defaultPace, ...pace };
    return createReflector({
      ...this.#options,
      pace: { ...pace, listTimeoutMs: Math.min(pace?.listTimeoutMs ?? listTimeoutMs, listTimeoutMs) },
      what: `Secret ${key}`,
      path: `/api/v1/namespaces/${namespace}/secrets`,
      query: { fieldSelector: `metadata.name=${name}` },
      sink: this.#store.sink({ namespace, name }),
      refusedRetry,
      turns: {
        take: async (signal) => {
          const endTurn = await this.#turns.take(signal);
          // Whoever has to wait for the turn has not been tried.
          namedOf().timer ??= timers.set(() => this.#giveUp(key, namedOf()), patienceMs);
          return endTurn;
        },
      },
      onState: (fault) => {
        const named = namedOf();
        named.fault = fault;
        // One that must not be read is as good as one that is not there. Of others the reason may be another one now.
        if (fault !== null && (isRefusal(fault) || named.unread !== null)) this.#giveUp(key, named);
      },
    });
  }

  #noteRead(key: string, named: Named): void {
    if (this.#named.get(key) !== named) return;
    const wasUnread = named.unread !== null;
    this.#options.timers.clear(named.timer);
    named.isRead = true;
    named.unread = null;
    if (wasUnread) this.#options.onUnread(key, undefined);
    this.#options.onSettled();
  }

  /** The Balancer is to be told, not held up. The reflector tries on. */
  #giveUp(key: string, named: Named): void {
    if (this.#named.get(key) !== named || named.isRead) return;
    const why = whyUnread(named.fault);
    if (why === named.unread) return;
    named.unread = why;
    this.#options.onUnread(key, why);
    this.#options.onSettled();
  }
}
