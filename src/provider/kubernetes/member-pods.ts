// The Pods behind the endpoints of Services that Balancers name: of them alone something is kept, though all are watched.
// It finds out whose endpoints a changed Pod is, and judges nothing.
import type { EndpointSlice } from '../../api/endpoint-slice.ts';
import { type Pod, parsePod } from '../../api/pod.ts';
import { keyOf } from '../../api/resource-set.ts';
import { keyOfObject } from './object-store.ts';
import type { Surroundings } from './reflector.ts';
import { WantedKind } from './wanted-kind.ts';

export interface MemberPodsOptions extends Surroundings {
  /** What is watched; null: all namespaces. */
  readonly namespaces: readonly string[] | null;
  /** A Pod behind this Service (key) is another one now. */
  readonly onChange: (service: string) => void;
  /** It is known by now what Pods say, or that they must not be read. */
  readonly onSettled: () => void;
}

export class MemberPods {
  readonly #kind: WantedKind<Pod>;
  readonly #pods = new Map<string, Pod>();
  /** Keys of Pods by Service, and the other way round. */
  readonly #behind = new Map<string, ReadonlySet<string>>();
  readonly #services = new Map<string, Set<string>>();
  #hasStarted = false;
  #isRefused = false;

  constructor({ onChange, onSettled, ...options }: MemberPodsOptions) {
    this.#kind = new WantedKind<Pod>({
      ...options,
      plural: 'Pods',
      pathOf: (namespace) => (namespace === null ? '/api/v1/pods' : `/api/v1/namespaces/${namespace}/pods`),
      selectorOf: (name) => ({ fieldSelector: `metadata.name=${name}` }),
      parse: (object, before) => {
        const resource = parsePod(object, before);
        return resource === undefined ? { problems: [] } : { resource };
      },
      groupOf: keyOfObject,
      onChange: (key, [pod]) => {
        if (pod === undefined) this.#pods.delete(key);
        else this.#pods.set(key, pod);
        for (const service of this.#services.get(key) ?? []) onChange(service);
      },
      // They are told of where the Pod is a member.
      onProblems: () => undefined,
      onSettled,
      // Members are served without what Pods say rather than not at all.
      onState: (fault) => {
        if (fault?.status !== 403) return;
        this.#isRefused = true;
        onSettled();
      },
    });
  }

  /** By key. */
  get pods(): ReadonlyMap<string, Pod> {
    return this.#pods;
  }

  get size(): number {
    return this.#kind.size;
  }

  /** Whether all was read once, or must not be. */
  get isSettled(): boolean {
    return this.#isRefused || (this.#hasStarted && this.#kind.hasSynced);
  }

  /** Begins to read, once; best when it is known whom it is about, since those who come later are looked up one by one. */
  start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#kind.start();
  }

  async stop(): Promise<void> {
    await this.#kind.stop();
  }

  /** The endpoints of a Service are these now; none: it is not asked for any more. */
  follow(service: string, slices: readonly EndpointSlice[]): void {
    const before = this.#behind.get(service) ?? new Set();
    const now = podsOf(slices);
    if (now.size === 0) this.#behind.delete(service);
    else this.#behind.set(service, now);
    for (const key of now) if (!before.has(key)) this.#add(key, service);
    for (const key of before) if (!now.has(key)) this.#remove(key, service);
  }

  #add(key: string, service: string): void {
    const services = this.#services.get(key);
    if (services !== undefined) services.add(service);
    else {
      this.#services.set(key, new Set([service]));
      this.#kind.want(key);
    }
  }

  #remove(key: string, service: string): void {
    const services = this.#services.get(key);
    services?.delete(service);
    if (services === undefined || services.size > 0) return;
    this.#services.delete(key);
    this.#kind.release(key);
    this.#pods.delete(key);
  }
}

function podsOf(slices: readonly EndpointSlice[]): Set<string> {
  const keys = new Set<string>();
  for (const { metadata, endpoints } of slices) {
    for (const { targetRef } of endpoints) {
      const isPod = targetRef?.kind === undefined || targetRef.kind === 'Pod';
      if (isPod && targetRef?.name) keys.add(keyOf(metadata.namespace, targetRef.name));
    }
  }
  return keys;
}
