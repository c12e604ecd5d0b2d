// Load in a closed loop: wrk holds a number of connections busy and counts. Throws when answers are wrong, because a
// proxy that fails is cheap.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../processes.ts';

export interface ClosedLoop {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body of a POST; 0: a GET. */
  readonly postBytes: number;
  /** A folder for wrk's script. */
  readonly folder: string;
}

export interface LoopReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
}

/** Of a thousand answers this many may be missing: wrk counts connections that it closes itself at the end. */
const MOST_FAULTS = 0.001;

export async function driveClosedLoop(loop: ClosedLoop): Promise<LoopReport> {
  const args = ['-t', '1', '-c', String(loop.connections), '-d', `${loop.seconds}s`, '--timeout', '10s'];
  for (const [name, value] of Object.entries(loop.headers)) args.push('-H', `${name}: ${value}`);
  if (loop.postBytes > 0) args.push('-s', postScript(loop));
  const output = await run('wrk', [...args, `http://127.0.0.1:${loop.port}${loop.path}`], 'load');
  const requests = Number(/(\d+) requests in /.exec(output)?.[1] ?? 0);
  const faults =
    Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0) +
    [...(/Socket errors: (.*)/.exec(output)?.[1] ?? '').matchAll(/\d+/g)].reduce((sum, [n]) => sum + Number(n), 0);
  if (requests === 0 || faults > requests * MOST_FAULTS) throw new Error(`${faults} faults in ${requests} requests`);
  return { requests, requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1] ?? 0) };
}

function postScript(loop: ClosedLoop): string {
  const file = join(loop.folder, `post-${loop.postBytes}.lua`);
  writeFileSync(file, `wrk.method = "POST"\nwrk.body = string.rep("x", ${loop.postBytes})\n`);
  return file;
}
