// Thousands of clients that drip heads, stall in bodies and never read their answers, beside normal traffic: how much
// slower that gets, whether deadlines end them all, and whether their memory comes back. Two processes of the product run
// at the same time, one of them without slow clients; windows on the one and on the other take turns and medians are
// compared, so that whatever else the machine does meets both alike. What the load itself costs with two cores, where slow
// clients share one with those who measure, is told by windows between the rounds, in which there are no slow clients.
// node test/bench/slow-clients.ts [--clients N] [--rounds N] [--windows N] [--quick]; the exit code is 1 when a bound is
// exceeded. --quick: few clients, and twice the rise.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Members } from './load/members.ts';
import { SlowClients } from './load/slow-clients.ts';
import { settledMemoryBytes } from './memory.ts';
import { ROOT, readCount } from './options.ts';
import { balancerYaml, createEvenkeel } from './peers/evenkeel.ts';
import { TIMEOUTS_S } from './peers/peer.ts';
import { waitUntil } from './processes.ts';
import { RunningPeer } from './running-peer.ts';
import { summarise } from './statistics.ts';

const WINDOW_SECONDS = 1;
const REQUESTS_PER_SECOND = 500;
const CONNECTIONS = 32;
/** Silence in a body, and an answer that is not read, are ended after this. Heads have the 30 seconds that are fixed. */
const BODY_SECONDS = 10;
const ALL_CLOSED_MS = 60_000;
/** p99 beside slow clients over p99 without them. */
const MOST_RISE = 1.5;
/** What a round may leave behind that the first one did not. */
const MOST_LEFT_MIB = 32;

