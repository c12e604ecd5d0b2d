// The product as its users run it: `node src/main.ts …` in a process of its own, on free ports of loopback.
// Nothing of src/ is imported: what these tests see is the command line, the log, sockets and exit codes.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFailed } from 'vitest';
import { within } from './patience.ts';

export const root = join(import.meta.dirname, '..', '..');
const preload = join(root, 'examples', 'demo', 'end-with-parent.ts');

/** One line of the log. */
export type LogEntry = Readonly<Record<string, unknown>> & { readonly msg?: string; readonly level?: string };

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

/** Milliseconds from the start of a process to the line `ready`, on a machine that is busy with other tests. */
const START_MS = 20_000;

/** A command that runs on its own; resolves when it has ended. */
export async function runEvenkeel(args: readonly string[], env: Environment = {}): Promise<Ending> {
  const process = new EvenkeelProcess(args, env);
  return process.ended;
}

/**
 * Starts `serve` on free ports and resolves when it is ready; rejects with all it wrote if it ends before that. When the
 * test fails, what it wrote is shown.
 */
export async function startEvenkeel(
  args: readonly string[],
  env: Environment = {},
  deadlineMs = START_MS,
): Promise<EvenkeelProcess> {
  const ports = ['--bind', '127.0.0.1', '--http-port', '0', '--admin-port', '0'];
  const given = ports.filter((_, index) => !args.includes(ports[index - (index % 2)]!));
  const process = new EvenkeelProcess(['serve', ...given, ...args], env);
  onTestFailed(() => console.error(`evenkeel serve ${args.join(' ')} wrote:\n${process.written}`));
  try {
    const ready = await process.waitForLog((entry) => entry.msg === 'ready', deadlineMs);
    process.httpPort = Number(ready.httpPort);
    process.adminPort = Number(ready.adminPort);
  } catch (error) {
    await process.kill();
    throw error;
  }
  return process;
}

/** Ends with the block that holds it: `await using evenkeel = await startEvenkeel(…)`. */
export class EvenkeelProcess implements AsyncDisposable {
  httpPort = 0;
  adminPort = 0;
  /** All lines so far. */
  readonly log: LogEntry[] = [];
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #hasEnded = false;
  #watchers = new Set<() => void>();

  constructor(args: readonly string[], env: Environment) {
    // Only what is given: a variable of whoever runs the tests must not change what is tested.
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('EVENKEEL_')));
    this.#child = spawn(process.execPath, ['--import', preload, join(root, 'src', 'main.ts'), ...args], {
      cwd: root,
      env: { ...clean, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line));
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.#child.on('close', (code, signal) => {
      this.#hasEnded = true;
      resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
      for (const watch of this.#watchers) watch();
    });
    this.ended = promise;
  }

  /** All it wrote so far. */
  get written(): string {
    return this.#stdout + this.#stderr;
  }

  /** The first line, from the `from`th on, for which `isIt` holds, now or within the deadline. */
  async waitForLog(isIt: (entry: LogEntry) => boolean, deadlineMs = 10_000, from = 0): Promise<LogEntry> {
    const { promise, resolve, reject } = Promise.withResolvers<LogEntry>();
    let next = from;
    const look = (): void => {
      for (; next < this.log.length; next += 1) {
        if (isIt(this.log[next]!)) return resolve(this.log[next]!);
      }
      if (this.#hasEnded) reject(new Error(`the process ended before it logged that:\n${this.written}`));
    };
    this.#watchers.add(look);
    look();
    try {
      return await within(promise, () => `a line of the log; all of it:\n${this.written}`, deadlineMs);
    } finally {
      this.#watchers.delete(look);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end and waits for that. */
  async stop(): Promise<Ending> {
    if (!this.#hasEnded) this.signal('SIGTERM');
    return within(this.ended, () => `its end; the log:\n${this.written}`, 10_000);
  }

  async kill(): Promise<void> {
    if (!this.#hasEnded) this.signal('SIGKILL');
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #take(line: string): void {
    this.#stdout += `${line}\n`;
    try {
      this.log.push(JSON.parse(line) as LogEntry);
    } catch {
      this.log.push({ msg: line });
    }
    for (const watch of this.#watchers) watch();
  }
}
