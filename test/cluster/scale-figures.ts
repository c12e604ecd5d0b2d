// What the product costs in a large cluster, and how soon it knows of a change: measured from outside, on a process of its
// own. It judges nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, createServer, get, type Server } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { root } from '../helpers/evenkeel-process.ts';
import { apiAddress, type ControlPlane } from './control-plane.ts';
import { endpointPort, fillCluster, movedHost, moveMember } from './large-cluster.ts';
import { OwnProcess } from './own-process.ts';

export interface ScaleOptions {
  /** There are twice as many Services, and twenty times as many endpoints. */
  readonly balancers: number;
  /** Of EndpointSlices, one after the other. */
  readonly changes: number;
  /** How long nothing is changed while processor time is taken. 0: it is not. */
  readonly quietSeconds: number;
  /** Of Node, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
  /** Called with each figure as it is known. */
  readonly onFigure?: (text: string) => void;
}

export interface ScaleFigures {
  /** From the start of the process until it is ready. */
  readonly syncSeconds: number;
  /** Of the whole process with two lanes, once all is served. MiB. */
  readonly residentMiB: number;
  /** The most there was until then. MiB. */
  readonly peakMiB: number;
  /** From the API server's acknowledgement of a change to an answer of the member that it brought. Sorted, milliseconds. */
  readonly latenciesMs: readonly number[];
  /** The same in the first seconds, in which the status of every Balancer is written. */
  readonly busyLatenciesMs: readonly number[];
  /** Of one core, when nothing changes. Percent; null: it was not measured. */
  readonly quietPercent: number | null;
}

const addresses = ['10.77.0.11', '10.77.0.12'] as const;
const START_MS = 120_000;
/** Statuses of all Balancers are written first, 50 a second at most, and then Events about them, 10 a second at most. */
const SETTLE_MS = 300_000;
/** Nothing is left to write when nothing was written for so long. */
const STILL_MS = 10_000;
/** Between two requests of the client that waits for the change: what is measured is so coarse. */
const ASK_MS = 1;
/** Longest pause between two changes, so that they come at any moment of whatever the product does by the clock. */
const MAX_PAUSE_MS = 200;

/** On a control plane that has the CRD and is empty. */
export async function measureScale(plane: ControlPlane, options: ScaleOptions): Promise<ScaleFigures> {
  const say = (text: string): void => options.onFigure?.(`${text}  (load average ${loadavg()[0]!.toFixed(1)})`);
  await fillCluster(plane.admin, options.balancers, addresses[0]);
  const members = await Promise.all(addresses.map(listen));
  const logPath = join(plane.folder, 'evenkeel.log');
  const flags = ['--bind', apiAddress, '--http-port', '0', '--admin-port', '0', '--lanes', '2'];
  const startMs = performance.now();
  const product = new OwnProcess({
    name: 'evenkeel',
    path: process.execPath,
    args: [
      ...(options.nodeFlags ?? []),
      join(root, 'src', 'main.ts'),
      'serve',
      ...flags,
      ...['--kubeconfig', plane.kubeconfig(), '--allow-member-cidr', '10.0.0.0/8'],
    ],
    logPath,
  });
  try {
    await product.waitUntil(async () => readyLine(logPath) !== undefined, START_MS);
    const syncSeconds = (performance.now() - startMs) / 1000;
    say(`initial sync: ${syncSeconds.toFixed(1)} s, at most ${memoryOf(product.pid).peakMiB} MiB`);

    const client = new Client(readyLine(logPath)!.httpPort);
    const tell = (when: string, sorted: readonly number[]): void => {
      const p = (share: number): string => `${percentile(sorted, share).toFixed(0)} ms`;
      say(`change to election, ${when}: p50 ${p(0.5)}, p99 ${p(0.99)}, worst ${p(1)} of ${sorted.length}`);
    };
    const busyLatenciesMs = await measureLatencies(plane, client, Math.ceil(options.changes / 3));
    tell('while all statuses are written', busyLatenciesMs);

    await settled(plane, options.balancers);
    const { residentMiB, peakMiB } = memoryOf(product.pid);
    say(`memory: ${residentMiB} MiB, at most ${peakMiB} MiB`);

    const latenciesMs = await measureLatencies(plane, client, options.changes);
    client.close();
    tell('settled', latenciesMs);

    let quietPercent: number | null = null;
    if (options.quietSeconds > 0) {
      const writtenMs = await lastWriteMs(plane);
      say(`all was written ${((writtenMs - startMs) / 1000).toFixed(0)} s after the start`);
      const before = threadsMs(product.pid);
      const fromMs = performance.now();
      await new Promise((resolve) => setTimeout(resolve, options.quietSeconds * 1000));
      const tookMs = performance.now() - fromMs;
      const shares = sharesOf(before, threadsMs(product.pid), tookMs);
      quietPercent = shares.reduce((sum, { percent }) => sum + percent, 0);
      const busiest = shares.slice(0, 6).map(({ thread, percent }) => `${thread} ${percent.toFixed(2)}`);
      say(`quiet: ${quietPercent.toFixed(2)} % of a core over ${options.quietSeconds} s: ${busiest.join(', ')}`);
    }
    return { syncSeconds, residentMiB, peakMiB, busyLatenciesMs, latenciesMs, quietPercent };
  } finally {
    await product.end();
    for (const member of members) member.close();
  }
}

