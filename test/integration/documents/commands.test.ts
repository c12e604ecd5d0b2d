// The commands of the documents, run as a reader would: page by page, from the top, in a shell. A comment right above a piece
// of code says when it is not simply run: `in the background` for what goes on until it is stopped, `by hand: WHY` for
// what needs more than a checkout.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CodeBlock, codeBlocksOf, documents } from '../../helpers/documents.ts';
import { root } from '../../helpers/evenkeel-process.ts';

const pages = [...documents].flatMap(([path, text]) => {
  const blocks = codeBlocksOf(text).filter(({ language }) => language === 'sh');
  const isRun = blocks.some(({ mark }) => !mark.startsWith('by hand: '));
  return isRun ? [{ path, blocks }] : [];
});

/** Pages name ports and files, so each is played in a network of its own, where the system lets us. */
const isAlone = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!isAlone)('as root on Linux, each page in a network of its own', () => {
  test.each(pages)(
    'the commands of $path do what they say',
    async ({ blocks }) => {
      const folder = checkout();
      const { code, output } = await runScript(scriptOf(blocks), folder);
      expect(output, output).not.toMatch(/command not found|No such file or directory/);
      expect(code, output).toBe(0);
    },
    120_000,
  );
});

/** What a reader has who has cloned the repository and installed it. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['src', 'examples', 'charts', 'crds', 'docs', 'package.json', 'Makefile', 'package-lock.json']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Servers that were just started are waited for by whoever asks them. */
const prelude = `
set -euo pipefail
ip link set lo up
curl() { command curl --retry 60 --retry-connrefused --retry-delay 1 --retry-max-time 60 "$@"; }
make() { if [ "$1" = install ]; then return 0; fi; command make "$@"; }
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
`;

function scriptOf(blocks: readonly CodeBlock[]): string {
  const steps = blocks.map(({ text, mark, line }) => {
    if (mark.startsWith('by hand: ')) return `echo "line ${line}: left out"`;
    if (mark === 'in the background') return `echo "line ${line}: in the background"\n(\n${text}\n) &`;
    return `echo "line ${line}:"\n${text}`;
  });
  return `${prelude}\n${steps.join('\n')}\necho done\n`;
}

async function runScript(
  script: string,
  cwd: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const path = `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`;
  const child = spawn('unshare', ['--net', 'bash', '-c', script], {
    cwd,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 100_000);
  // What runs in the background holds the pipes open: the end of the shell is what counts.
  child.on('exit', (code) => resolve(code));
  const code = await promise;
  clearTimeout(timer);
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
  return { code, output };
}
