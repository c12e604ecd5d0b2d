// Which files the given paths lead to, and their text. The only reader of the file system here.
// Knows nothing of what stands in the files; decides nothing about what to keep when one is faulty.
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Largest file that is read, in bytes. */
export const maxFileBytes = 16 * 1024 * 1024;

/** Most files of one folder. */
const maxFilesPerFolder = 10_000;

const extensions = ['.yaml', '.yml', '.json'];

/** A file to read. */
export interface FoundFile {
  readonly type: 'file';
  /** As the user would write it: a given path, or a given folder and a name in it. */
  readonly path: string;
  /** The given path that led here. */
  readonly given: string;
  /** Changes whenever the content may have: identity, size and times of the real file. */
  readonly stamp: string;
}

/** A path that could not be looked at. */
export interface PathFault {
  readonly type: 'fault';
  readonly path: string;
  readonly given: string;
  /** Words that follow the path. */
  readonly message: string;
  /** Whether there is nothing there, as opposed to something that cannot be read. */
  readonly isAbsent: boolean;
}

/**
 * What the paths lead to, in the order of the given paths and by name within a folder; the same real file only once,
 * so that a folder and a file in it may both be given.
 */
export type Listing = readonly (FoundFile | PathFault)[];

/** Lists the files that `paths` (files or folders, folders not recursively) lead to. Never rejects. */
export async function listFiles(paths: readonly string[]): Promise<Listing> {
  const listing: (FoundFile | PathFault)[] = [];
  const seen = new Set<string>();

  const addFault = (path: string, given: string, message: string, isAbsent: boolean): void => {
    listing.push({ type: 'fault', path, given, message, isAbsent });
  };

  const add = async (path: string, given: string): Promise<void> => {
    try {
      const real = await realpath(path);
      const stats = await stat(real, { bigint: true });
      if (stats.isDirectory() && path === given) return await addFolder(path);
      if (!stats.isFile()) {
        if (path === given) addFault(path, given, 'is neither a file nor a folder', false);
        return;
      }
      if (seen.has(real)) return;
      seen.add(real);
      const { dev, ino, size, mtimeNs, ctimeNs } = stats;
      listing.push({ type: 'file', path, given, stamp: [real, dev, ino, size, mtimeNs, ctimeNs].join(' ') });
    } catch (error) {
      addFault(path, given, describeFault(error), codeOf(error) === 'ENOENT');
    }
  };

  const addFolder = async (folder: string): Promise<void> => {
    const names = (await readdir(folder)).filter(isConfigName).sort();
    if (names.length > maxFilesPerFolder) addFault(folder, folder, `holds more than ${maxFilesPerFolder} files`, false);
    else for (const name of names) await add(join(folder, name), folder);
  };

  for (const path of new Set(paths)) await add(path, path);
  return listing;
}

/** Hidden names are left out: swap files of editors, and the `..data` links by which ConfigMaps are replaced. */
export function isConfigName(name: string): boolean {
  return !name.startsWith('.') && extensions.some((extension) => name.endsWith(extension));
}

/** The text of a file, or why it cannot be had. */
export type FileText =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'gone' }
  | { readonly type: 'fault'; readonly message: string };

/** Reads a whole file as UTF-8. One that changes while it is read is read again, at most twice. Never rejects. */
export async function readText(path: string): Promise<FileText> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, 'r');
    for (let attempt = 0; ; attempt += 1) {
      const before = await handle.stat({ bigint: true });
      if (before.size > BigInt(maxFileBytes)) {
        return { type: 'fault', message: `is larger than ${maxFileBytes / 1024 / 1024} MiB` };
      }
      const buffer = Buffer.alloc(Number(before.size));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      const after = await handle.stat({ bigint: true });
      const isStable = after.size === before.size && after.mtimeNs === before.mtimeNs && bytesRead === buffer.length;
      if (!isStable && attempt < 2) continue;
      return decode(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { type: 'gone' };
    return { type: 'fault', message: describeFault(error) };
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

function decode(bytes: Buffer): FileText {
  try {
    return { type: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { type: 'fault', message: 'is not UTF-8 text' };
  }
}

/** A fault of the file system in words that follow the path. */
function describeFault(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'ENOENT':
      return 'does not exist (or is a link that leads nowhere)';
    case 'EACCES':
    case 'EPERM':
      return `may not be read by this process (${code})`;
    case 'ELOOP':
      return 'is a link that leads in circles';
    case 'ENOTDIR':
      return 'leads through something that is not a folder';
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
