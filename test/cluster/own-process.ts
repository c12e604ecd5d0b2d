// A program that is not ours, run for a test: its output goes to a file, and it cannot outlive the process that started
// it, however that one ends. Knows nothing of what it runs.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { within } from '../helpers/patience.ts';

export interface Program {
  /** What messages call it. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** File that takes its output, appended to. */
  readonly logPath: string;
}

/** Milliseconds that a program may take to end after SIGTERM. */
const END_MS = 30_000;
/** Characters of the log that a message shows. */
const SHOWN = 6_000;

export class OwnProcess {
  readonly #program: Program;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(program: Program) {
    this.#program = program;
    const log = openSync(program.logPath, 'a');
    // The kernel kills it when its parent dies.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', program.path, ...program.args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('exit', () => resolve());
    this.#child.once('error', () => resolve());
    this.#ended = promise;
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Of the program itself. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** The end of what it wrote. */
  get log(): string {
    return readFileSync(this.#program.logPath, 'utf8').slice(-SHOWN);
  }

  /** Looks again and again until `isReady` resolves to true; rejects with the log when it ends or takes too long. */
  async waitUntil(isReady: () => Promise<boolean>, deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    while (!(await isReady().catch(() => false))) {
      const { name } = this.#program;
      if (this.hasEnded) throw new Error(`${name} ended; its log:\n${this.log}`);
      if (performance.now() > endMs)
        throw new Error(`${name} is not ready after ${deadlineMs} ms; its log:\n${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Freezes it: connections stay open and nothing answers. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Asks it to end, or kills it, and waits for that. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (!this.hasEnded) this.#child.kill(signal);
    await within(this.#ended, () => `the end of ${this.#program.name}; its log:\n${this.log}`, END_MS);
  }
}