/** Of sorted numbers; share 0 to 1. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
}

/** Resolves when every Balancer's status is written, so that nothing is left to do. */
async function settled(plane: ControlPlane, balancers: number): Promise<void> {
  const endMs = performance.now() + SETTLE_MS;
  for (;;) {
    const list = await plane.admin.list('evenkeel.dev/v1alpha1', 'Balancer');
    const told = list.filter(({ status }) => status !== undefined).length;
    if (told === balancers) return;
    if (performance.now() > endMs) throw new Error(`only ${told} of ${balancers} Balancers have a status`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/**
 * Waits until the product has written no status and no Event for a while. Milliseconds of the clock at which it wrote last.
 * The API server is asked, not the product: for its metrics that has much to do, and to tidy up afterwards.
 */
async function lastWriteMs({ admin }: ControlPlane): Promise<number> {
  const fromMs = performance.now();
  let written = '';
  let writtenMs = fromMs;
  while (performance.now() - writtenMs < STILL_MS) {
    const nowMs = performance.now();
    if (nowMs - fromMs > SETTLE_MS) throw new Error(`it still writes after ${SETTLE_MS} ms`);
    const balancers = await admin.list('evenkeel.dev/v1alpha1', 'Balancer');
    const events = await admin.list('events.k8s.io/v1', 'Event');
    const now = [...balancers, ...events].map(({ metadata }) => metadata?.resourceVersion).join();
    if (now !== written) writtenMs = nowMs;
    written = now;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  return writtenMs;
}

async function measureLatencies(plane: ControlPlane, client: Client, changes: number): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  for (let change = 1; change <= changes; change += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_PAUSE_MS));
    const address = addresses[change % 2]!;
    await moveMember(plane.admin, address);
    const knownMs = performance.now();
    for (;;) {
      const answer = await client.ask();
      const tookMs = performance.now() - knownMs;
      if (answer === address) {
        latenciesMs.push(tookMs);
        break;
      }
      if (tookMs > 30_000) throw new Error(`change ${change} is not known after 30 s: ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  }
  return latenciesMs.sort((a, b) => a - b);
}

/** One connection, so one lane. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** The body, which is the address of the member. */
  async ask(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = { host: apiAddress, port: this.#port, headers: { host: movedHost }, agent: this.#agent };
    get(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A member that answers at once, with its address. */
async function listen(address: string): Promise<Server> {
  const server = createServer((_, response) => response.end(address));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(endpointPort, address, resolve);
  await promise;
  return server;
}

function readyLine(logPath: string): { readonly httpPort: number } | undefined {
  const line = readFileSync(logPath, 'utf8')
    .split('\n')
    .find((text) => text.includes('"msg":"ready"'));
  return line === undefined ? undefined : (JSON.parse(line) as { httpPort: number });
}

function memoryOf(pid: number): { readonly residentMiB: number; readonly peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mebibytes = (field: string): number =>
    Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)![1]) / 1024);
  return { residentMiB: mebibytes('VmRSS'), peakMiB: mebibytes('VmHWM') };
}

/** User and system time so far, of each thread by its number and name. */
function threadsMs(pid: number): ReadonlyMap<string, number> {
  const found = readdirSync(`/proc/${pid}/task`).map((thread): [string, number] => {
    // Nanoseconds: ticks of a hundredth of a second are coarse for threads that do next to nothing.
    const [ranNs] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim();
    return [`${Number(thread) - pid} ${name}`, Number(ranNs) / 1e6];
  });
  return new Map(found);
}

/** Of one core, the busiest first. */
function sharesOf(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  tookMs: number,
): readonly { readonly thread: string; readonly percent: number }[] {
  const shares = [...after].map(([thread, ms]) => ({
    thread,
    percent: ((ms - (before.get(thread) ?? 0)) / tookMs) * 100,
  }));
  return shares.sort((a, b) => b.percent - a.percent);
}
