// The objects of one kind that are wanted, parsed, in the last version that parsed. Equal versions (uid and
// resourceVersion) are the same object, so whoever holds one can compare by identity.
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../../api/problem.ts';
import { keyOf } from '../../api/resource-set.ts';
import type { KubeObject } from './kube-object.ts';
import type { ReflectorSink } from './reflector.ts';

export interface ObjectStoreOptions<T> {
  /** Either the resource, or why it is none. `lastGood`: what stands for the same object so far; it may be given back. */
  readonly parse: (
    object: KubeObject,
    lastGood: T | null,
  ) => { readonly resource: T } | { readonly problems: readonly Problem[] };
  /** The group of an object, such as the Service of a slice; undefined: it belongs nowhere. */
  readonly groupOf: (object: KubeObject) => string | undefined;
  /**
   * One version may be sent with other content, since the definition of the kind may change: what a CRD does not name is cut
   * out as it is read. Default: no.
   */
  readonly isDefinedByCrd?: boolean;
  /** Objects of other groups are not kept. */
  readonly isWanted: (group: string) => boolean;
  /** Says what a group consists of now. */
  readonly onChange: (group: string, resources: readonly T[]) => void;
  /** The problems are others now. */
  readonly onProblems: () => void;
  /** The newest version of an object is none, and why; null: that is over, or it is gone. */
  readonly onRefused?: (key: string, object: KubeObject | null, problems: readonly Problem[]) => void;
}

/** Part of the kind that one reflector answers for. Null: all there is. */
export interface Scope {
  readonly namespace: string | null;
  readonly name: string | null;
}

interface Entry<T> {
  readonly key: string;
  readonly group: string;
  readonly uid: string;
  /** Uid and resourceVersion. */
  readonly version: string;
  /** Null: no version of it parsed so far. */
  readonly resource: T | null;
  readonly problems: readonly Problem[];
}

export class ObjectStore<T> {
  readonly #options: ObjectStoreOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #groups = new Map<string, Map<string, Entry<T>>>();
  readonly #faulty = new Map<string, readonly Problem[]>();

  constructor(options: ObjectStoreOptions<T>) {
    this.#options = options;
  }

  /** Of the newest versions, also where an older one is in use. */
  get problems(): readonly Problem[] {
    return [...this.#faulty.values()].flat();
  }

  get size(): number {
    return this.#entries.size;
  }

  set(object: KubeObject): void {
    const { groupOf, isWanted, parse, isDefinedByCrd = false } = this.#options;
    const key = keyOfObject(object);
    const group = groupOf(object);
    const before = this.#entries.get(key);
    if (group === undefined || !isWanted(group)) {
      this.#remove(key);
      return;
    }
    const { uid = '', resourceVersion = '' } = object.metadata;
    const version = `${uid} ${resourceVersion}`;
    const isKnown = before?.version === version && before.group === group && resourceVersion !== '';
    if (isKnown && !isDefinedByCrd) return;
    const lastGood = before?.uid === uid && before.group === group ? before.resource : null;
    const parsed = parse(object, lastGood);
    if (isKnown && 'resource' in parsed && isDeepStrictEqual(parsed.resource, before.resource)) return;
    const resource = 'resource' in parsed ? parsed.resource : lastGood;
    const problems = 'resource' in parsed ? [] : parsed.problems;
    if (before !== undefined && before.group !== group) this.#remove(key);
    this.#put({ key, group, uid, version, resource, problems }, before);
    if (problems.length > 0) this.#options.onRefused?.(key, object, problems);
  }

  delete(object: KubeObject): void {
    this.#remove(keyOfObject(object));
  }

  /** Forgets a group that is wanted no more, without a word. */
  forget(group: string): void {
    for (const key of this.#groups.get(group)?.keys() ?? []) {
      this.#entries.delete(key);
      this.#judge(key, []);
    }
    this.#groups.delete(group);
  }

  /** Where a reflector of that scope puts what it finds; a list that ends takes away what it did not name. */
  sink(scope: Scope): ReflectorSink {
    let listed: Set<string> | null = null;
    return {
      startList: () => {
        listed = new Set();
      },
      set: (object) => {
        listed?.add(keyOfObject(object));
        this.set(object);
      },
      delete: (object) => this.delete(object),
      endList: () => {
        const found = listed ?? new Set();
        listed = null;
        for (const key of this.#keysIn(scope)) if (!found.has(key)) this.#remove(key);
      },
    };
  }

  #keysIn({ namespace, name }: Scope): readonly string[] {
    if (namespace !== null && name !== null) return [keyOf(namespace, name)];
    const keys = [...this.#entries.keys()];
    return namespace === null ? keys : keys.filter((key) => key.startsWith(`${namespace}/`));
  }

  #put(entry: Entry<T>, before: Entry<T> | undefined): void {
    const { key, group, problems, resource } = entry;
    this.#entries.set(key, entry);
    const members = this.#groups.get(group) ?? new Map<string, Entry<T>>();
    this.#groups.set(group, members.set(key, entry));
    this.#judge(key, problems);
    if (before?.resource !== resource || before.group !== group) this.#tell(group);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const members = this.#groups.get(entry.group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(entry.group);
    this.#judge(key, []);
    if (entry.resource !== null) this.#tell(entry.group);
  }

  #tell(group: string): void {
    const entries = [...(this.#groups.get(group)?.values() ?? [])];
    this.#options.onChange(
      group,
      entries.flatMap(({ resource }) => (resource === null ? [] : [resource])),
    );
  }

  #judge(key: string, problems: readonly Problem[]): void {
    const before = this.#faulty.get(key) ?? [];
    if (problems.length === 0 && before.length === 0) return;
    if (problems.length > 0) this.#faulty.set(key, problems);
    else {
      this.#faulty.delete(key);
      this.#options.onRefused?.(key, null, []);
    }
    // Each write of a status makes another version with the same faults.
    if (!isDeepStrictEqual(problems, before)) this.#options.onProblems();
  }
}

export function keyOfObject({ metadata }: KubeObject): string {
  return keyOf(metadata.namespace ?? '', metadata.name);
}
