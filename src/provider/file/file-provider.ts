// The provider that reads YAML files and folders: when to look, and who is told. What stands in the files is read by
// documents.ts and put together by file-reading.ts.
import { type Clock, systemClock } from '../../lib/clock.ts';
import { createHoldOff, systemTimers, type Timers } from '../../lib/hold-off.ts';
import type { Provider, Reading } from '../provider.ts';
import { composeReading, type FileReading, isSameReading } from './file-reading.ts';
import { createFolderWatch, type FolderWatch } from './folder-watch.ts';
import { createSourceReader, type SourceReader } from './sources.ts';

export interface FileProviderOptions {
  /** Files and folders; earlier ones go before later ones where two define the same resource or claim the same host. */
  readonly paths: readonly string[];
  /** Distance of the looks that find what the file system did not announce, in milliseconds. Default 2000. */
  readonly pollMs?: number;
  /** Quiet time after an announcement before the files are read, so that writers can finish. Milliseconds, default 50. */
  readonly settleMs?: number;
  /** How long a file must be gone or empty to be believed so, as many writers remove or empty it first. Milliseconds, default 250. */
  readonly goneMs?: number;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** However busy the writers are, files are read after this many settle times. */
const maxSettles = 10;

/** A provider over files. Any event leads to the same: all files are read anew and compared with what is known. */
export function createFileProvider(options: FileProviderOptions): Provider {
  const { paths, pollMs = 2000, settleMs = 50, goneMs = 250, clock = systemClock, timers = systemTimers } = options;
  const reader = createSourceReader({ paths, goneMs, clock });
  let reading: FileReading | null = null;
  let watch: FolderWatch | null = null;
  let looking: Promise<void> | null = null;
  let secondLook: unknown = null;
  let isAskedAgain = false;
  let isStopped = false;
  let tell: () => void = () => undefined;

  const look = async (): Promise<void> => {
    isAskedAgain = false;
    const { sources, listing, isUnsure } = await reader.read();
    await watch?.follow(listing);
    if (isStopped || reading === null) return;
    const before = reading;
    reading = composeReading(sources, before);
    if (isUnsure) {
      timers.clear(secondLook);
      secondLook = timers.set(request, goneMs);
    }
    if (!isSameReading(before, reading)) tell();
  };

  const holdOff = createHoldOff({ delayMs: settleMs, maxDelayMs: settleMs * maxSettles, clock, timers }, () => {
    looking = look().finally(() => {
      looking = null;
      if (isAskedAgain) request();
    });
  });

  const request = (): void => {
    if (isStopped) return;
    if (looking !== null) isAskedAgain = true;
    else holdOff.request();
  };

  const begin = async (): Promise<void> => {
    // Watching comes first, so that nothing is missed between the first reading and the first event.
    watch = createFolderWatch({ paths, pollMs, timers }, request);
    await watch.follow([]);
    const { listing, ...first } = await readFirst(reader, paths);
    if (isStopped) return;
    reading = first.reading;
    await watch.follow(listing);
  };

  return {
    async start(onChange) {
      tell = onChange;
      looking = begin();
      try {
        await looking;
      } catch (error) {
        watch?.stop();
        isStopped = true;
        throw error;
      } finally {
        looking = null;
      }
      if (isAskedAgain) request();
    },
    read(): Reading {
      if (reading === null) throw new Error('the provider was asked before it had started');
      return reading;
    },
    async stop() {
      isStopped = true;
      holdOff.cancel();
      timers.clear(secondLook);
      watch?.stop();
      await looking?.catch(() => undefined);
    },
  };
}

/** Reads the paths once, for those who only want to check them. Rejects like `start` of the provider. */
export async function readFilesOnce(paths: readonly string[]): Promise<Reading> {
  const reader = createSourceReader({ paths, goneMs: 0, clock: systemClock });
  return (await readFirst(reader, paths)).reading;
}

async function readFirst(reader: SourceReader, paths: readonly string[]) {
  const { sources, listing } = await reader.read();
  for (const source of sources) {
    if (source.type === 'fault' && paths.includes(source.path)) throw new Error(`${source.path} ${source.message}`);
  }
  return { listing, reading: composeReading(sources, null) };
}
