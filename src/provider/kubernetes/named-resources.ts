// What Balancers name: Services and their EndpointSlices, Secrets, ReferenceGrants, and the Pods behind endpoints where they
// are read. Each is held for as long as somebody names it. Knows no Balancer, and judges nothing.
import { type EndpointSlice, serviceNameLabel } from '../../api/endpoint-slice.ts';
import type { Problem } from '../../api/problem.ts';
import type { ReferenceGrant } from '../../api/reference-grant.ts';
import { keyOf, type ResourceSet } from '../../api/resource-set.ts';
import type { Secret } from '../../api/secret.ts';
import type { Service } from '../../api/service.ts';
import { collection, parseAs } from './collection.ts';
import { Grants } from './grants.ts';
import { MemberPods } from './member-pods.ts';
import { NamedSecrets } from './named-secrets.ts';
import { keyOfObject } from './object-store.ts';
import type { References } from './references.ts';
import type { Surroundings } from './reflector.ts';
import { WantedKind } from './wanted-kind.ts';
import { WatchTally } from './watch-tally.ts';

export interface NamedResourcesOptions extends Surroundings {
  /** What is watched; null: all namespaces. */
  readonly namespaces: readonly string[] | null;
  /** Whether Pods are read for what they say of themselves as members. */
  readonly readsPods: boolean;
  /** Of this Service (key) the object, the EndpointSlices or a Pod behind them is another one now. */
  readonly onService: (key: string) => void;
  /** Something else is, or it is not known for another reason. */
  readonly onOther: () => void;
  readonly onProblems: () => void;
  /** Something that was waited for is known now, or waited for no longer. */
  readonly onSettled: () => void;
}

/** The watches of a kind. */
export interface WatchedKind {
  readonly kind: string;
  readonly tally: WatchTally;
  /** That are held in memory. Count. */
  readonly objects: number;
}

