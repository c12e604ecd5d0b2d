// The provider that reads the cluster: Balancers, and of everything else what they name. It puts together a live set of
// resources, says what changed in it, and judges nothing.
//
// A version of a Balancer is taken up only when everything that it names has been looked for: else a Balancer that is
// pointed at another Service would have no members for a moment, and its requests 503.
import { isDeepStrictEqual } from 'node:util';
import type { Balancer } from '../../api/balancer.ts';
import { balancerApiVersion } from '../../api/balancer.ts';
import { type EndpointSlice, serviceNameLabel } from '../../api/endpoint-slice.ts';
import { parseResource, type Resource } from '../../api/parse.ts';
import type { ReferenceGrant } from '../../api/reference-grant.ts';
import { type RefusedBalancer, readRefused } from '../../api/refused-balancer.ts';
import { type AgedBalancer, type HostRecord, keyOf, type ResourceSet } from '../../api/resource-set.ts';
import type { Secret } from '../../api/secret.ts';
import type { Service } from '../../api/service.ts';
import { ChangeLog, type Changed } from '../../lib/change-log.ts';
import type { Changes, LocatedProblem, Provider, Reading } from '../provider.ts';
import { Grants } from './grants.ts';
import type { KubeObject } from './kube-object.ts';
import { MemberPods } from './member-pods.ts';
import { NamedSecrets } from './named-secrets.ts';
import { keyOfObject } from './object-store.ts';
import { noReferences, type References, referencesOf } from './references.ts';
import type { Surroundings } from './reflector.ts';
import { trimmed } from './trimmed.ts';
import { WantedKind } from './wanted-kind.ts';
import { type WatchState, WatchTally } from './watch-tally.ts';

export interface KubernetesProviderOptions extends Surroundings {
  /** What is watched; null: all namespaces. */
  readonly namespaces: readonly string[] | null;
  /** Whether a Balancer is of a class that is served here. Of others nothing that they name is read, and nothing is told. */
  readonly isOurs: (balancer: Classed) => boolean;
  /**
   * What a Balancer's status is to record of its hosts as things are; null or undefined: nothing. A status that comes to say
   * so decides nothing new, and nothing is told. Default: every record is news.
   */
  readonly hostRecordOf?: (key: string) => HostRecord | null | undefined;
  /** Whether Pods are read for what they say of themselves as members. Default: false. */
  readonly readsPods?: boolean;
}

export interface KubernetesProvider extends Provider {
  /** The newest version of each Balancer, of any class, by key: with the newest status, and perhaps not taken up yet. */
  readonly newestBalancers: ReadonlyMap<string, Balancer>;
  /** Those of them whose newest version does not parse, so that an older one stays, if there is one. */
  readonly refusedBalancers: ReadonlyMap<string, RefusedBalancer>;
  /** Keys of which these two show something else. */
  readonly newestChanges: Changed;
  /** The kinds that are watched now, or were. */
  watches(): readonly (WatchState & { readonly kind: string; readonly objects: number })[];
  /** How many objects are held in memory, by kind. */
  counts(): Readonly<Record<'balancers' | 'services' | 'endpointSlices' | 'secrets' | 'pods', number>>;
}

/** A Balancer as far as its class goes; it may be unreadable otherwise. */
interface Classed {
  readonly spec: Pick<Balancer['spec'], 'className'>;
}

/** A version of a Balancer and what it names. */
interface Version {
  readonly aged: AgedBalancer;
  readonly references: References;
}

