// Where to start reading. Compares the product with other proxies on one machine: proxies alone on one core, load and
// members on another, interleaved rounds, ratios of what was measured in the same round. cases.ts says what is
// measured, peers/ against whom, run-case.ts how. Linux only.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOUNDS, CASES } from './cases.ts';
import { describeMachine } from './machine.ts';
import { type BenchOptions, readBenchOptions } from './options.ts';
import { findPeers } from './peers/all.ts';
import { type Report, writePage } from './report/page.ts';
import { tableOf, toText } from './report/tables.ts';
import { type CaseResult, runCase } from './run-case.ts';
import { judge } from './verdicts.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function bench(options: BenchOptions): Promise<number> {
  const machine = describeMachine();
  say(`${machine.processor}, ${machine.cores} cores, ${machine.kernel}, ${machine.date}`);
  if (machine.cores < 2) say('WARNING: with one core, load and proxy take each other’s time: figures mean little');
  const { root, profileFolder, mayInstall, rounds, seconds } = options;
  const peers = await findPeers({ names: options.peers, root, profileFolder, mayInstall, say });
  say(peers.map(({ peer, version }) => `${peer.title} ${version}`).join(', '));
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  const results: CaseResult[] = [];
  try {
    const plan = { peers: peers.map(({ peer }) => peer), rounds, seconds, folder, say };
    for (const benchCase of CASES.filter(({ name }) => options.cases.includes(name))) {
      const result = await runCase(benchCase, plan);
      results.push(result);
      say(toText(tableOf(result)));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const verdicts = judge(results, BOUNDS, options.slack);
  for (const { text } of verdicts) say(text);
  const report: Report = { machine, peers, rounds, seconds, results, verdicts };
  if (options.jsonFile !== null) writeFileSync(options.jsonFile, `${JSON.stringify(toJson(report), null, 2)}\n`);
  if (options.writesPage) writePage(report);
  const isMeasured = results.some((result) => result.peers.some(({ peer }) => peer === 'evenkeel'));
  return isMeasured && verdicts.every(({ isKept }) => isKept) ? 0 : 1;
}

function toJson({ peers, ...rest }: Report): unknown {
  return { ...rest, peers: peers.map(({ peer, version }) => ({ name: peer.name, version })) };
}

try {
  const options = readBenchOptions(process.argv.slice(2));
  if (options !== null) process.exitCode = await bench(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