const { values } = parseArgs({
  options: {
    clients: { type: 'string' },
    rounds: { type: 'string' },
    windows: { type: 'string' },
    quick: { type: 'boolean', default: false },
    root: { type: 'string', default: ROOT },
  },
});
const clientCount = readCount(values.clients, values.quick ? 300 : 2_000, '--clients');
const rounds = readCount(values.rounds, values.quick ? 2 : 4, '--rounds');
const windows = readCount(values.windows, values.quick ? 6 : 12, '--windows');
const mostRise = values.quick ? 2 : MOST_RISE;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-slow-clients-'));
const started: { stop(): Promise<void> }[] = [];
let isKept = true;
try {
  const calm = await start('calm');
  const beset = await start('beset');
  // Sends requests only, so that what members do for slow clients is not taken for what the proxy does.
  const driver = await Members.start();
  started.push(driver);
  for (const running of [calm, beset]) await window(driver, running);
  const before: number[] = [];
  const without: number[] = [];
  const beside: number[] = [];
  const memoryMiB = [await settledMiB(beset)];
  for (let round = 1; round <= rounds; round += 1) {
    for (let i = 0; i < windows / 2; i += 1) before.push(await window(driver, beset));
    const clients = await SlowClients.open(beset.port, clientCount);
    try {
      const present: number[] = [];
      const beganMs = performance.now();
      const usedBefore = [calm, beset].map(({ tree }) => tree.cpuSeconds());
      for (let i = 0; i < windows; i += 1) {
        without.push(await window(driver, calm));
        present.push(await connectionsOf(beset));
        beside.push(await window(driver, beset));
      }
      const used = [calm, beset].map(({ tree }, index) => tree.cpuSeconds() - usedBefore[index]!);
      const shares = used.map((seconds) => `${((seconds / (performance.now() - beganMs)) * 100_000).toFixed(1)} %`);
      say(`round ${round}: of one processor ${shares[1]} were used beside them, ${shares[0]} without`);
      // Those that were closed are away for a second, many of them at the same time.
      const open = summarise(present).median;
      if (open < clientCount * 0.4) throw new Error(`only ${open} of ${clientCount} slow clients are there`);
      clients.stayAway();
      const sinceMs = performance.now();
      await waitUntil(async () => (await connectionsOf(beset)) === 0, ALL_CLOSED_MS, 'closing slow clients');
      const seconds = (performance.now() - sinceMs) / 1000;
      memoryMiB.push(await settledMiB(beset));
      say(`round ${round}: ${open} were open at a time, the last one was closed after ${seconds.toFixed(0)} s`);
    } finally {
      await clients.close();
    }
  }
  say(`p99 ${describe(summarise(before))} while there are no slow clients`);
  judgeTimes(without, beside);
  judgeMemory(memoryMiB);
} finally {
  for (const part of started.reverse()) await part.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isKept ? 0 : 1;

/** Starts the product in a folder of its own, with short timeouts. */
async function start(name: string): Promise<RunningPeer> {
  const own = join(folder, name);
  mkdirSync(own);
  const running = await RunningPeer.start(createEvenkeel({ root: values.root, profileFolder: null }), 4, own);
  started.push(running);
  const file = join(running.folder, 'balancer.yaml');
  const text = balancerYaml({ members: running.members.addresses(4) });
  writeFileSync(`${file}.new`, text.replace(`body: ${TIMEOUTS_S.idle}s`, `body: ${BODY_SECONDS}s`));
  renameSync(`${file}.new`, file);
  const isServed = async () => (await metric(running, 'evenkeel_snapshot_generation_acknowledged')) >= 2;
  await waitUntil(isServed, 10_000, 'the change of timeouts');
  return running;
}

/** p99 of normal traffic in microseconds; infinite when the proxy does not keep up. */
async function window(driver: Members, running: RunningPeer): Promise<number> {
  const { p99Us, keptUp } = await driver.drive({
    port: running.port,
    path: '/small',
    headers: '',
    connections: CONNECTIONS,
    requestsPerSecond: REQUESTS_PER_SECOND,
    warmupSeconds: 0.2,
    seconds: WINDOW_SECONDS,
  });
  return keptUp ? p99Us : Infinity;
}

function connectionsOf(running: RunningPeer): Promise<number> {
  return metric(running, 'evenkeel_lane_connections');
}

/** The sum over all series. */
async function metric(running: RunningPeer, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${running.adminPort}/metrics`)).text();
  const found = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+]+)$`, 'gm'))];
  return found.reduce((sum, [, value]) => sum + Number(value), 0);
}

async function settledMiB(running: RunningPeer): Promise<number> {
  return (await settledMemoryBytes(running.tree)) / 1024 / 1024;
}

function judgeTimes(without: readonly number[], beside: readonly number[]): void {
  const [normal, slowed] = [summarise(without), summarise(beside)];
  const rise = slowed.median / normal.median;
  tell(rise <= mostRise, [
    `p99 ${describe(slowed)} beside ${clientCount} slow clients, ${describe(normal)} without:`,
    `${rise.toFixed(2)} times, at most ${mostRise}`,
  ]);
}

/** The first round fills pools and buffers that stay; what later ones add would be a leak. */
function judgeMemory([before = 0, first = 0, ...later]: readonly number[]): void {
  const left = Math.max(first, ...later) - first;
  tell(left <= MOST_LEFT_MIB, [
    `memory ${before.toFixed(0)} MiB before, ${[first, ...later].map((mib) => mib.toFixed(0)).join(', ')} MiB after rounds:`,
    `${left.toFixed(0)} MiB more than after the first, at most ${MOST_LEFT_MIB}`,
  ]);
}

function describe({ median, least, most }: ReturnType<typeof summarise>): string {
  return `${(median / 1000).toFixed(2)} ms (${(least / 1000).toFixed(2)} to ${(most / 1000).toFixed(2)})`;
}

function tell(isThisKept: boolean, words: readonly string[]): void {
  if (!isThisKept) isKept = false;
  say(`${isThisKept ? 'kept    ' : 'EXCEEDED'}  ${words.join(' ')}`);
}
