// Text of a file → its documents as plain values, each able to tell at which line a field stands.
// The only user of the package `yaml`. Bounded in documents, aliases and depth; never throws.
import { isAlias, isMap, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import type { FieldStep } from './field-path.ts';

/** Most documents of one file, items of `List` documents included. */
export const maxDocuments = 10_000;

/** Most nodes that aliases may stand for, as a multiple; what the package `yaml` counts for its own defence. */
const maxAliasCount = 100;

/** Longest document once its aliases are written out, in characters of JSON. */
const maxExpandedLength = 64 * 1024 * 1024;

/** A place within a text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One document, or one item of a `List` document. */
export interface YamlDocument {
  readonly value: unknown;
  /** The value as JSON: equal documents have equal fingerprints. */
  readonly fingerprint: string;
  /** Where it begins. */
  readonly place: Place;
  /** The place of a field, or of its nearest ancestor that exists. */
  locate(steps: readonly FieldStep[]): Place;
}

/** A fault of the text itself. */
export interface SyntaxFault extends Place {
  readonly message: string;
}

export interface YamlText {
  /** Documents without faults of their own, empty ones left out. */
  readonly documents: readonly YamlDocument[];
  readonly faults: readonly SyntaxFault[];
}

/** Parses YAML 1.2 with merge keys, several documents; JSON is a part of it. Duplicate keys are faults. */
export function parseYamlText(text: string): YamlText {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents: YamlDocument[] = [];
  const faults: SyntaxFault[] = [];

  let parsed: readonly Document.Parsed[];
  try {
    parsed = [...parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'silent' })];
  } catch (error) {
    // Nesting that is deep enough exhausts the stack of the parser.
    const reason = error instanceof RangeError ? 'nested too deeply' : String(error);
    return { documents: [], faults: [{ line: 1, column: 1, message: `cannot be parsed: ${reason}` }] };
  }

  for (const document of parsed) {
    if (document.errors.length > 0) {
      for (const error of document.errors) faults.push({ ...placeAt(error.pos[0]), message: firstLine(error.message) });
      continue;
    }
    const root = document.contents;
    if (root === null) continue;
    const start = placeAt(root.range?.[0] ?? 0);
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount });
    } catch (error) {
      const reason = error instanceof RangeError ? 'nested too deeply' : firstLine(String((error as Error).message));
      faults.push({ ...start, message: `cannot be used: ${reason}` });
      continue;
    }
    if (value === null || value === undefined) continue;
    const add = (item: unknown, base: readonly FieldStep[]): void => {
      const locate = (steps: readonly FieldStep[]): Place => placeAt(offsetOf(document, [...base, ...steps]));
      const fingerprint = fingerprintOf(item);
      if (fingerprint !== null) documents.push({ value: item, fingerprint, place: locate([]), locate });
      else faults.push({ ...locate([]), message: 'cannot be used: its aliases lead in circles, or make it too large' });
    };
    const items = listItems(value);
    if (items === null) add(value, []);
    else for (const [index, item] of items.entries()) add(item, ['items', index]);
    if (documents.length > maxDocuments) {
      faults.push({ ...start, message: `more than ${maxDocuments} documents; split the file` });
      return { documents: documents.slice(0, maxDocuments), faults };
    }
  }
  return { documents, faults };
}

/** Null for what no JSON can hold. */
function fingerprintOf(value: unknown): string | null {
  try {
    const text = JSON.stringify(value);
    return text.length > maxExpandedLength ? null : text;
  } catch {
    return null;
  }
}

/** The items of what `kubectl get -o yaml` prints for several objects; null for any other document. */
function listItems(value: unknown): readonly unknown[] | null {
  if (typeof value !== 'object' || value === null) return null;
  const { kind, items } = value as { kind?: unknown; items?: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : null;
}

/** Offset of the key of the last step that exists (of the item, in lists), so that the line shows the field's name. */
function offsetOf(document: Document.Parsed, steps: readonly FieldStep[]): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const step of steps) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => keyText(item.key) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node) && typeof step === 'number') {
      const item = node.items[step] as Node | null | undefined;
      if (item === undefined || item === null) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      break;
    }
  }
  return offset;
}

function keyText(key: unknown): string | null {
  if (typeof key !== 'object' || key === null || !('value' in key)) return null;
  return String(key.value);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
