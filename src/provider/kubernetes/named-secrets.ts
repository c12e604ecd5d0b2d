// The Secrets that Balancers name, each watched by its name alone: no right to list Secrets is needed beyond those, and
// none that nobody named is ever read.
import { parseResource } from '../../api/parse.ts';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/resource-set.ts';
import type { Secret } from '../../api/secret.ts';
import type { ApiError } from './api-error.ts';
import { keyOfObject, ObjectStore } from './object-store.ts';
import { createReflector, type Reflector, type Surroundings } from './reflector.ts';
import { trimmed } from './trimmed.ts';

export interface NamedSecretsOptions extends Surroundings {
  /** Undefined: it is gone. */
  readonly onChange: (key: string, secret: Secret | undefined) => void;
  readonly onProblems: () => void;
  readonly onSettled: () => void;
}

interface Named {
  count: number;
  /** Whether it is known what there is, or that it must not be known. */
  isSettled: boolean;
  readonly reflector: Reflector;
}

export class NamedSecrets {
  readonly #options: NamedSecretsOptions;
  readonly #named = new Map<string, Named>();
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
    if (known !== undefined) known.count += 1;
    else this.#named.set(key, { count: 1, isSettled: false, reflector: this.#watch(key, namespace, name) });
  }

  release(key: string): void {
    const named = this.#named.get(key);
    if (named === undefined) return;
    named.count -= 1;
    if (named.count > 0) return;
    this.#named.delete(key);
    this.#store.forget(key);
    this.#options.onChange(key, undefined);
    void named.reflector.stop();
  }

  isSettled(key: string): boolean {
    return this.#named.get(key)?.isSettled ?? false;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#named.values()].map(({ reflector }) => reflector.stop()));
  }

  #watch(key: string, namespace: string, name: string): Reflector {
    const settle = (): void => {
      const named = this.#named.get(key);
      if (named === undefined || named.isSettled) return;
      named.isSettled = true;
      this.#options.onSettled();
    };
    const reflector = createReflector({
      ...this.#options,
      what: `Secret ${key}`,
      path: `/api/v1/namespaces/${namespace}/secrets`,
      query: { fieldSelector: `metadata.name=${name}` },
      sink: this.#store.sink({ namespace, name }),
      // A Secret that must not be read is as good as one that is not there: the Balancer is to be told, not held up.
      onState: (fault) => {
        if (fault !== null && isRefusal(fault)) settle();
      },
    });
    void reflector.synced.then(settle);
    return reflector;
  }
}

function isRefusal({ status }: ApiError): boolean {
  return status === 403 || status === 404;
}
