// The provider that reads the cluster: Balancers, and of everything else what they name. It puts together a live set of
// resources, says what changed in it, and judges nothing.
//
// A version of a Balancer is taken up only when everything that it names has been looked for: else a Balancer that is
// pointed at another Service would have no members for a moment, and its requests 503.
import { isDeepStrictEqual } from 'node:util';
import { type Balancer, balancerApiVersion } from '../../api/balancer.ts';
import { type RefusedBalancer, readRefused } from '../../api/refused-balancer.ts';
import { type AgedBalancer, type HostRecord, keyOf } from '../../api/resource-set.ts';
import { ChangeLog, type Changed } from '../../lib/change-log.ts';
import type { Provider } from '../provider.ts';
import { collection, parseAs } from './collection.ts';
import { NamedResources } from './named-resources.ts';
import { keyOfObject } from './object-store.ts';
import { Readings } from './readings.ts';
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
  let isStopped = false;
  const ready = Promise.withResolvers<void>();

  let isAdmitting = false;
  /** Looks at those that wait, once for all that was settled in this turn. */
  const admitSoon = (): void => {
    if (isAdmitting) return;
    isAdmitting = true;
    queueMicrotask(() => {
      isAdmitting = false;
      if (isStopped) return;
      for (const [key, version] of [...arriving]) if (isSettled(version)) take(key, version);
      if (awaited?.size !== 0 || !named.hasSynced) return;
      named.startPods();
      if (named.arePodsSettled) ready.resolve();
    });
  };

  const named: NamedResources = new NamedResources({
    ...surroundings,
    readsPods,
    onService: (key) => readings.noteService(key),
    onOther: () => readings.noteAll(),
    onProblems: () => readings.noteProblems(),
    onSettled: admitSoon,
  });
  const readings = new Readings({
    resources: { ...named.resources, balancers, hostRecords },
    findProblems: () => [
      ...balancerKind.problems.filter(({ resource }) => !isRefusedOther(keyOf(resource.namespace, resource.name))),
      ...named.problems,
    ],
    onNews: () => tell(),
  });

  const tally = new WatchTally();
  const balancerKind: WantedKind<Balancer> = new WantedKind<Balancer>({
    ...surroundings,
    tally,
    plural: 'Balancers',
    pathOf: (namespace) => collection(`/apis/${balancerApiVersion}`, namespace, 'balancers'),
    selectorOf: () => ({}),
    isWanted: () => true,
    isDefinedByCrd: true,
    parse: (object) => parseAs<Balancer>(object, balancerApiVersion, 'Balancer'),
    groupOf: keyOfObject,
    onProblems: () => readings.noteProblems(),
    onRefused: (key, object, problems) => {
      const read = object === null ? undefined : readRefused(trimmed(object, balancerApiVersion, 'Balancer'), problems);
      const wasOther = isRefusedOther(key);
      if (read === undefined) refused.delete(key);
      else refused.set(key, read);
      if (read !== undefined) noteHosts(key, isOurs(read) ? read.status : undefined);
      newestChanges.note(key);
      if (isRefusedOther(key) !== wasOther) readings.noteProblems();
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
  /** What the first Balancers name is known by now, so that the first lists keep it. */
  const openOthers = (): void => {
    if (awaited !== null || isStopped || !balancerKind.hasSynced) return;
    awaited = new Set(arriving.keys());
    named.start();
  };

  const isSettled = ({ aged, references }: Version): boolean =>
    named.isSettled(aged.balancer.metadata.namespace, references);
  const hold = ({ aged, references }: Version): void => named.hold(aged.balancer.metadata.namespace, references);
  const release = (version: Version | undefined): void => {
    if (version !== undefined) named.release(version.aged.balancer.metadata.namespace, version.references);
  };

  const noteHosts = (key: string, status: Balancer['status']): void => {
    const { className, hosts } = status ?? {};
    const record = className === undefined || hosts === undefined ? undefined : { className, hosts };
    if (isDeepStrictEqual(record, hostRecords.get(key))) return;
    if (record === undefined) hostRecords.delete(key);
    else hostRecords.set(key, record);
    const isExpected = hostRecordOf !== undefined && isDeepStrictEqual(record, hostRecordOf(key) ?? undefined);
    if (!isExpected) readings.noteAll();
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
    readings.noteAll();
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
    readings.noteAll();
    admitSoon();
  };

  /** Whether its newest version cannot be read, and is nobody's here. */
  const isRefusedOther = (key: string): boolean => {
    const found = refused.get(key);
    return found !== undefined && !isOurs(found);
  };

  return {
    newestBalancers: newest,
    refusedBalancers: refused,
    newestChanges,
    watches() {
      const nowMs = surroundings.clock.nowMs();
      const kinds = [{ kind: 'Balancer', tally, objects: balancers.size }, ...named.kinds];
      return kinds.flatMap(({ tally, ...kind }) => {
        const state = tally.read(nowMs);
        return state === null ? [] : [{ ...kind, ...state }];
      });
    },
    async start(onChange) {
      tell = onChange;
      if (isStopped) return;
      balancerKind.start();
      await ready.promise;
      readings.begin();
    },
    read: () => readings.read(),
    async stop() {
      isStopped = true;
      tell = () => undefined;
      await Promise.all([balancerKind.stop(), named.stop()]);
    },
  };
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
