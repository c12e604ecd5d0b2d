// Runs one case: all proxies are started, then measured in turn, round after round, so that whatever else the machine
// does meets them all alike. A proxy that fails is left out, loudly.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from './cases.ts';
import { driveLoop, type Metrics, measureIdle, measureLoop, measureSteady } from './measure.ts';
import type { Peer, PeerName } from './peers/peer.ts';
import { RunningPeer } from './running-peer.ts';

export interface PeerRuns {
  readonly peer: PeerName;
  readonly title: string;
  /** One per round. */
  readonly runs: readonly Metrics[];
}

export interface CaseResult {
  readonly case: BenchCase;
  /** What the title does not say, such as the rate; '' for nothing. */
  readonly note: string;
  readonly peers: readonly PeerRuns[];
}

export interface Plan {
  readonly peers: readonly Peer[];
  readonly rounds: number;
  /** Of one run. */
  readonly seconds: number;
  /** Folder for what proxies need. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** Runtimes that compile while they run need this long to get up to speed. */
const WARMUP_SECONDS = 3;
/** Memory hardly differs from run to run, and what grows does so for longer. */
const MOST_IDLE_ROUNDS = 5;
const IDLE_SECONDS = 3;
/** So that there are connections to all members. */
const WARMUP_REQUESTS_PER_MEMBER = 3;
const MOST_WARMUPS = 10;
/** Of the requests per second that the slower one of these two can serve. */
const STEADY_SHARE = 0.7;
const STEADY_MEASURES: readonly PeerName[] = ['evenkeel', 'haproxy'];

type Measure = (running: RunningPeer) => Promise<Metrics>;

export async function runCase(benchCase: BenchCase, plan: Plan): Promise<CaseResult> {
  const folder = join(plan.folder, benchCase.name);
  mkdirSync(folder, { recursive: true });
  const peers = plan.peers.filter(({ name }) => benchCase.peers === null || benchCase.peers.includes(name));
  if (benchCase.kind === 'idle') return runIdle(benchCase, peers, folder, plan);
  const field = new Field(plan);
  try {
    for (const peer of peers) await field.add(peer, () => RunningPeer.start(peer, benchCase.members, folder));
    await field.each((running) => warmUp(running, benchCase, WARMUP_SECONDS));
    const { note, measure } = await howToMeasure(benchCase, field, plan);
    for (let round = 0; round < plan.rounds; round += 1) await field.runRound(round, measure);
    return { case: benchCase, note, peers: field.results() };
  } finally {
    await field.stop();
  }
}

async function warmUp(running: RunningPeer, benchCase: BenchCase, seconds: number): Promise<void> {
  let requests = 0;
  for (let turn = 0; turn < MOST_WARMUPS; turn += 1) {
    requests += (await driveLoop(running, benchCase, seconds)).requests;
    if (requests >= benchCase.members * WARMUP_REQUESTS_PER_MEMBER) return;
  }
}

async function howToMeasure(
  benchCase: BenchCase,
  field: Field,
  plan: Plan,
): Promise<{ readonly note: string; readonly measure: Measure }> {
  if (benchCase.kind !== 'steady') {
    return { note: '', measure: (running) => measureLoop(running, benchCase, plan.seconds) };
  }
  const rates: number[] = [];
  await field.each(async (running) => {
    if (!STEADY_MEASURES.includes(running.peer.name)) return;
    rates.push((await measureLoop(running, benchCase, plan.seconds)).requestsPerSecond ?? 0);
  });
  if (rates.length === 0) throw new Error(`the case ${benchCase.name} needs one of ${STEADY_MEASURES.join(', ')}`);
  const rate = Math.round((Math.min(...rates) * STEADY_SHARE) / 100) * 100;
  return {
    note: `${rate} requests/s over ${benchCase.connections} connections`,
    measure: (running) => measureSteady(running, benchCase, plan.seconds, rate),
  };
}

/** Memory is measured in fresh processes, one after the other. */
async function runIdle(benchCase: BenchCase, peers: readonly Peer[], folder: string, plan: Plan): Promise<CaseResult> {
  const field = new Field(plan);
  for (let round = 0; round < Math.min(plan.rounds, MOST_IDLE_ROUNDS); round += 1) {
    for (const peer of peers) {
      try {
        await field.add(peer, () => RunningPeer.start(peer, benchCase.members, join(folder, String(round))));
        await field.runRound(round, (running) => measureIdle(running, benchCase, IDLE_SECONDS));
      } finally {
        await field.stop();
      }
    }
  }
  return { case: benchCase, note: '', peers: field.results() };
}

/** The proxies that take part. */
class Field {
  readonly #plan: Plan;
  readonly #runs = new Map<PeerName, { readonly title: string; readonly runs: Metrics[] }>();
  readonly #failed = new Set<PeerName>();
  #running: RunningPeer[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  async add(peer: Peer, start: () => Promise<RunningPeer>): Promise<void> {
    if (this.#failed.has(peer.name)) return;
    try {
      this.#running.push(await start());
    } catch (error) {
      this.#giveUp(peer, error);
    }
  }

  /** One after the other; those that fail are out. */
  async each(work: (running: RunningPeer) => Promise<unknown>): Promise<void> {
    for (const running of this.#running) {
      if (this.#failed.has(running.peer.name)) continue;
      try {
        await work(running);
      } catch (error) {
        this.#giveUp(running.peer, error);
      }
    }
  }

  /** Measures each once; another one begins in each round. */
  async runRound(round: number, measure: Measure): Promise<void> {
    const shift = this.#running.length === 0 ? 0 : round % this.#running.length;
    this.#running = [...this.#running.slice(shift), ...this.#running.slice(0, shift)];
    await this.each(async (running) => {
      const { name, title } = running.peer;
      const metrics = await measure(running);
      const entry = this.#runs.get(name) ?? { title, runs: [] };
      entry.runs.push(metrics);
      this.#runs.set(name, entry);
    });
  }

  /** In the order of the tables. */
  results(): readonly PeerRuns[] {
    return this.#plan.peers
      .filter(({ name }) => !this.#failed.has(name) && this.#runs.has(name))
      .map(({ name }) => ({ peer: name, ...this.#runs.get(name)! }));
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await Promise.all(running.map((one) => one.stop()));
  }

  #giveUp(peer: Peer, error: unknown): void {
    this.#failed.add(peer.name);
    this.#plan.say(`LEFT OUT: ${peer.title}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
