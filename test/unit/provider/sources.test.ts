// Which files are read, in which order, and when absence is believed. Real folders, a clock turned by hand.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFilesOnce } from '../../../src/provider/file/file-provider.ts';
import { maxFileBytes } from '../../../src/provider/file/files.ts';
import { createSourceReader } from '../../../src/provider/file/sources.ts';
import { balancerText, servedUrls } from './documents-of.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-sources-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

let nowMs = 0;
const clock = { nowMs: () => nowMs, wallMs: () => nowMs };

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** `name type` of each source. */
async function look(reader: ReturnType<typeof createSourceReader>): Promise<string[]> {
  const { sources, isUnsure } = await reader.read();
  const lines = sources.map(({ path, type }) => `${path.slice(folder.length + 1)} ${type}`);
  return isUnsure ? [...lines, 'unsure'] : lines;
}

describe('which files', () => {
  test('of a folder: by name, not hidden, not in folders below, links followed', async () => {
    write('b.yml', 'b: 1');
    write('a.yaml', 'a: 1');
    write('c.json', '{}');
    write('.hidden.yaml', 'x: 1');
    write('a.yaml~', 'x: 1');
    write('notes.txt', 'x: 1');
    mkdirSync(join(folder, 'below.yaml'));
    mkdirSync(join(folder, '..data'));
    write('..data/d.yaml', 'd: 1');
    symlinkSync('..data/d.yaml', join(folder, 'd.yaml'));
    symlinkSync('nowhere.yaml', join(folder, 'e.yaml'));
    const reader = createSourceReader({ paths: [folder], goneMs: 100, clock });
    expect(await look(reader)).toEqual(['a.yaml text', 'b.yml text', 'c.json text', 'd.yaml text', 'e.yaml fault']);
  });

  test('several paths: in the order given, each real file once', async () => {
    const b = write('b.yaml', 'b: 1');
    write('a.yaml', 'a: 1');
    const reader = createSourceReader({ paths: [b, folder, b], goneMs: 100, clock });
    expect(await look(reader)).toEqual(['b.yaml text', 'a.yaml text']);
  });
});

describe('absence', () => {
  test('of a file in a folder is believed at the second look', async () => {
    nowMs = 1000;
    write('a.yaml', 'a: 1');
    const b = write('b.yaml', 'b: 1');
    write('c.yaml', 'c: 1');
    const reader = createSourceReader({ paths: [folder], goneMs: 100, clock });
    await reader.read();
    rmSync(b);
    expect(await look(reader)).toEqual(['a.yaml text', 'b.yaml kept', 'c.yaml text', 'unsure']);
    nowMs += 99;
    expect(await look(reader)).toEqual(['a.yaml text', 'b.yaml kept', 'c.yaml text', 'unsure']);
    nowMs += 1;
    expect(await look(reader)).toEqual(['a.yaml text', 'c.yaml text']);
    expect(await look(reader)).toEqual(['a.yaml text', 'c.yaml text']);
  });

  test('a file that is back in time was never gone', async () => {
    const a = write('a.yaml', 'a: 1');
    const reader = createSourceReader({ paths: [a], goneMs: 100, clock });
    await reader.read();
    rmSync(a);
    expect(await look(reader)).toEqual(['a.yaml kept', 'unsure']);
    nowMs += 100;
    write('a.yaml', 'a: 2');
    expect(await look(reader)).toEqual(['a.yaml text']);
    rmSync(a);
    expect(await look(reader)).toEqual(['a.yaml kept', 'unsure']);
  });

  test('an empty file is believed at the second look', async () => {
    const a = write('a.yaml', 'a: 1');
    const reader = createSourceReader({ paths: [a], goneMs: 100, clock });
    await reader.read();
    write('a.yaml', '\n');
    expect(await look(reader)).toEqual(['a.yaml kept', 'unsure']);
    nowMs += 100;
    expect(await look(reader)).toEqual(['a.yaml text']);
  });

  test('of a path that was given is a fault, and what was under it stays', async () => {
    const below = join(folder, 'conf');
    mkdirSync(below);
    writeFileSync(join(below, 'a.yaml'), 'a: 1');
    const reader = createSourceReader({ paths: [below], goneMs: 100, clock });
    await reader.read();
    rmSync(below, { recursive: true });
    expect(await look(reader)).toEqual(['conf kept', 'conf/a.yaml kept', 'unsure']);
    nowMs += 100;
    expect(await look(reader)).toEqual(['conf fault', 'conf/a.yaml kept']);
    expect(await look(reader)).toEqual(['conf fault', 'conf/a.yaml kept']);
  });
});

describe('reading once', () => {
  test('gives what is good', async () => {
    write('a.yaml', balancerText('a'));
    expect(servedUrls(await readFilesOnce([folder]))).toEqual({ a: 'http://a' });
  });

  test('rejects for a path that is not there', async () => {
    await expect(readFilesOnce([join(folder, 'nothing')])).rejects.toThrow(/nothing does not exist/);
    await expect(readFilesOnce(['/dev/null'])).rejects.toThrow('/dev/null is neither a file nor a folder');
  });

  test('rejects for a file that may not be read', async (context) => {
    const path = write('a.yaml', balancerText('a'));
    chmodSync(path, 0);
    chmodSync(folder, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot && !becomeNobody())
      return context.skip('root may read every file, and may not become somebody else here');
    try {
      await expect(readFilesOnce([path])).rejects.toThrow(/may not be read/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test('tells of files in a folder that are too large or not UTF-8', async () => {
    write('a.yaml', balancerText('a'));
    write('b.yaml', `# ${'x'.repeat(maxFileBytes)}`);
    writeFileSync(join(folder, 'c.yaml'), Buffer.from([0x61, 0x3a, 0xff]));
    const reading = await readFilesOnce([folder]);
    expect(servedUrls(reading)).toEqual({ a: 'http://a' });
    expect(reading.problems.map(({ problem }) => problem.message.slice(folder.length + 1))).toEqual([
      'b.yaml is larger than 16 MiB',
      'c.yaml is not UTF-8 text',
    ]);
  });
});

function becomeNobody(): boolean {
  try {
    process.seteuid?.(65_534);
    return true;
  } catch {
    return false;
  }
}
