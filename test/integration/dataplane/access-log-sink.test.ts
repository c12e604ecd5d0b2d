// The sink of the access log over real pipes and files: whole lines, no waiting, a bounded amount kept.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AccessLogSink } from '../../../src/dataplane/access-log-sink.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { until } from '../../helpers/patience.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function createSink(path: string) {
  const lost = { lines: 0 };
  const sink = new AccessLogSink(path, systemClock, (lines) => {
    lost.lines += lines;
  });
  return { sink, lost };
}

/** A named pipe with a reader that reads only what it is told to. */
function createPipe() {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(1 << 20);
  const read = (): string => {
    let text = '';
    try {
      for (let count = readSync(fd, bytes); count > 0; count = readSync(fd, bytes))
        text += bytes.toString('latin1', 0, count);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return text;
  };
  return { path, read, close: () => closeSync(fd) };
}

const line = (number: number): string => `${JSON.stringify({ number, filling: 'x'.repeat(number % 500) })}\n`;

function numbersIn(text: string): readonly number[] {
  expect(text.endsWith('\n')).toBe(true);
  const lines = text.slice(0, -1).split('\n');
  return lines.map((each) => (JSON.parse(each) as { number: number }).number);
}

test.each(['pipe', 'socket'])(
  'four threads write 20,000 lines to one %s, and none is broken or lost',
  async (output) => {
    const perThread = 5_000;
    // Through a shell, since what Node gives to its children for standard output is no pipe but a socket.
    const program = `exec "${process.execPath}" "${join(import.meta.dirname, 'log-writers.ts')}" ${perThread}`;
    const child = spawn('sh', ['-c', output === 'pipe' ? `{ ${program}; } | cat` : program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.on('close', resolve);
    expect(await promise).toBe(0);
    const next = [0, 0, 0, 0];
    let turns = 0;
    let last = 0;
    for (const each of text.slice(0, -1).split('\n')) {
      const { thread, number, filling } = JSON.parse(each) as { thread: number; number: number; filling: string };
      expect(number).toBe(next[thread]);
      next[thread] = number + 1;
      if (/[^0-3]/.test(filling) || new Set(filling).size > 1) throw new Error(`a mixed line: ${each}`);
      if (thread !== last) turns += 1;
      last = thread;
    }
    expect(next).toEqual([perThread, perThread, perThread, perThread]);
    // They did write at the same time.
    expect(turns).toBeGreaterThan(20);
  },
  60_000,
);

test('a pipe that nobody reads holds nobody up: a bounded amount is kept, the rest is counted', async () => {
  const pipe = createPipe();
  const { sink, lost } = createSink(pipe.path);
  const total = 40_000;
  const startedMs = performance.now();
  for (let number = 0; number < total; number += 1) {
    if (sink.isFull) sink.drop();
    else sink.add(line(number));
    if (number % 1000 === 0) sink.flush();
  }
  sink.flush();
  // About 0.3 µs each here; to wait for a millisecond each would take 40 seconds, and for a reader for ever.
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  expect(lost.lines).toBeGreaterThan(30_000);
  // What was kept comes once somebody reads, whole and in order; what comes next is written again.
  let text = pipe.read();
  expect(text.length).toBeGreaterThan(50_000);
  await until(() => {
    sink.flush();
    text += pipe.read();
    return sink.isEmpty;
  }, 'what was kept');
  sink.add(line(total));
  sink.flush();
  text += pipe.read();
  expect(text.length).toBeLessThan(1_250_000);
  const numbers = numbersIn(text);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  expect(numbers.at(-1)).toBe(total);
  expect(numbers.length + lost.lines).toBe(total + 1);
  sink.close();
  pipe.close();
});

test('what cannot be written at the end is counted', () => {
  const pipe = createPipe();
  const { sink, lost } = createSink(pipe.path);
  for (let number = 0; number < 1_000; number += 1) sink.add(line(number));
  sink.close();
  expect(lost.lines).toBeGreaterThan(0);
  expect(numbersIn(pipe.read()).length + lost.lines).toBe(1_000);
  pipe.close();
});

test('a reader that goes and comes back gets what came meanwhile, or it is counted', async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const { sink, lost } = createSink(path);
  sink.add(line(0));
  sink.flush();
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await until(() => {
    sink.flush();
    return sink.isEmpty;
  }, 'the pipe to be opened');
  const bytes = Buffer.alloc(100);
  expect(numbersIn(bytes.toString('latin1', 0, readSync(fd, bytes)))).toEqual([0]);
  closeSync(fd);
  sink.add(line(1));
  sink.flush();
  expect(lost.lines).toBe(1);
  sink.close();
});

test('a file is appended to, and opened anew when it was moved away', async () => {
  const path = join(folder, 'access.log');
  const { sink, lost } = createSink(path);
  const other = createSink(path).sink;
  sink.add(line(0));
  sink.flush();
  other.add(line(1));
  other.flush();
  expect(numbersIn(readFileSync(path, 'latin1'))).toEqual([0, 1]);
  renameSync(path, `${path}.1`);
  let number = 2;
  await until(() => {
    sink.add(line(number));
    number += 1;
    sink.flush();
    try {
      return readFileSync(path, 'latin1') !== '';
    } catch {
      return false;
    }
  }, 'a new file');
  const all = readFileSync(`${path}.1`, 'latin1') + readFileSync(path, 'latin1');
  expect(numbersIn(all)).toEqual(Array.from({ length: number }, (_, index) => index));
  expect(lost.lines).toBe(0);
  sink.close();
  other.close();
});

test('a disk that is full loses lines, which are counted, and nothing else', () => {
  const { sink, lost } = createSink('/dev/full');
  sink.add(line(0));
  sink.flush();
  expect(lost.lines).toBe(1);
  sink.close();
});
