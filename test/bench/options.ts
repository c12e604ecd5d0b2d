// The command line of the benchmark.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES, QUICK } from './cases.ts';
import { PEER_NAMES, type PeerName } from './peers/peer.ts';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const HELP = `node test/bench/main.ts [flags]: compares Evenkeel with other proxies on this machine.

  --case NAME      only this case (may be repeated): ${CASES.map(({ name }) => name).join(', ')}
  --peer NAME      only this peer (may be repeated): ${PEER_NAMES.join(', ')}
  --rounds N       rounds, in each of which every peer runs once (default 15)
  --seconds N      of one run (default 1)
  --quick          few short cases, fewer peers, bounds twice as wide
  --json FILE      write all runs to a file
  --write          put the figures into docs/benchmarks.md and docs/benchmarks.svg
  --root FOLDER    measure the checkout in this folder
  --cpu-prof DIR   profile Evenkeel with node --cpu-prof; the profiles are written when it stops
  --no-install     do not install what is missing

The exit code is 1 when a bound is exceeded or nothing could be measured.
`;

export interface BenchOptions {
  readonly cases: readonly string[];
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  readonly seconds: number;
  /** Bounds are so many times wider. */
  readonly slack: number;
  readonly jsonFile: string | null;
  readonly writesPage: boolean;
  readonly root: string;
  readonly profileFolder: string | null;
  readonly mayInstall: boolean;
}

/** Null: the help was asked for and printed. Throws a sentence for people. */
export function readBenchOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      case: { type: 'string', multiple: true },
      peer: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      root: { type: 'string', default: ROOT },
      'cpu-prof': { type: 'string' },
      'no-install': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  const names = CASES.map(({ name }) => name);
  const profile = values['cpu-prof'];
  return {
    cases: (values.case ?? (values.quick ? QUICK.cases : names)).map((name) => oneOf(name, names, '--case')),
    peers: (values.peer ?? (values.quick ? QUICK.peers : PEER_NAMES)).map((name) => oneOf(name, PEER_NAMES, '--peer')),
    rounds: readCount(values.rounds, values.quick ? QUICK.rounds : 15, '--rounds'),
    seconds: readCount(values.seconds, values.quick ? QUICK.seconds : 1, '--seconds'),
    slack: values.quick ? QUICK.slack : 1,
    jsonFile: values.json ?? null,
    writesPage: values.write,
    root: resolve(values.root),
    profileFolder: profile === undefined ? null : resolve(profile),
    mayInstall: !values['no-install'],
  };
}

/** A whole number from 1 on. */
export function readCount(text: string | undefined, initial: number, flag: string): number {
  if (text === undefined) return initial;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`${flag} takes a whole number from 1 on, not ${text}`);
  return Number(text);
}

function oneOf<T extends string>(name: string, allowed: readonly T[], flag: string): T {
  const found = allowed.find((one) => one === name);
  if (found === undefined) throw new Error(`${flag} ${name} is not known; there are ${allowed.join(', ')}`);
  return found;
}
