// Reads all files that the given paths lead to, and judges absence: many writers remove or empty a file before they
// write it anew, so a file that is suddenly gone or empty is believed so only at a second look, some time later.
import type { Clock } from '../../lib/clock.ts';
import type { Source } from './file-reading.ts';
import { type FoundFile, type Listing, listFiles, type PathFault, readText } from './files.ts';

export interface SourceReaderOptions {
  readonly paths: readonly string[];
  /** How long a file must be gone or empty to be believed so, in milliseconds. */
  readonly goneMs: number;
  readonly clock: Clock;
}

interface ReadSources {
  /** In the order of the given paths, by name within a folder. */
  readonly sources: readonly Source[];
  readonly listing: Listing;
  /** Whether the absence of something is not believed yet, so that a further look is due. */
  readonly isUnsure: boolean;
}

export interface SourceReader {
  /** Never rejects. Calls must not overlap. */
  read(): Promise<ReadSources>;
}

interface KnownFile {
  readonly given: string;
  /** Since when it has been gone or empty, on the clock; null: it is there. */
  readonly goneSinceMs: number | null;
}

export function createSourceReader({ paths, goneMs, clock }: SourceReaderOptions): SourceReader {
  let known: ReadonlyMap<string, KnownFile> = new Map();
  let isFirst = true;

  return {
    async read() {
      const listing = await listFiles(paths);
      const items = new Map(listing.map((item) => [item.path, item]));
      const next = new Map<string, KnownFile>();
      const sources: Source[] = [];
      let isUnsure = false;

      for (const given of new Set(paths)) {
        const found = listing.filter((item) => item.given === given).map(({ path }) => path);
        const remembered = [...known].filter(
          ([path, file]) => file.given === given && path !== given && !items.has(path),
        );
        // A given path that leads nowhere is a fault and not a deletion: what was under it stays.
        const isGivenLost = items.get(given)?.type === 'fault';
        for (const path of [...found, ...remembered.map(([name]) => name)].sort()) {
          const before = known.get(path);
          const content = await look(items.get(path));
          if (content.type !== 'absent') {
            next.set(path, { given, goneSinceMs: null });
            sources.push(content);
            continue;
          }
          const goneSinceMs = before?.goneSinceMs ?? clock.nowMs();
          const isNews = before !== undefined || (path === given && !isFirst);
          const isBelieved = !isNews || clock.nowMs() - goneSinceMs >= goneMs;
          if (!isBelieved) isUnsure = true;
          if (!isBelieved || (isGivenLost && path !== given)) {
            next.set(path, { given, goneSinceMs });
            sources.push({ type: 'kept', path });
          } else if (content.source !== null) {
            next.set(path, { given, goneSinceMs });
            sources.push(content.source);
          }
        }
      }
      known = next;
      isFirst = false;
      return { sources, listing, isUnsure };
    },
  };
}

/** `absent`: what would count if the file is to be believed gone; null: nothing. */
type Look = Source | { readonly type: 'absent'; readonly source: Source | null };

async function look(item: FoundFile | PathFault | undefined): Promise<Look> {
  if (item === undefined) return { type: 'absent', source: null };
  const { path } = item;
  if (item.type === 'fault') {
    const source: Source = { type: 'fault', path, message: item.message };
    return item.isAbsent ? { type: 'absent', source } : source;
  }
  const content = await readText(path);
  switch (content.type) {
    case 'text':
      if (content.text.trim() === '') return { type: 'absent', source: { type: 'text', path, text: content.text } };
      return { type: 'text', path, text: content.text };
    case 'gone':
      return { type: 'absent', source: null };
    case 'fault':
      return { type: 'fault', path, message: content.message };
    default:
      return content satisfies never;
  }
}
