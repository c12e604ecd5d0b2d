// Starts processes on a given core, and reads what a process and all its descendants have used from /proc (Linux).
// Ends only what it has started.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Unit of the times in /proc/PID/stat, on every architecture that we know. */
const TICKS_PER_SECOND = 100;
const STOP_GRACE_MS = 10_000;

/**
 * Where a process runs: the proxy alone on one core, load and members on the others, so that neither takes the other's
 * time. `lanes`: on two cores that it has for itself, if there are as many.
 */
export type Place = 'proxy' | 'lanes' | 'load' | 'anywhere';

const coreCount = availableParallelism();

/** Whether two lanes and the load can have cores of their own. */
export const hasCoresForLanes = coreCount >= 4;

const cores: Record<Place, string | null> = {
  proxy: coreCount > 1 ? '0' : null,
  lanes: hasCoresForLanes ? '0-1' : null,
  load: hasCoresForLanes ? `2-${coreCount - 1}` : coreCount > 1 ? '1' : null,
  anywhere: null,
};

export interface StartOptions {
  readonly place: Place;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Where standard output and error go; without it they are dropped. */
  readonly logFile?: string;
  /** Whether the child talks over Node's message channel. */
  readonly ipc?: boolean;
}

/** What still runs; nothing outlives us, whatever ends us. */
const alive = new Set<ProcessTree>();
process.on('exit', () => {
  for (const tree of alive) tree.kill();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** A process that we started, with everything that it starts in turn. */
export class ProcessTree {
  readonly child: ChildProcess;
  #exitCode: number | null = null;

  constructor(child: ChildProcess) {
    this.child = child;
    alive.add(this);
    const onEnd = (code: number | null): void => {
      this.#exitCode = code ?? -1;
      alive.delete(this);
    };
    child.on('exit', onEnd);
    child.on('error', () => onEnd(null));
  }

  /** Null while it runs. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Processor time used so far, user and system, of all processes and their threads. Seconds. */
  cpuSeconds(): number {
    return this.#pids().reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  }

  /** Memory in use, pages that processes share counted once. Bytes. */
  memoryBytes(): number {
    return this.#pids().reduce((sum, pid) => sum + memoryBytesOf(pid), 0);
  }

  /** Processor time of each thread of the first process. Seconds. */
  threadSeconds(): readonly { readonly id: number; readonly seconds: number }[] {
    const folder = `/proc/${this.child.pid}/task`;
    return readdirSync(folder).map((thread) => ({
      id: Number(thread),
      seconds: readStat(`${folder}/${thread}/stat`).seconds,
    }));
  }

  /** Asks it to end, then ends it. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#exitCode !== null) return;
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    this.child.once('exit', () => resolve());
    this.child.kill('SIGTERM');
    const force = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await gone;
    clearTimeout(force);
  }

  /** Ends it at once, with its descendants. */
  kill(): void {
    for (const pid of this.#pids()) killQuietly(pid);
  }

  #pids(): number[] {
    const root = this.child.pid;
    if (root === undefined) return [];
    const children = childrenByParent();
    const found = [root];
    for (const pid of found) found.push(...(children.get(pid) ?? []));
    return found;
  }
}

export function startProcess(command: string, args: readonly string[], options: StartOptions): ProcessTree {
  const output = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
  const stdio: StdioOptions = ['ignore', output, output];
  if (options.ipc === true) stdio.push('ipc');
  const core = cores[options.place];
  const pinned = core === null ? [command, ...args] : ['taskset', '-c', core, command, ...args];
  const child = spawn(pinned[0]!, pinned.slice(1), {
    stdio,
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (typeof output === 'number') closeSync(output);
  return new ProcessTree(child);
}

/** Runs a command to its end. Resolves with what it printed; rejects when it fails. */
export async function run(command: string, args: readonly string[], place: Place = 'anywhere'): Promise<string> {
  const core = cores[place];
  const words = core === null ? [command, ...args] : ['taskset', '-c', core, command, ...args];
  const child = spawn(words[0]!, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: string[] = [];
  child.stdout.on('data', (text) => printed.push(String(text)));
  child.stderr.on('data', (text) => printed.push(String(text)));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  const output = printed.join('');
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${output.slice(-500)}`);
  return output;
}

/** Resolves once `isTrue` says so; rejects after `timeoutMs`. */
export async function waitUntil(isTrue: () => Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`${what} took longer than ${timeoutMs / 1000} s`);
    await sleep(50);
  }
}

/** A port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '0.0.0.0', resolve);
  await promise;
  const address = server.address();
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  server.close(() => onClosed());
  await closed;
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Two of them, which differ. */
export async function freePorts(): Promise<{ readonly port: number; readonly adminPort: number }> {
  const port = await freePort();
  let adminPort = await freePort();
  while (adminPort === port) adminPort = await freePort();
  return { port, adminPort };
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const { parent } = readStat(`/proc/${name}/stat`);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}

/** See proc(5). The name stands in parentheses and may hold spaces. */
function readStat(file: string): { readonly parent: number; readonly seconds: number } {
  const text = readFileSync(file, 'latin1');
  const nameEnd = text.lastIndexOf(')');
  // From field 3 on: state, ppid, … utime (14), stime (15), cutime (16), cstime (17). For a thread, 16 and 17 are its process's.
  const fields = text.slice(nameEnd + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
  return { parent: Number(fields[1]), seconds: ticks / TICKS_PER_SECOND };
}

function cpuSecondsOf(pid: number): number {
  try {
    return readStat(`/proc/${pid}/stat`).seconds;
  } catch {
    return 0;
  }
}

function memoryBytesOf(pid: number): number {
  try {
    const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
    return Number(pss?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
