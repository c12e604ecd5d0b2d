// All files together: one whole ResourceSet, the problems of all documents, and the way from a problem to its line.
// Pure: it is given what was read, and the reading before, from which faulty parts are kept.
import type { Balancer } from '../../api/balancer.ts';
import { refOf } from '../../api/parse.ts';
import { createProblem, type ResourceRef } from '../../api/problem.ts';
import { createResourceSetBuilder, type ResourceSet } from '../../api/resource-set.ts';
import type { LocatedProblem, Reading } from '../provider.ts';
import { type Entry, type FileMemory, locateField, readDocuments } from './documents.ts';

/** A file, or a path that should have led to one, as it was found. In order of the given paths. */
export type Source =
  | { readonly type: 'text'; readonly path: string; readonly text: string }
  /** Cannot be read now: what it said before stays. */
  | { readonly type: 'fault'; readonly path: string; readonly message: string }
  /** What it said before stays, without a word: somebody else reports why, or nobody knows yet. */
  | { readonly type: 'kept'; readonly path: string };

/** A reading with what the next one needs of it. */
export interface FileReading extends Reading {
  readonly memories: ReadonlyMap<string, FileMemory>;
  /** What is served, by `kind namespace/name`. */
  readonly served: ReadonlyMap<string, Entry>;
}

/** Places start here, so that a Balancer with a creation time (milliseconds since 1970) is older than any without. */
const firstPlaceAge = 1e15;

/**
 * Puts the sources together. What did not change since `before` is the same object, down to `resources`.
 *
 * Age: a Balancer's creation time if it states one, as exported ones do; the others are younger, in order of place.
 */
export function composeReading(sources: readonly Source[], before: FileReading | null): FileReading {
  const memories = new Map<string, FileMemory>();
  const problems: LocatedProblem[] = [];
  const served = new Map<string, Entry>();
  const builder = createResourceSetBuilder();
  const findBefore = (ref: ResourceRef): Entry | undefined => before?.served.get(keyOfRef(ref));
  let place = 0;

  for (const source of sources) {
    const memory = before?.memories.get(source.path) ?? null;
    const next = remember(source, memory, findBefore);
    if (next !== null) memories.set(source.path, next);
    if (source.type === 'fault') problems.push(pathProblem(source.path, source.message));
    if (next === null) continue;
    const found = [...(source.type === 'text' ? next.problems : [])];
    for (const entry of next.entries) {
      place += 1;
      const ref = refOf(entry.resource);
      const first = served.get(keyOfRef(ref));
      if (first !== undefined) {
        found.push(duplicateProblem(ref, entry, first));
        continue;
      }
      served.set(keyOfRef(ref), entry);
      builder.add(entry.resource, ageOf(entry, place));
    }
    problems.push(...found.sort(comparePlaces));
  }

  const built = builder.build();
  const resources = before !== null && isSameSet(before.resources, built) ? before.resources : built;
  const version = (before?.version ?? 0) + 1;
  return { version, changes: null, resources, problems, locate: createLocator(served), memories, served };
}

/** Apart, because what closes over the reading before keeps it, and that one the one before, and so on for ever. */
function createLocator(served: FileReading['served']): Reading['locate'] {
  return ({ resource, path }) => {
    const entry = served.get(keyOfRef(resource));
    return entry === undefined ? null : locateField(entry, path);
  };
}

/** Whether whoever builds from readings would build the same and report the same. */
export function isSameReading(a: FileReading, b: FileReading): boolean {
  return a.resources === b.resources && JSON.stringify(a.problems) === JSON.stringify(b.problems);
}

function remember(
  source: Source,
  memory: FileMemory | null,
  findBefore: Parameters<typeof readDocuments>[3],
): FileMemory | null {
  return source.type === 'text' ? readDocuments(source.path, source.text, memory, findBefore) : memory;
}

/** A fault of a path itself: it belongs to no resource. */
function pathProblem(path: string, message: string): LocatedProblem {
  const problem = createProblem({ kind: 'document', namespace: 'default', name: '' }, '', `${path} ${message}`);
  return { problem, location: { file: path, line: 1, column: 1 } };
}

function duplicateProblem(ref: ResourceRef, { location }: Entry, first: Entry): LocatedProblem {
  const message = `it is already defined in ${first.file}:${first.location.line}, which is used`;
  return { problem: createProblem(ref, 'metadata.name', message, ref.name), location };
}

function ageOf({ resource }: Entry, place: number): number {
  const createdMs = Date.parse(resource.metadata.creationTimestamp ?? '');
  return Number.isNaN(createdMs) ? firstPlaceAge + place : createdMs;
}

function keyOfRef({ kind, namespace, name }: ResourceRef): string {
  return `${kind} ${namespace}/${name}`;
}

function comparePlaces(a: LocatedProblem, b: LocatedProblem): number {
  return (a.location?.line ?? 0) - (b.location?.line ?? 0) || (a.location?.column ?? 0) - (b.location?.column ?? 0);
}

/** Same objects in the same order, and Balancers in the same order of age. */
function isSameSet(a: ResourceSet, b: ResourceSet): boolean {
  const balancers = (set: ResourceSet): (Balancer | number)[] =>
    [...set.balancers.values()].flatMap(({ balancer, age }) => [balancer, age]);
  return (
    isSameList(balancers(a), balancers(b)) &&
    isSameList([...a.services.values()], [...b.services.values()]) &&
    isSameList([...a.secrets.values()], [...b.secrets.values()]) &&
    isSameList([...a.endpointSlices.values()].flat(), [...b.endpointSlices.values()].flat())
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
