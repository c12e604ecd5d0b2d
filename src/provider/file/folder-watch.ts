// Says when something under the given paths may have changed: fs.watch on folders, and a slow poll because
// fs.watch misses network file systems, swapped links and folders that are replaced. Reads no content.
import { type FSWatcher, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Timers } from '../../lib/hold-off.ts';
import { isConfigName, type Listing, listFiles } from './files.ts';

export interface FolderWatchOptions {
  /** Files and folders as given. */
  readonly paths: readonly string[];
  /** Distance of the looks that find what fs.watch missed, in milliseconds. */
  readonly pollMs: number;
  readonly timers: Timers;
}

export interface FolderWatch {
  /** Watches what the paths lead to now; to be called after each listing, since links may lead elsewhere by then. */
  follow(listing: Listing): Promise<void>;
  stop(): void;
}

/** `onEvent` may come many times for one change, and for changes that do not matter. */
export function createFolderWatch(options: FolderWatchOptions, onEvent: () => void): FolderWatch {
  const { paths, pollMs, timers } = options;
  const watchers = new Map<string, FSWatcher>();
  let folders: ReadonlyMap<string, WatchedFolder> = new Map();
  let lastStamp: string | null = null;
  let pollHandle: unknown = null;
  let isStopped = false;

  const follow = async (listing: Listing): Promise<void> => {
    lastStamp = stampOf(listing);
    folders = await foldersOf(paths);
    if (isStopped) return;
    for (const [key, watcher] of watchers) {
      if (folders.has(key)) continue;
      watcher.close();
      watchers.delete(key);
    }
    for (const [key, { folder }] of folders) {
      if (watchers.has(key)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (_event, name) => {
          if (name === null || isOfInterest(name, folders.get(key)?.names ?? null)) onEvent();
        });
        watcher.on('error', () => {
          watcher.close();
          watchers.delete(key);
        });
        watchers.set(key, watcher);
      } catch {
        // No watch to be had (too many of them, a file system without): the poll finds changes, only later.
      }
    }
  };

  const poll = async (): Promise<void> => {
    const stamp = stampOf(await listFiles(paths));
    if (isStopped) return;
    if (lastStamp !== null && stamp !== lastStamp) onEvent();
    pollHandle = timers.set(() => void poll(), pollMs);
  };
  pollHandle = timers.set(() => void poll(), pollMs);

  return {
    follow,
    stop() {
      isStopped = true;
      timers.clear(pollHandle);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

function stampOf(listing: Listing): string {
  return listing.map((item) => `${item.path} ${item.type === 'file' ? item.stamp : item.message}`).join('\n');
}

/** A folder to watch, and the names in it that matter; null: all that a file to read may have. */
interface WatchedFolder {
  readonly folder: string;
  readonly names: Set<string> | null;
}

/** Folders around us may be busy with other files. Two dots: the links by which mounted ConfigMaps are replaced. */
function isOfInterest(name: string, names: ReadonlySet<string> | null): boolean {
  return name.startsWith('..') || (names === null ? isConfigName(name) : names.has(name));
}

/**
 * Folders to watch by path, device and inode: each given folder, and the folder around each given path, where it shows
 * when the path is replaced. The inode is part of the key so that a folder that was replaced is watched anew.
 */
async function foldersOf(paths: readonly string[]): Promise<Map<string, WatchedFolder>> {
  const folders = new Map<string, WatchedFolder>();
  const add = async (folder: string, name: string | null): Promise<void> => {
    const stats = await stat(folder).catch(() => null);
    if (stats === null) return;
    const key = `${folder} ${stats.dev} ${stats.ino}`;
    const names = name === null ? null : new Set([...(folders.get(key)?.names ?? []), name]);
    if (folders.get(key)?.names !== null) folders.set(key, { folder, names });
  };
  for (const path of paths) {
    const real = await realpath(path).catch(() => path);
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (isFolder) await add(path, null);
    await add(dirname(path), basename(path));
    if (real !== path) await add(dirname(real), basename(real));
  }
  return folders;
}
