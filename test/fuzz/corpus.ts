// Reads the corpus: messages that once made parsers differ, and the classics of smuggling. The fuzzer starts from
// them, and a unit test holds their outcome. Add a file for every difference that the fuzzer finds.
import { readdirSync, readFileSync } from 'node:fs';
import type { MessageKind } from './generator.ts';

export interface CorpusCase {
  /** The name of the file without its ending. */
  readonly name: string;
  /** What is special about it. */
  readonly why: string;
  readonly kind: MessageKind;
  /** For responses: the method of the request. */
  readonly requestMethod?: string;
  /** The stream as latin1 text. */
  readonly text: string;
  /** Methods or statuses of the complete messages in order. */
  readonly starts: readonly string[];
  /** Bodies of the complete messages in order. */
  readonly bodies: readonly string[];
  /** Why the wire refuses what follows them, or null. */
  readonly error: string | null;
  /** Name of the understood difference from Node's parser, or null. */
  readonly differs: string | null;
}

const folder = new URL('./corpus/', import.meta.url);

export function readCorpus(): CorpusCase[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => {
    const content = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<CorpusCase, 'name'>;
    return { name: file.slice(0, -'.json'.length), ...content };
  });
}
