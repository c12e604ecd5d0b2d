// Only the idle connections: memory per connection and in all, of the product or of any peer.
// node test/bench/idle.ts [--connections N] [--peer NAME] [--rounds N]; the exit code is 1 when a bound is exceeded.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BOUNDS, CASES } from './cases.ts';
import { readBenchOptions, readCount } from './options.ts';
import { findPeers } from './peers/all.ts';
import { tableOf, toText } from './report/tables.ts';
import { runCase } from './run-case.ts';
import { judge } from './verdicts.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    peer: { type: 'string', multiple: true, default: ['evenkeel'] },
    rounds: { type: 'string', default: '1' },
    root: { type: 'string' },
  },
});
const peerFlags = values.peer.flatMap((name) => ['--peer', name]);
const rootFlags = values.root === undefined ? [] : ['--root', values.root];
const options = readBenchOptions(['--rounds', values.rounds, ...peerFlags, ...rootFlags])!;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const idleCase = {
  ...CASES.find(({ kind }) => kind === 'idle')!,
  connections: readCount(values.connections, 0, '--connections'),
};
const found = await findPeers({ ...options, names: options.peers, say });
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-idle-'));
try {
  const plan = { peers: found.map(({ peer }) => peer), rounds: options.rounds, seconds: options.seconds, folder, say };
  const result = await runCase(idleCase, plan);
  const title = `${idleCase.connections} idle connections; memory is in all, with traffic beside them`;
  say(toText({ ...tableOf(result), title }));
  const verdicts = judge([result], BOUNDS, 1);
  for (const { text } of verdicts) say(text);
  process.exitCode = verdicts.every(({ isKept }) => isKept) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
