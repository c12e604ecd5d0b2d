// What stands in one file: good resources, faults, and what stays in use of the version before. Pure.
// A broken edit changes nothing: whatever is faulty now stays as it was when it was last good.
import type { Resource } from '../../api/parse.ts';
import { refOf } from '../../api/parse.ts';
import { createProblem, type ResourceRef } from '../../api/problem.ts';
import type { LocatedProblem, Location } from '../provider.ts';
import { parseFieldPath } from './field-path.ts';
import {
  type Chunk,
  type JudgedChunk,
  judgeChunk,
  locateInChunk,
  placeInFile,
  splitText,
  tooManyDocuments,
  type Verdict,
} from './judged-text.ts';
import type { Place } from './yaml-text.ts';

/** A good resource and the text it stands in; for a last good version, the text of the faulty one in its place. */
export interface Entry {
  readonly resource: Resource;
  /** Equal documents have equal fingerprints. */
  readonly fingerprint: string;
  /** The file as the user names it. */
  readonly file: string;
  readonly chunk: Chunk;
  /** Place among the documents of the chunk. */
  readonly index: number;
  /** Where the resource's name stands. */
  readonly location: Location;
}

/** What is known of one file, and remembered until it is read again. */
export interface FileMemory {
  readonly text: string;
  /** In order of place; duplicates are still in it. */
  readonly entries: readonly Entry[];
  readonly problems: readonly LocatedProblem[];
  /** Whether the entries come from a text without syntax faults, so that they are worth more than parts of a broken one. */
  readonly isWhole: boolean;
  /** Verdicts by the text of the chunk. */
  readonly judged: ReadonlyMap<string, JudgedChunk>;
}

/** Finds the last good version of a resource, in whatever file it stood. */
export type FindBefore = (ref: ResourceRef) => Entry | undefined;

/** Judges the text of a file. `memory`: what was known of this file; null for a new one. */
export function readDocuments(
  file: string,
  text: string,
  memory: FileMemory | null,
  findBefore: FindBefore,
): FileMemory {
  if (memory?.text === text) return memory;
  const chunks = splitText(text);
  const judged = new Map<string, JudgedChunk>();
  const syntaxProblems: LocatedProblem[] = [];
  const problems: LocatedProblem[] = [];
  const entries: Entry[] = [];
  const orphans: Orphan[] = [];

  const tooMany = tooManyDocuments(chunks.length);
  if (tooMany !== null) {
    syntaxProblems.push(syntaxProblem(file, tooMany, tooMany.message));
    chunks.length = 0;
  }

  for (const chunk of chunks) {
    const known = judged.get(chunk.text) ?? memory?.judged.get(chunk.text) ?? judgeChunk(chunk.text);
    judged.set(chunk.text, known);
    for (const fault of known.faults) {
      syntaxProblems.push(syntaxProblem(file, placeInFile(chunk, fault), fault.message));
    }
    for (const [index, verdict] of known.verdicts.entries()) {
      for (const { problem, place } of verdict.faults) {
        problems.push({ problem, location: { file, ...placeInFile(chunk, place) } });
      }
      const location = { file, ...placeInFile(chunk, verdict.namePlace) };
      const site = { file, chunk, index, location };
      const before = findBefore(verdict.ref);
      if (verdict.resource !== null && before?.fingerprint !== verdict.fingerprint) {
        entries.push({ resource: verdict.resource, fingerprint: verdict.fingerprint, ...site });
      } else if (before !== undefined) {
        // Unchanged, so that it must stay the same object; or faulty, so that the last good version stands in its place.
        entries.push({ resource: before.resource, fingerprint: before.fingerprint, ...site });
      } else {
        orphans.push({ verdict, site });
      }
    }
  }
  const isWhole = syntaxProblems.length === 0;
  if (!isWhole && memory?.isWhole === true) {
    // The text is broken: it cannot be told what it would say, so nothing of it counts.
    return { text, entries: memory.entries, problems: syntaxProblems, isWhole: true, judged };
  }
  const adopted = adopt(orphans, entries, memory?.entries ?? []);
  const all = [...entries, ...adopted].sort(compareSites);
  return { text, entries: all, problems: [...syntaxProblems, ...problems], isWhole, judged };
}

/** The place of a field of what stands at an entry, or of its nearest ancestor that is there. */
export function locateField(entry: Entry, path: string): Location | null {
  const place = locateInChunk(entry.chunk.text, entry.index, parseFieldPath(path));
  return place === null ? null : { file: entry.file, ...placeInFile(entry.chunk, place) };
}

function syntaxProblem(file: string, { line, column }: Place, message: string): LocatedProblem {
  const ref = { kind: 'document', namespace: 'default', name: '' };
  const problem = createProblem(ref, '', `the text is not valid YAML: ${message}`);
  return { problem, location: { file, line, column } };
}

/** A faulty document that has no version of its own that was good. */
interface Orphan {
  readonly verdict: Verdict;
  readonly site: Pick<Entry, 'file' | 'chunk' | 'index' | 'location'>;
}

/**
 * An edit may have broken the very name or kind of a resource. So each orphan stands for a resource that has
 * vanished from its file: one of its kind, or, where the kind itself is broken, one of its name.
 */
function adopt(orphans: readonly Orphan[], present: readonly Entry[], remembered: readonly Entry[]): Entry[] {
  if (orphans.length === 0) return [];
  const refKey = ({ kind, namespace, name }: ResourceRef): string => `${kind} ${namespace}/${name}`;
  const presentRefs = new Set(present.map(({ resource }) => refKey(refOf(resource))));
  const vanished = remembered.filter(({ resource }) => !presentRefs.has(refKey(refOf(resource))));
  const adopted: Entry[] = [];
  for (const { verdict, site } of orphans) {
    const candidates = vanished.filter((entry) => mayHaveBeen(verdict, entry));
    const found = candidates.find(({ resource }) => resource.metadata.name === verdict.ref.name) ?? candidates[0];
    if (found === undefined) continue;
    vanished.splice(vanished.indexOf(found), 1);
    adopted.push({ resource: found.resource, fingerprint: found.fingerprint, ...site });
  }
  return adopted;
}

function mayHaveBeen({ ref, apiVersion }: Verdict, { resource }: Entry): boolean {
  if (ref.kind === resource.kind) return true;
  // `v1` holds many kinds that are none of ours: a ConfigMap never was a Service of the same name.
  const isFamily = apiVersion === resource.apiVersion && (apiVersion !== 'v1' || ref.kind === 'document');
  return isFamily && ref.name === resource.metadata.name;
}

function compareSites(a: Entry, b: Entry): number {
  return a.chunk.firstLine - b.chunk.firstLine || a.index - b.index;
}
