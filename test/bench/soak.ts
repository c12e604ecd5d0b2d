// A long run with churn: busy connections, connections that come and go, connections that are cut amid an answer, and
// changes of configuration. Memory must not grow: its slope after the first third of the run is compared with a limit, for
// the process, for the heap of the main thread and for that of the lane. node test/bench/soak.ts [--minutes N | --seconds N] [--root FOLDER]
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { driveLoop } from './measure.ts';
import { readCount, ROOT } from './options.ts';
import { balancerYaml, createEvenkeel } from './peers/evenkeel.ts';
import { RunningPeer } from './running-peer.ts';
import { slope } from './statistics.ts';

const SAMPLE_MS = 2_000;
const RELOAD_MS = 3_000;
const CUT_MS = 20;
const WARMUP_SECONDS = 10;
/** Growth over the rest of the run that counts as flat, of the memory at its begin. */
const FLAT_SHARE = 0.1;
/** Of a heap, so much is no growth however small it is. */
const FLAT_HEAP_MIB = 4;
/** A heap is looked at where it is lowest in so long a time: between two collections it grows in any case. Seconds. */
const LOWEST_SECONDS = 20;

interface Sample {
  readonly second: number;
  readonly processMiB: number;
  /** Of the main thread and of the lane; null without metrics. */
  readonly heapMiB: number | null;
  readonly laneHeapMiB: number | null;
}

interface Figures {
  readonly heapMiB: number;
  readonly laneHeapMiB: number;
  readonly requests: number;
  readonly connections: number;
}

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seconds: { type: 'string' }, root: { type: 'string', default: ROOT } },
});
const totalSeconds =
  values.seconds === undefined
    ? readCount(values.minutes, 10, '--minutes') * 60
    : readCount(values.seconds, 0, '--seconds');
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const caseOf = (name: string) => CASES.find((one) => one.name === name)!;

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-soak-'));
const nodeFlags = ['--expose-gc', '--import', join(import.meta.dirname, 'collect-garbage.ts')];
const evenkeel = createEvenkeel({ root: values.root, profileFolder: null, nodeFlags });
const running = await RunningPeer.start(evenkeel, 4, folder);
const startMs = performance.now();
const isOver = (): boolean => performance.now() - startMs > totalSeconds * 1000 || running.tree.exitCode !== null;
const samples: Sample[] = [];
/** What metrics said last. */
let last: Figures | null = null;

/** Runs again and again until the time is up. */
async function repeat(everyMs: number, work: (turn: number) => unknown): Promise<void> {
  for (let turn = 0; !isOver(); turn += 1) {
    await work(turn);
    await sleep(everyMs);
  }
}

function sample(processMiB: number, figures: Figures | null): void {
  const heapMiB = figures?.heapMiB ?? null;
  const laneHeapMiB = figures?.laneHeapMiB ?? null;
  samples.push({ second: (performance.now() - startMs) / 1000, processMiB, heapMiB, laneHeapMiB });
  if (figures !== null) last = figures;
  const heap =
    figures === null
      ? ''
      : `, heap of the main thread ${figures.heapMiB.toFixed(1)} MiB, of the lane ${figures.laneHeapMiB.toFixed(1)} MiB`;
  if (samples.length % 15 === 0) say(`${samples.at(-1)!.second.toFixed(0)} s: ${processMiB.toFixed(1)} MiB${heap}`);
}

async function readFigures(): Promise<Figures | null> {
  try {
    const text = await (await fetch(`http://127.0.0.1:${running.adminPort}/metrics`)).text();
    const sumOf = (name: string): number =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+]+)$`, 'gm'))].reduce(
        (sum, [, value]) => sum + Number(value),
        0,
      );
    return {
      heapMiB: sumOf('\\w*nodejs_heap_size_used_bytes') / 1024 / 1024,
      laneHeapMiB: sumOf('evenkeel_lane_heap_bytes') / 1024 / 1024,
      requests: sumOf('evenkeel_request_duration_seconds_count'),
      connections: sumOf('evenkeel_lane_accepted_connections_total'),
    };
  } catch {
    return null;
  }
}

/** One member more, one less: members come and go while they serve. */
function reload(turn: number): void {
  const file = join(running.folder, 'balancer.yaml');
  writeFileSync(`${file}.new`, balancerYaml({ members: running.members.addresses(3 + (turn % 3)) }));
  renameSync(`${file}.new`, file);
}

/** A client that leaves in the middle of its answer. */
function cut(): void {
  const socket = connect({ host: '127.0.0.1', port: running.port });
  socket.on('connect', () => socket.write('GET /large HTTP/1.1\r\nHost: bench.test\r\n\r\n'));
  socket.once('data', () => socket.destroy());
  socket.on('error', () => {});
}

const runSeconds = Math.max(1, Math.min(10, Math.floor(totalSeconds / 4)));
try {
  await Promise.all([
    repeat(0, () => driveLoop(running, { ...caseOf('browser'), connections: 32 }, runSeconds)),
    repeat(0, () => driveLoop(running, { ...caseOf('new-connection'), connections: 8 }, runSeconds)),
    repeat(0, () => driveLoop(running, { ...caseOf('post'), connections: 8 }, runSeconds)),
    repeat(CUT_MS, cut),
    repeat(RELOAD_MS, reload),
    repeat(SAMPLE_MS, async () => sample(running.tree.memoryBytes() / 1024 / 1024, await readFigures())),
  ]);
  process.exitCode = judgeSamples() ? 0 : 1;
} finally {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
}

function judgeSamples(): boolean {
  if (running.tree.exitCode !== null) {
    say('EXCEEDED  the process has ended');
    return false;
  }
  const from = Math.max(Math.min(WARMUP_SECONDS, totalSeconds / 2), totalSeconds / 3);
  const counted = samples.filter(({ second }) => second >= from);
  // A soak that hardly served anybody says nothing.
  if (last !== null) say(`${last.requests} requests on ${last.connections} connections in ${totalSeconds} s`);
  const isFlat = [
    judgeSlope(
      'memory of the process',
      counted.map(({ second, processMiB }) => ({ x: second, y: processMiB })),
    ),
    judgeSlope(
      'heap of the main thread',
      lowest(counted.flatMap(({ second, heapMiB }) => (heapMiB === null ? [] : [{ x: second, y: heapMiB }]))),
    ),
    judgeSlope(
      'heap of the lane',
      lowest(
        counted.flatMap(({ second, laneHeapMiB }) => (laneHeapMiB === null ? [] : [{ x: second, y: laneHeapMiB }])),
      ),
      FLAT_HEAP_MIB,
    ),
  ];
  return isFlat.every(Boolean);
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function lowest(points: readonly Point[]): Point[] {
  const spans = Map.groupBy(points, ({ x }) => Math.floor(x / LOWEST_SECONDS));
  return [...spans.values()].map((span) => span.reduce((least, point) => (point.y < least.y ? point : least)));
}

function judgeSlope(what: string, points: readonly Point[], leastGrowth = 0): boolean {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || first === last) {
    say(`not told  ${what}`);
    return true;
  }
  const growth = slope(points) * (last.x - first.x);
  const isFlat = growth <= Math.max(leastGrowth, first.y * FLAT_SHARE);
  say(
    `${isFlat ? 'kept    ' : 'EXCEEDED'}  ${what}: ${growth.toFixed(1)} MiB more over ${(last.x - first.x).toFixed(0)} s, from ${first.y.toFixed(1)} MiB`,
  );
  return isFlat;
}