export class NamedResources {
  /** Live. */
  readonly resources: Omit<ResourceSet, 'balancers' | 'hostRecords'>;
  readonly #services = new Map<string, Service>();
  readonly #secrets = new Map<string, Secret>();
  readonly #slices = new Map<string, readonly EndpointSlice[]>();
  readonly #grants = new Map<string, readonly ReferenceGrant[]>();
  readonly #unread = {
    services: new Map<string, string>(),
    secrets: new Map<string, string>(),
    referenceGrants: new Map<string | null, string>(),
  };
  readonly #tallies = {
    Service: new WatchTally(),
    EndpointSlice: new WatchTally(),
    Secret: new WatchTally(),
    ReferenceGrant: new WatchTally(),
    Pod: new WatchTally(),
  };
  readonly #options: NamedResourcesOptions;
  readonly #serviceKind: WantedKind<Service>;
  readonly #sliceKind: WantedKind<EndpointSlice>;
  readonly #namedSecrets: NamedSecrets;
  readonly #namedGrants: Grants;
  readonly #memberPods: MemberPods | null;

  constructor(options: NamedResourcesOptions) {
    this.#options = options;
    this.#memberPods = options.readsPods ? this.#watchPods() : null;
    this.#serviceKind = this.#watchServices();
    this.#sliceKind = this.#watchSlices();
    this.#namedSecrets = this.#watchSecrets();
    this.#namedGrants = this.#watchGrants();
    this.resources = {
      services: this.#services,
      secrets: this.#secrets,
      endpointSlices: this.#slices,
      referenceGrants: this.#grants,
      unread: this.#unread,
      ...(this.#memberPods === null ? {} : { pods: this.#memberPods.pods }),
    };
  }

  get problems(): readonly Problem[] {
    return [this.#serviceKind, this.#sliceKind, this.#namedSecrets].flatMap(({ problems }) => problems);
  }

  get kinds(): readonly WatchedKind[] {
    const tallies = this.#tallies;
    return [
      { kind: 'Service', tally: tallies.Service, objects: this.#serviceKind.size },
      { kind: 'EndpointSlice', tally: tallies.EndpointSlice, objects: this.#sliceKind.size },
      { kind: 'Secret', tally: tallies.Secret, objects: this.#secrets.size },
      { kind: 'ReferenceGrant', tally: tallies.ReferenceGrant, objects: [...this.#grants.values()].flat().length },
      { kind: 'Pod', tally: tallies.Pod, objects: this.#memberPods?.size ?? 0 },
    ];
  }

  /** Begins to watch Services. What is held by now costs no look-up of its own. */
  start(): void {
    this.#serviceKind.start();
    this.#sliceKind.start();
  }

  /** Whether all Services and their EndpointSlices are known that were held at the start. */
  get hasSynced(): boolean {
    return this.#serviceKind.hasSynced && this.#sliceKind.hasSynced;
  }

  /** Begins to watch Pods, if they are read; once, however often it is called. Behind which Services is to be known by now. */
  startPods(): void {
    this.#memberPods?.start();
  }

  /** Whether it is known what Pods say, or nobody asks. */
  get arePodsSettled(): boolean {
    return this.#memberPods === null || this.#memberPods.isSettled;
  }

  /** Keeps what a Balancer of this namespace names, until it is released as often. */
  hold(namespace: string, { services, secrets, foreignNamespaces }: References): void {
    for (const key of services) {
      this.#serviceKind.want(key);
      this.#sliceKind.want(key);
    }
    for (const name of secrets) this.#namedSecrets.want(namespace, name);
    if (foreignNamespaces.size > 0) this.#namedGrants.want();
  }

  release(namespace: string, { services, secrets }: References): void {
    for (const key of services) {
      if (this.#serviceKind.release(key)) this.#services.delete(key);
      if (!this.#sliceKind.release(key)) continue;
      this.#noteUnreadService(key);
      this.#slices.delete(key);
      this.#memberPods?.follow(key, []);
    }
    for (const name of secrets) this.#namedSecrets.release(keyOf(namespace, name));
  }

  /** Whether all of it is known, or waited for no longer. */
  isSettled(namespace: string, { services, secrets, foreignNamespaces }: References): boolean {
    for (const key of services) {
      if (!this.#serviceKind.isSettled(key) || !this.#sliceKind.isSettled(key)) return false;
    }
    for (const name of secrets) if (!this.#namedSecrets.isSettled(keyOf(namespace, name))) return false;
    return foreignNamespaces.size === 0 || this.#namedGrants.isSettled;
  }

  async stop(): Promise<void> {
    const parts = [this.#serviceKind, this.#sliceKind, this.#namedSecrets, this.#namedGrants, this.#memberPods];
    await Promise.all(parts.map((part) => part?.stop()));
  }

  #watchServices(): WantedKind<Service> {
    return new WantedKind<Service>({
      ...this.#options,
      onUnread: (key) => this.#noteUnreadService(key),
      tally: this.#tallies.Service,
      plural: 'Services',
      pathOf: (namespace) => collection('/api/v1', namespace, 'services'),
      selectorOf: (name) => ({ fieldSelector: `metadata.name=${name}` }),
      parse: (object) => parseAs<Service>(object, 'v1', 'Service'),
      groupOf: keyOfObject,
      onChange: (key, [service]) => {
        if (service === undefined) this.#services.delete(key);
        else this.#services.set(key, service);
        this.#options.onService(key);
      },
    });
  }

  #watchSlices(): WantedKind<EndpointSlice> {
    return new WantedKind<EndpointSlice>({
      ...this.#options,
      onUnread: (key) => this.#noteUnreadService(key),
      tally: this.#tallies.EndpointSlice,
      plural: 'EndpointSlices',
      pathOf: (namespace) => collection('/apis/discovery.k8s.io/v1', namespace, 'endpointslices'),
      selectorOf: (name) => ({ labelSelector: `${serviceNameLabel}=${name}` }),
      parse: (object) => parseAs<EndpointSlice>(object, 'discovery.k8s.io/v1', 'EndpointSlice'),
      groupOf: ({ metadata }) => {
        const name = metadata.labels?.[serviceNameLabel];
        return name === undefined ? undefined : keyOf(metadata.namespace ?? '', name);
      },
      onChange: (key, slices) => {
        if (slices.length === 0) this.#slices.delete(key);
        else this.#slices.set(key, slices);
        this.#memberPods?.follow(key, slices);
        this.#options.onService(key);
      },
    });
  }

  #watchSecrets(): NamedSecrets {
    return new NamedSecrets({
      ...this.#options,
      tally: this.#tallies.Secret,
      onUnread: (key, why) => this.#noteUnread(this.#unread.secrets, key, why),
      onChange: (key, secret) => {
        if (secret === undefined) this.#secrets.delete(key);
        else this.#secrets.set(key, secret);
        this.#options.onOther();
      },
    });
  }

  #watchGrants(): Grants {
    return new Grants({
      ...this.#options,
      tally: this.#tallies.ReferenceGrant,
      onUnread: (namespace, why) => this.#noteUnread(this.#unread.referenceGrants, namespace, why),
      onChange: (namespace, list) => {
        this.#grants.set(namespace, list);
        this.#options.onOther();
      },
    });
  }

  #watchPods(): MemberPods {
    return new MemberPods({
      ...this.#options,
      tally: this.#tallies.Pod,
      onChange: (service) => this.#options.onService(service),
    });
  }

  /** Says why something is not known; undefined: it is. */
  #noteUnread<Key>(reasons: Map<Key, string>, key: Key, why: string | undefined): void {
    if (reasons.get(key) === why) return;
    if (why === undefined) reasons.delete(key);
    else reasons.set(key, why);
    this.#options.onOther();
  }

  #noteUnreadService(key: string): void {
    const why = this.#serviceKind.unreadOf(key) ?? this.#sliceKind.unreadOf(key) ?? undefined;
    this.#noteUnread(this.#unread.services, key, why);
  }
}
