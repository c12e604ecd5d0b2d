// Splits the text of a file into its documents and judges each by itself, remembering the verdicts by text: an edit of
// one document of a large file costs that document and not the file. Knows nothing of last good versions.
import { type Parsed, parseResource, type Resource, refOf, refOfDocument } from '../../api/parse.ts';
import { createProblem, type Problem, type ResourceRef } from '../../api/problem.ts';
import { createResourceSetBuilder } from '../../api/resource-set.ts';
import { type FieldStep, parseFieldPath } from './field-path.ts';
import { maxDocuments, type Place, parseYamlText, type SyntaxFault, type YamlDocument } from './yaml-text.ts';

/** A piece of text with whole documents, mostly one, and the line of the file it begins at. */
export interface Chunk {
  readonly text: string;
  /** From 1. */
  readonly firstLine: number;
}

/** What one document says. Places are within its chunk. */
export interface Verdict {
  /** Null: it is faulty. */
  readonly resource: Resource | null;
  readonly faults: readonly { readonly problem: Problem; readonly place: Place }[];
  /** As well as it can be named, faulty or not. */
  readonly ref: ResourceRef;
  readonly apiVersion: unknown;
  /** Equal documents have equal fingerprints. */
  readonly fingerprint: string;
  /** Where the name stands. */
  readonly namePlace: Place;
}

export interface JudgedChunk {
  readonly verdicts: readonly Verdict[];
  readonly faults: readonly SyntaxFault[];
}

/**
 * Splits where a line begins with `---`, which is a boundary wherever it stands, inside a quoted text too (YAML 1.2 §9.1.2).
 * Texts with directives or `...` stay whole: there a boundary belongs to what stands before it.
 */
export function splitText(text: string): Chunk[] {
  if (/(?:^|\n)(?:%|\.\.\.)/.test(text)) return [{ text, firstLine: 1 }];
  const chunks: Chunk[] = [];
  let start = 0;
  let firstLine = 1;
  const cut = (end: number): void => {
    const piece = text.slice(start, end);
    if (piece !== '') chunks.push({ text: piece, firstLine });
    firstLine += piece.split('\n').length - 1;
    start = end;
  };
  for (const { index, 0: found } of text.matchAll(/(?:^|\n)---(?=[ \t\r\n]|$)/g)) cut(index + found.length - 3);
  cut(text.length);
  return chunks;
}

/** Judges every document of a chunk. */
export function judgeChunk(text: string): JudgedChunk {
  const { documents, faults } = parseYamlText(text);
  return { verdicts: documents.map(judge), faults };
}

/** The place of a field of a document, by its place among the documents of its chunk. */
export function locateInChunk(text: string, index: number, steps: readonly FieldStep[]): Place | null {
  return parseYamlText(text).documents[index]?.locate(steps) ?? null;
}

/** The place in the file of a place in a chunk. */
export function placeInFile(chunk: Chunk, place: Place): Place {
  return { line: chunk.firstLine - 1 + place.line, column: place.column };
}

/** The fault of a file with too many documents. */
export function tooManyDocuments(chunkCount: number): SyntaxFault | null {
  if (chunkCount <= maxDocuments) return null;
  return { line: 1, column: 1, message: `more than ${maxDocuments} documents; split the file` };
}

function judge(document: YamlDocument): Verdict {
  const { value, fingerprint } = document;
  const { resource, problems } = parse(value);
  // What no set would take is as faulty as what cannot be parsed.
  const refusal = resource === undefined ? undefined : createResourceSetBuilder().add(resource, 0);
  const found = problems ?? (refusal === undefined ? [] : [refusal]);
  const isGood = resource !== undefined && found.length === 0;
  return {
    resource: isGood ? resource : null,
    faults: found.map((problem) => ({ problem, place: document.locate(parseFieldPath(problem.path)) })),
    ref: resource === undefined ? refOfDocument(value) : refOf(resource),
    apiVersion: (value as { readonly apiVersion?: unknown } | null)?.apiVersion,
    fingerprint,
    namePlace: document.locate(['metadata', 'name']),
  };
}

/** Documents that are nested deeply enough exhaust the stack of whoever walks through them. */
function parse(value: unknown): Parsed {
  try {
    return parseResource(value);
  } catch (error) {
    const reason = error instanceof RangeError ? 'it is nested too deeply' : String(error);
    return { problems: [createProblem(refOfDocument(value), '', `the document cannot be judged: ${reason}`)] };
  }
}