export function createKubernetesProvider(options: KubernetesProviderOptions): KubernetesProvider {
  const { isOurs, hostRecordOf, readsPods = false, ...surroundings } = options;

  const balancers = new Map<string, AgedBalancer>();
  const services = new Map<string, Service>();
  const secrets = new Map<string, Secret>();
  const endpointSlices = new Map<string, readonly EndpointSlice[]>();
  const referenceGrants = new Map<string, readonly ReferenceGrant[]>();
  const unread = {
    services: new Map<string, string>(),
    secrets: new Map<string, string>(),
    referenceGrants: new Map<string | null, string>(),
  };
  /** As the newest statuses have it, whichever version of a Balancer is in `balancers`. */
  const hostRecords = new Map<string, HostRecord>();

  /** The newest versions there are. */
  const newest = new Map<string, Balancer>();
  const refused = new Map<string, RefusedBalancer>();
  const newestChanges = new ChangeLog();
  /** What is in `balancers`, and what it names. */
  const taken = new Map<string, Version>();
  /** Newer versions that wait for what they name. */
  const arriving = new Map<string, Version>();

  let tell: () => void = () => undefined;
  let hasStarted = false;
  let isStopped = false;
  const ready = Promise.withResolvers<void>();

  // What changed since the last reading.
  let isAllChanged = true;
  let changedServices = new Set<string>();
  let problems: readonly LocatedProblem[] | null = [];
  let reading: Reading | null = null;

  const noteAll = (): void => {
    isAllChanged = true;
    if (hasStarted) tell();
  };
  const noteService = (key: string): void => {
    changedServices.add(key);
    if (hasStarted) tell();
  };
  /** Says why something is not known; undefined: it is. */
  const noteUnread = <Key>(reasons: Map<Key, string>, key: Key, why: string | undefined): void => {
    if (reasons.get(key) === why) return;
    if (why === undefined) reasons.delete(key);
    else reasons.set(key, why);
    noteAll();
  };
  const noteUnreadService = (key: string): void => {
    noteUnread(unread.services, key, serviceKind.unreadOf(key) ?? sliceKind.unreadOf(key) ?? undefined);
  };
  const noteProblems = (): void => {
    problems = null;
    noteAll();
  };

  let isAdmitting = false;
  /** Looks at those that wait, once for all that was settled in this turn. */
  const admitSoon = (): void => {
    if (isAdmitting) return;
    isAdmitting = true;
    queueMicrotask(() => {
      isAdmitting = false;
      if (isStopped) return;
      for (const [key, version] of [...arriving]) if (isSettled(version)) take(key, version);
      startWhenWhole();
    });
  };

  const tallies = {
    Balancer: new WatchTally(),
    Service: new WatchTally(),
    EndpointSlice: new WatchTally(),
    Secret: new WatchTally(),
    ReferenceGrant: new WatchTally(),
    Pod: new WatchTally(),
  };
  const memberPods = readsPods
    ? new MemberPods({ ...surroundings, tally: tallies.Pod, onChange: noteService, onSettled: () => admitSoon() })
    : null;
  const pods = memberPods === null ? {} : { pods: memberPods.pods };
  const resources: ResourceSet = {
    balancers,
    services,
    secrets,
    endpointSlices,
    referenceGrants,
    hostRecords,
    unread,
    ...pods,
  };

  const onChange = { onProblems: noteProblems, onSettled: admitSoon };
  const serviceKind = new WantedKind<Service>({
    ...surroundings,
    ...onChange,
    onUnread: noteUnreadService,
    tally: tallies.Service,
    plural: 'Services',
    pathOf: (namespace) => collection('/api/v1', namespace, 'services'),
    selectorOf: (name) => ({ fieldSelector: `metadata.name=${name}` }),
    parse: (object) => parseAs<Service>(object, 'v1', 'Service'),
    groupOf: keyOfObject,
    onChange: (key, [service]) => {
      if (service === undefined) services.delete(key);
      else services.set(key, service);
      noteService(key);
    },
  });
  const sliceKind = new WantedKind<EndpointSlice>({
    ...surroundings,
    ...onChange,
    onUnread: noteUnreadService,
    tally: tallies.EndpointSlice,
    plural: 'EndpointSlices',
    pathOf: (namespace) => collection('/apis/discovery.k8s.io/v1', namespace, 'endpointslices'),
    selectorOf: (name) => ({ labelSelector: `${serviceNameLabel}=${name}` }),
    parse: (object) => parseAs<EndpointSlice>(object, 'discovery.k8s.io/v1', 'EndpointSlice'),
    groupOf: ({ metadata }) => {
      const name = metadata.labels?.[serviceNameLabel];
      return name === undefined ? undefined : keyOf(metadata.namespace ?? '', name);
    },
    onChange: (key, slices) => {
      if (slices.length === 0) endpointSlices.delete(key);
      else endpointSlices.set(key, slices);
      memberPods?.follow(key, slices);
      noteService(key);
    },
  });
  const namedSecrets = new NamedSecrets({
    ...surroundings,
    ...onChange,
    tally: tallies.Secret,
    onUnread: (key, why) => noteUnread(unread.secrets, key, why),
    onChange: (key, secret) => {
      if (secret === undefined) secrets.delete(key);
      else secrets.set(key, secret);
      noteAll();
    },
  });
  const grants = new Grants({
    ...surroundings,
    tally: tallies.ReferenceGrant,
    onUnread: (namespace, why) => noteUnread(unread.referenceGrants, namespace, why),
    onSettled: admitSoon,
    onChange: (namespace, list) => {
      referenceGrants.set(namespace, list);
      noteAll();
    },
  });
  const balancerKind = new WantedKind<Balancer>({
    ...surroundings,
    tally: tallies.Balancer,
    plural: 'Balancers',
    pathOf: (namespace) => collection(`/apis/${balancerApiVersion}`, namespace, 'balancers'),
    selectorOf: () => ({}),
    isWanted: () => true,
    isDefinedByCrd: true,
    parse: (object) => parseAs<Balancer>(object, balancerApiVersion, 'Balancer'),
    groupOf: keyOfObject,
    onProblems: noteProblems,
    onRefused: (key, object, problems) => {
      const read = object === null ? undefined : readRefused(trimmed(object, balancerApiVersion, 'Balancer'), problems);
      const wasOther = isRefusedOther(key);
      if (read === undefined) refused.delete(key);
      else refused.set(key, read);
      if (read !== undefined) noteHosts(key, isOurs(read) ? read.status : undefined);
      newestChanges.note(key);
      if (isRefusedOther(key) !== wasOther) noteProblems();
      // Its author has given it to somebody else, whatever it was before.
      if (isRefusedOther(key) && (taken.has(key) || arriving.has(key))) drop(key);
    },
    onSettled: () => {
      openOthers();
      admitSoon();
    },
    onChange: (key, [balancer]) => {
      if (balancer === undefined) remove(key);
      else arrive(key, balancer);
    },
  });

  /** The first Balancers that are not taken up yet; null: they are not even listed. */
  let awaited: Set<string> | null = null;
  const startWhenWhole = (): void => {
    if (awaited === null || awaited.size > 0 || !serviceKind.hasSynced || !sliceKind.hasSynced) return;
    memberPods?.start();
    if (memberPods === null || memberPods.isSettled) ready.resolve();
  };
  /** What the first Balancers name is known by now, so that the first lists keep it. */
  const openOthers = (): void => {
    if (awaited !== null || isStopped || !balancerKind.hasSynced) return;
    awaited = new Set(arriving.keys());
    serviceKind.start();
    sliceKind.start();
  };

  const isSettled = ({ aged, references }: Version): boolean => {
    for (const key of references.services) {
      if (!serviceKind.isSettled(key) || !sliceKind.isSettled(key)) return false;
    }
    const { namespace } = aged.balancer.metadata;
    for (const name of references.secrets) if (!namedSecrets.isSettled(keyOf(namespace, name))) return false;
    return references.foreignNamespaces.size === 0 || grants.isSettled;
  };

  const hold = ({ aged, references }: Version): void => {
    for (const key of references.services) {
      serviceKind.want(key);
      sliceKind.want(key);
    }
    for (const name of references.secrets) namedSecrets.want(aged.balancer.metadata.namespace, name);
    if (references.foreignNamespaces.size > 0) grants.want();
  };

  const release = (version: Version | undefined): void => {
    if (version === undefined) return;
    for (const key of version.references.services) {
      if (serviceKind.release(key)) services.delete(key);
      if (!sliceKind.release(key)) continue;
      noteUnreadService(key);
      endpointSlices.delete(key);
      memberPods?.follow(key, []);
    }
    const { namespace } = version.aged.balancer.metadata;
    for (const name of version.references.secrets) namedSecrets.release(keyOf(namespace, name));
  };

  const noteHosts = (key: string, status: Balancer['status']): void => {
    const { className, hosts } = status ?? {};
    const record = className === undefined || hosts === undefined ? undefined : { className, hosts };
    if (isDeepStrictEqual(record, hostRecords.get(key))) return;
    if (record === undefined) hostRecords.delete(key);
    else hostRecords.set(key, record);
    const isExpected = hostRecordOf !== undefined && isDeepStrictEqual(record, hostRecordOf(key) ?? undefined);
    if (!isExpected) noteAll();
  };

  const arrive = (key: string, balancer: Balancer): void => {
    newest.set(key, balancer);
    newestChanges.note(key);
    noteHosts(key, isOurs(balancer) ? balancer.status : undefined);
    const waiting = arriving.get(key);
    const current = waiting ?? taken.get(key);
    // A write of the status, or of a label, makes a new version of the object but not of what the user wants.
    if (current !== undefined && isSameWish(current.aged.balancer, balancer)) {
      // What is equal is kept once: each Balancer gets a status.
      newest.set(key, { ...balancer, spec: current.aged.balancer.spec });
      return;
    }
    const references = isOurs(balancer) ? referencesOf(balancer) : noReferences;
    const version = { aged: { balancer, age: ageOf(balancer) }, references };
    // Held before the former one is released, so that what both name stays.
    hold(version);
    release(waiting);
    arriving.set(key, version);
    if (isSettled(version)) take(key, version);
  };

  const take = (key: string, version: Version): void => {
    const before = taken.get(key);
    arriving.delete(key);
    awaited?.delete(key);
    taken.set(key, version);
    balancers.set(key, version.aged);
    release(before);
    noteAll();
  };

  const remove = (key: string): void => {
    newest.delete(key);
    newestChanges.note(key);
    drop(key);
  };

  /** Serves no version of it any more. */
  const drop = (key: string): void => {
    release(arriving.get(key));
    release(taken.get(key));
    arriving.delete(key);
    awaited?.delete(key);
    taken.delete(key);
    balancers.delete(key);
    hostRecords.delete(key);
    noteAll();
    admitSoon();
  };

  /** Whether its newest version cannot be read, and is nobody's here. */
  const isRefusedOther = (key: string): boolean => {
    const found = refused.get(key);
    return found !== undefined && !isOurs(found);
  };

  const takeChanges = (): Changes | null => {
    const changes = isAllChanged || reading === null ? null : { since: reading.version, services: changedServices };
    isAllChanged = false;
    changedServices = new Set();
    return changes;
  };

  return {
    newestBalancers: newest,
    refusedBalancers: refused,
    newestChanges,
    watches() {
      const nowMs = surroundings.clock.nowMs();
      const objects: Readonly<Record<keyof typeof tallies, number>> = {
        Balancer: balancers.size,
        Service: serviceKind.size,
        EndpointSlice: sliceKind.size,
        Secret: secrets.size,
        ReferenceGrant: [...referenceGrants.values()].flat().length,
        Pod: memberPods?.size ?? 0,
      };
      return (Object.keys(tallies) as (keyof typeof tallies)[]).flatMap((kind) => {
        const state = tallies[kind].read(nowMs);
        return state === null ? [] : [{ kind, objects: objects[kind], ...state }];
      });
    },
    counts: () => ({
      balancers: balancers.size,
      services: serviceKind.size,
      endpointSlices: sliceKind.size,
      secrets: secrets.size,
      pods: memberPods?.size ?? 0,
    }),
    async start(onChange) {
      tell = onChange;
      if (isStopped) return;
      balancerKind.start();
      await ready.promise;
      hasStarted = true;
    },
    read() {
      if (!hasStarted) throw new Error('the provider was asked before it had started');
      if (reading !== null && !isAllChanged && changedServices.size === 0) return reading;
      problems ??= [
        ...balancerKind.problems.filter(({ resource }) => !isRefusedOther(keyOf(resource.namespace, resource.name))),
        ...[serviceKind, sliceKind, namedSecrets].flatMap((kind) => kind.problems),
      ].map((problem) => ({ problem, location: null }));
      const version = (reading?.version ?? 0) + 1;
      reading = { version, changes: takeChanges(), resources, problems, locate: () => null };
      return reading;
    },
    async stop() {
      isStopped = true;
      tell = () => undefined;
      const parts = [balancerKind, serviceKind, sliceKind, namedSecrets, grants, memberPods];
      await Promise.all(parts.map((part) => part?.stop()));
    },
  };
}

/** Where a kind is listed and watched. */
function collection(api: string, namespace: string | null, plural: string): string {
  return namespace === null ? `${api}/${plural}` : `${api}/namespaces/${namespace}/${plural}`;
}

function parseAs<T extends Resource>(object: KubeObject, apiVersion: string, kind: T['kind']) {
  const parsed = parseResource(trimmed(object, apiVersion, kind), 'dropped');
  return parsed.problems === undefined ? { resource: parsed.resource as T } : parsed;
}

/** The spec is compared, too: one and the same generation has a field or not, as the CRD of the moment knows it. */
function isSameWish(one: Balancer, other: Balancer): boolean {
  const { uid, generation } = one.metadata;
  const isSameVersion = generation !== undefined && generation === other.metadata.generation;
  return isSameVersion && uid === other.metadata.uid && isDeepStrictEqual(one.spec, other.spec);
}

function ageOf({ metadata }: Balancer): number {
  const createdMs = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(createdMs) ? Number.MAX_SAFE_INTEGER : createdMs;
}
