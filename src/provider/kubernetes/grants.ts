// ReferenceGrants, where the cluster has that kind: who may refer to Services of another namespace. They are read only once
// a Balancer refers to one, and a cluster without the kind grants nothing.
import { parseReferenceGrant, type ReferenceGrant, referenceGrantGroup } from '../../api/reference-grant.ts';
import { ApiError } from './api-error.ts';
import { isRecord } from './kube-object.ts';
import { ObjectStore } from './object-store.ts';
import { pause } from './pause.ts';
import { createReflector, type Reflector, type Surroundings } from './reflector.ts';
import { trimmed } from './trimmed.ts';

export interface GrantsOptions extends Surroundings {
  /** Null: all. */
  readonly namespaces: readonly string[] | null;
  /** The grants of a namespace are these now. */
  readonly onChange: (namespace: string, grants: readonly ReferenceGrant[]) => void;
  readonly onSettled: () => void;
}

/** How often it is asked whether the kind has been installed, in milliseconds. */
const lookMs = 60_000;
const versions = ['v1', 'v1beta1'] as const;

export class Grants {
  readonly #options: GrantsOptions;
  readonly #store: ObjectStore<ReferenceGrant>;
  readonly #stopping = new AbortController();
  #reflectors: readonly Reflector[] = [];
  #running: Promise<void> | null = null;
  #isSettled = false;

  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#store = new ObjectStore<ReferenceGrant>({
      parse: (object) => {
        const resource = parseReferenceGrant(trimmed(object, '', ''));
        return resource === undefined ? { problems: [] } : { resource };
      },
      groupOf: ({ metadata }) => metadata.namespace,
      isWanted: () => true,
      onChange: options.onChange,
      onProblems: () => undefined,
    });
  }

  /** Whether it is known what is granted. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Begins to read them, once. */
  want(): void {
    this.#running ??= this.#run().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  /** Until the kind is found; from then on its reflectors do the work, also when it is taken away. */
  async #run(): Promise<void> {
    const { timers, random } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      const version = await this.#findVersion(signal);
      if (version !== null && version !== undefined) {
        this.#watch(version);
        return;
      }
      // Null: the server does not have it. Undefined: it did not say; whoever waits goes on waiting.
      if (version === null) this.#settle();
      await pause(timers, version === null ? lookMs * (1 + random() / 5) : 1_000, signal);
    }
  }

  async #findVersion(signal: AbortSignal): Promise<string | null | undefined> {
    for (const version of versions) {
      try {
        const path = `/apis/${referenceGrantGroup}/${version}`;
        const found = await this.#options.client.request('GET', path, { signal });
        const resources: unknown = isRecord(found) ? found.resources : [];
        const names = Array.isArray(resources) ? resources.map((entry) => (isRecord(entry) ? entry.name : '')) : [];
        if (names.includes('referencegrants')) return version;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 403)) return undefined;
      }
    }
    return null;
  }

  #watch(version: string): void {
    const { namespaces } = this.#options;
    this.#reflectors = (namespaces ?? [null]).map((namespace) => {
      const place = namespace === null ? '' : `/namespaces/${namespace}`;
      return createReflector({
        ...this.#options,
        what: namespace === null ? 'ReferenceGrants of all namespaces' : `ReferenceGrants of namespace ${namespace}`,
        path: `/apis/${referenceGrantGroup}/${version}${place}/referencegrants`,
        sink: this.#store.sink({ namespace, name: null }),
        // What must not be read, or is gone again, grants nothing new; what was granted stays until it is known better.
        onState: (fault) => {
          if (fault?.status === 403 || fault?.status === 404) this.#settle();
        },
      });
    });
    void Promise.all(this.#reflectors.map(({ synced }) => synced)).then(() => this.#settle());
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.onSettled();
  }
}
