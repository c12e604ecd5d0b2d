// Two lanes beside one: processor time per request, how evenly the lanes share the work, and what follows for the
// requests that they can serve. With four cores or more they have cores of their own and requests per second are compared;
// with fewer, load and lanes share cores, and the speed-up is worked out: twice the work per processor second.
// node test/bench/lanes.ts [--rounds N] [--seconds N] [--root FOLDER]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { driveLoop } from './measure.ts';
import { readCount, ROOT } from './options.ts';
import { createEvenkeel } from './peers/evenkeel.ts';
import { hasCoresForLanes } from './processes.ts';
import { RunningPeer } from './running-peer.ts';
import { summarise } from './statistics.ts';

/** Enough for the kernel to spread connections over lanes nearly evenly. */
const CONNECTIONS = 256;
const WARMUP_SECONDS = 3;
const LEAST_SPEED_UP = 1.8;

interface LaneRun {
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  /** Processor time of the least busy lane over that of the busiest. */
  readonly evenness: number;
}

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seconds: { type: 'string' }, root: { type: 'string', default: ROOT } },
});
const rounds = readCount(values.rounds, 5, '--rounds');
const seconds = readCount(values.seconds, 4, '--seconds');
const small = { ...CASES.find(({ name }) => name === 'small')!, connections: CONNECTIONS };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function measure(running: RunningPeer, lanes: number): Promise<LaneRun> {
  const cpuBefore = running.tree.cpuSeconds();
  const before = new Map(running.tree.threadSeconds().map(({ id, seconds: used }) => [id, used]));
  const { requests, requestsPerSecond } = await driveLoop(running, small, seconds);
  const cpuUs = ((running.tree.cpuSeconds() - cpuBefore) * 1e6) / requests;
  const used = running.tree.threadSeconds().map(({ id, seconds: after }) => after - (before.get(id) ?? 0));
  const busiest = used.sort((a, b) => b - a).slice(0, lanes);
  return { cpuUs, requestsPerSecond, evenness: busiest.at(-1)! / busiest[0]! };
}

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-lanes-'));
const evenkeel = createEvenkeel({ root: values.root, profileFolder: null });
const one: LaneRun[] = [];
const two: LaneRun[] = [];
const started: RunningPeer[] = [];
try {
  for (const lanes of [1, 2]) {
    started.push(await RunningPeer.start(evenkeel, small.members, join(folder, String(lanes)), lanes, 'lanes'));
  }
  for (const running of started) await driveLoop(running, small, WARMUP_SECONDS);
  for (let round = 0; round < rounds; round += 1) {
    one.push(await measure(started[0]!, 1));
    two.push(await measure(started[1]!, 2));
  }
} finally {
  await Promise.all(started.map((running) => running.stop()));
  rmSync(folder, { recursive: true, force: true });
}

const line = (title: string, runs: readonly LaneRun[]): void => {
  const cpu = summarise(runs.map(({ cpuUs }) => cpuUs));
  const rate = summarise(runs.map(({ requestsPerSecond }) => requestsPerSecond));
  const evenness = summarise(runs.map((run) => run.evenness));
  const range = `(${cpu.least.toFixed(1)}–${cpu.most.toFixed(1)})`;
  say(
    `${title}: ${cpu.median.toFixed(1)} ${range} µs/request, ${rate.median.toFixed(0)} requests/s, evenness ${evenness.median.toFixed(2)}`,
  );
};
line('one lane ', one);
line('two lanes', two);
const speedUps = two.map((run, round) => {
  const alone = one[round]!;
  if (hasCoresForLanes) return run.requestsPerSecond / alone.requestsPerSecond;
  return (2 * alone.cpuUs) / run.cpuUs;
});
const speedUp = summarise(speedUps);
const how = hasCoresForLanes
  ? 'measured as requests/s'
  : 'worked out from processor time: load and lanes share the cores';
const isKept = speedUp.median >= LEAST_SPEED_UP;
say(
  `${isKept ? 'kept    ' : 'EXCEEDED'}  two lanes serve ${speedUp.median.toFixed(2)} (${speedUp.least.toFixed(2)} to ${speedUp.most.toFixed(2)}) times what one serves, at least ${LEAST_SPEED_UP} (${how})`,
);
process.exitCode = isKept ? 0 : 1;
