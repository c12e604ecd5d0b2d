// The file provider on a real file system: writers of every habit, and nothing but its own announcements to wait for.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFileProvider, type FileProviderOptions } from '../../src/provider/file/file-provider.ts';
import type { Provider } from '../../src/provider/provider.ts';
import { balancerText, servedUrls } from '../unit/provider/documents-of.ts';

const deadlineMs = 10_000;
let folder: string;
let running: Provider | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-provider-'));
});
afterEach(async () => {
  await running?.stop();
  running = null;
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Watched {
  readonly provider: Provider;
  /** Every state that was announced, the first one included, as served URLs by name. */
  readonly history: Record<string, string | undefined>[];
  /** Resolves at the announcement after which `accepts` holds; at once if it holds already. */
  until(accepts: (served: Record<string, string | undefined>, provider: Provider) => boolean): Promise<void>;
}

async function start(options: FileProviderOptions): Promise<Watched> {
  const provider = createFileProvider(options);
  running = provider;
  const history: Watched['history'] = [];
  let wake: () => void = () => undefined;
  await provider.start(() => {
    history.push(servedUrls(provider.read()));
    wake();
  });
  history.push(servedUrls(provider.read()));
  return {
    provider,
    history,
    async until(accepts) {
      const signal = AbortSignal.timeout(deadlineMs);
      while (!accepts(servedUrls(provider.read()), provider)) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        wake = resolve;
        const fail = (): void => reject(new Error(`after ${deadlineMs} ms: ${JSON.stringify(history)}`));
        signal.addEventListener('abort', fail, { once: true });
        await promise;
        signal.removeEventListener('abort', fail);
      }
    },
  };
}

// A poll so slow that only what fs.watch says can end a test in time; and one so fast that it must not need fs.watch.
const byWatch = { pollMs: 600_000 };

describe('announced by the file system', () => {
  test('a file that is written in place', async () => {
    const path = write('a.yaml', balancerText('a'));
    const { until } = await start({ paths: [path], ...byWatch });
    write('a.yaml', balancerText('a', 'http://b'));
    await until(({ a }) => a === 'http://b');
  });

  test('a file that is replaced by a rename, twice', async () => {
    const path = write('a.yaml', balancerText('a'));
    const { until, history } = await start({ paths: [path], ...byWatch });
    for (const url of ['http://b', 'http://c']) {
      renameSync(write('.a.yaml.swp', balancerText('a', url)), path);
      await until(({ a }) => a === url);
    }
    expect(history.every(({ a }) => a !== undefined)).toBe(true);
  });

  test('an editor that moves the old file away first: nothing is ever missing', async () => {
    const path = write('a.yaml', balancerText('a'));
    write('b.yaml', balancerText('b'));
    const { until, history } = await start({ paths: [folder], ...byWatch, goneMs: 5000 });
    renameSync(path, `${path}~`);
    write('b.yaml', balancerText('b', 'http://b'));
    await until(({ b }) => b === 'http://b');
    write('a.yaml', balancerText('a', 'http://c'));
    unlinkSync(`${path}~`);
    await until(({ a }) => a === 'http://c');
    expect(history.every(({ a }) => a !== undefined)).toBe(true);
  });

  test('a new file in a folder, and a deleted one', async () => {
    write('a.yaml', balancerText('a'));
    const { until } = await start({ paths: [folder], ...byWatch });
    const path = write('b.json', JSON.stringify({ kind: 'nonsense' }));
    await until((_, provider) => provider.read().problems.length === 1);
    writeFileSync(path, balancerText('b'));
    await until(({ b }) => b === 'http://a');
    unlinkSync(path);
    await until((served, provider) => !('b' in served) && provider.read().problems.length === 0);
  });

  test('a broken edit is told with file and line, keeps what was served, and is mended', async () => {
    const path = write('a.yaml', balancerText('a'));
    const { until, provider } = await start({ paths: [path], ...byWatch });
    const before = provider.read().resources;
    write('a.yaml', `${balancerText('a', 'http://b')}\nspec: [\n`);
    await until(() => provider.read().problems.length > 0);
    expect(provider.read().resources).toBe(before);
    expect(provider.read().problems[0]?.location).toMatchObject({ file: path, line: 8 });
    write('a.yaml', balancerText('a', 'http://c'));
    await until(({ a }) => a === 'http://c');
    expect(provider.read().problems).toEqual([]);
  });

  test('a mounted ConfigMap whose links are swapped, and whose keys come and go', async () => {
    const swap = (version: string, files: Readonly<Record<string, string>>): void => {
      mkdirSync(join(folder, version));
      for (const [name, text] of Object.entries(files)) write(join(version, name), text);
      symlinkSync(version, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    swap('..2026_1', { 'a.yaml': balancerText('a'), 'b.yaml': balancerText('b') });
    for (const name of ['a.yaml', 'b.yaml']) symlinkSync(join('..data', name), join(folder, name));
    const { until, history, provider } = await start({ paths: [folder], ...byWatch });
    expect(servedUrls(provider.read())).toEqual({ a: 'http://a', b: 'http://a' });

    swap('..2026_2', { 'a.yaml': balancerText('a', 'http://b'), 'c.yaml': balancerText('c') });
    symlinkSync(join('..data', 'c.yaml'), join(folder, 'c.yaml'));
    unlinkSync(join(folder, 'b.yaml'));
    rmSync(join(folder, '..2026_1'), { recursive: true });
    await until(({ a, b, c }) => a === 'http://b' && b === undefined && c === 'http://a');
    expect(history.every(({ a }) => a !== undefined)).toBe(true);
  });

  test('a single key of a mounted ConfigMap', async () => {
    for (const version of ['..1', '..2']) mkdirSync(join(folder, version));
    write('..1/a.yaml', balancerText('a'));
    write('..2/a.yaml', balancerText('a', 'http://b'));
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync(join('..data', 'a.yaml'), join(folder, 'a.yaml'));
    const { until } = await start({ paths: [join(folder, 'a.yaml')], ...byWatch });
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await until(({ a }) => a === 'http://b');
  });

  test('a folder that is removed and made anew', async () => {
    const below = join(folder, 'conf');
    mkdirSync(below);
    write('conf/a.yaml', balancerText('a'));
    const { until, provider } = await start({ paths: [below], ...byWatch });
    rmSync(below, { recursive: true });
    await until(() => provider.read().problems.length === 1);
    expect(servedUrls(provider.read())).toEqual({ a: 'http://a' });
    mkdirSync(below);
    write('conf/a.yaml', balancerText('a', 'http://b'));
    await until(({ a }) => a === 'http://b');
    write('conf/a.yaml', balancerText('a', 'http://c'));
    await until(({ a }) => a === 'http://c');
  });
});

describe('found by the poll', () => {
  test('a link to a file elsewhere, whose content changes', async () => {
    const elsewhere = join(folder, 'elsewhere');
    const conf = join(folder, 'conf');
    for (const path of [elsewhere, conf]) mkdirSync(path);
    write('elsewhere/real.yaml', balancerText('a'));
    symlinkSync(join(elsewhere, 'real.yaml'), join(conf, 'a.yaml'));
    const { until } = await start({ paths: [conf], pollMs: 50 });
    write('elsewhere/real.yaml', balancerText('a', 'http://b'));
    await until(({ a }) => a === 'http://b');
  });
});

describe('the life of a provider', () => {
  test('starting rejects when a path is missing', async () => {
    const provider = createFileProvider({ paths: [join(folder, 'missing.yaml')] });
    await expect(provider.start(() => undefined)).rejects.toThrow(/missing.yaml does not exist/);
    expect(() => provider.read()).toThrow();
    await provider.stop();
  });

  test('an edit that changes nothing is not announced', async () => {
    const path = write('a.yaml', balancerText('a'));
    write('b.yaml', balancerText('b'));
    const { until, history, provider } = await start({ paths: [folder], ...byWatch });
    const before = provider.read().resources;
    writeFileSync(path, `# a comment\n${balancerText('a')}`);
    await provider.read();
    write('b.yaml', balancerText('b', 'http://b'));
    await until(({ b }) => b === 'http://b');
    expect(history).toHaveLength(2);
    expect(provider.read().resources.balancers.get('shop/a')?.balancer).toBe(before.balancers.get('shop/a')?.balancer);
  });

  test('after stop nothing is announced, and stopping twice is well', async () => {
    const path = write('a.yaml', balancerText('a'));
    const { provider, history } = await start({ paths: [path], pollMs: 20, settleMs: 5 });
    write('a.yaml', balancerText('a', 'http://b'));
    await provider.stop();
    await provider.stop();
    const other = createFileProvider({ paths: [path] });
    await other.start(() => undefined);
    expect(servedUrls(other.read())).toEqual({ a: 'http://b' });
    await other.stop();
    expect(history).toHaveLength(1);
  });
});
