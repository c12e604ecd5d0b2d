// Runs `evenkeel serve` as a process of its own, as anybody would, and shows its log in short.
// It never outlives the demo, not even if the demo is ended with kill -9.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface BalancerProcess {
  readonly pid: number;
  /** Resolves when it serves; stays open if it ends before that. */
  readonly ready: Promise<{ readonly httpPort: number; readonly adminPort: number }>;
  /** Resolves with the reason once it has ended without being told to. */
  readonly ended: Promise<string>;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

const preload = join(import.meta.dirname, 'end-with-parent.ts');
/** Requests of the demo are short; whoever takes longer is cut. */
const STOP_TIMEOUT = '2s';

export function startBalancer(root: string, args: readonly string[], onLine: (line: string) => void): BalancerProcess {
  const all = ['--import', preload, join(root, 'src', 'main.ts'), 'serve', ...args, '--shutdown-timeout', STOP_TIMEOUT];
  // A process group of its own: Ctrl-C reaches the demo alone, which then ends it once and in order.
  const child = spawn(process.execPath, all, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const ready = Promise.withResolvers<{ httpPort: number; adminPort: number }>();
  const ended = Promise.withResolvers<string>();
  const gone = Promise.withResolvers<void>();
  let isStopping = false;
  let lastWords = '';
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const entry = readEntry(line);
    if (entry.msg === 'ready') ready.resolve({ httpPort: Number(entry.httpPort), adminPort: Number(entry.adminPort) });
    onLine(shorten(entry));
  });
  createInterface({ input: child.stderr! }).on('line', (line) => {
    lastWords = line;
    onLine(line);
  });
  child.on('error', (error) => ended.resolve(`the balancer cannot be started: ${error.message}`));
  child.on('close', (code, signal) => {
    gone.resolve();
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    if (!isStopping) ended.resolve(`the balancer ended ${how}${lastWords === '' ? '' : `: ${lastWords}`}`);
  });
  return {
    pid: child.pid ?? 0,
    ready: ready.promise,
    ended: ended.promise,
    async stop() {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.kill('SIGTERM');
      await gone.promise;
    },
  };
}

type Entry = Readonly<Record<string, unknown>>;

function readEntry(line: string): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return { msg: line };
  }
}

/** The message with its fields behind it; the time is left out, and the level where it is the usual one. */
function shorten({ level, time: _time, msg, ...fields }: Entry): string {
  const prefix = level === 'info' || level === undefined ? '' : `${String(level).toUpperCase()} `;
  const shown = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${prefix}${String(msg)}${shown.length === 0 ? '' : `  ${shown.join(' ')}`}`;
}
