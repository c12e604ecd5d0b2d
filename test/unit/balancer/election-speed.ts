// How long an election takes, and whether it allocates: a script, run by hand.
//   node --expose-gc test/unit/balancer/election-speed.ts
import { compile } from '../../../src/balancer/compile.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { hash32 } from '../../../src/balancer/hash32.ts';
import { stick } from '../../../src/balancer/session.ts';
import type { LbMethodName } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, laneOn, memberUnit, placed, scoreboardFor } from './fixtures.ts';

const METHODS: readonly LbMethodName[] = ['byrequests', 'bybusyness', 'bytraffic', 'leasttime', 'heartbeat', 'hash'];

function measure(lbMethod: LbMethodName, size: number, variant: string): void {
  const members = Array.from({ length: size }, (_, index) =>
    memberUnit(`m${index}`, { factor: 100 + (index % 7) * 100, lbSet: variant === 'sets' ? index % 2 : 0 }),
  );
  const board = scoreboardFor(size + 8);
  const lane = laneOn(board, 0);
  // Rows in no order, as they become over time.
  const rows = members.map((_, index) => ((index * 7919) % size) + 1);
  const unit = balancerUnit(members, {
    lbMethod,
    limits: { maxBodyBytes: 0, maxConnectionsPerMember: variant === 'capped' ? 1_000_000 : 0, maxWaiting: 0 },
  });
  const balancer = compile({ ...placed(unit), memberRows: rows }, null, lane);
  for (const row of rows) {
    lane.standings.sentTotal.whole[row] = BigInt(Math.floor(Math.random() * 1e12));
    lane.standings.receivedTotal.whole[row] = BigInt(Math.floor(Math.random() * 1e12));
    lane.standings.reportedReady[row] = 5;
    lane.standings.reportedBusy[row] = 1;
    lane.standings.reportedAtS[row] = Math.floor(lane.clock.nowMs() / 1000) + 1;
    lane.standings.firstByteUs[row] = 1000 + (row % 50);
    lane.standings.busyTotal[row] = variant === 'busy' ? 1 + (row % 5) : 0;
  }
  const once =
    variant === 'walking'
      ? (): number => {
          balancer.offered.isKept = false;
          return elect(balancer);
        }
      : variant === 'sticky'
        ? (round: number): number => stick(balancer, `m${round % size}`)
        : (round: number): number => elect(balancer, Math.imul(round, 0x9e3779b1));
  const warmFrom = performance.now();
  let rounds = 0;
  while (performance.now() - warmFrom < 150) once(rounds++);
  rounds = Math.max(1000, Math.ceil(rounds / 2));
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  let bestNs = Infinity;
  for (let repeat = 0; repeat < 5; repeat++) {
    const from = performance.now();
    for (let round = 0; round < rounds; round++) {
      const index = once(round);
      if (lbMethod === 'bytraffic') lane.standings.sentTotal.words[2 * rows[index]!]! += 5000;
    }
    bestNs = Math.min(bestNs, ((performance.now() - from) * 1e6) / rounds);
  }
  const bytes = (process.memoryUsage().heapUsed - heapBefore) / (5 * rounds);
  console.log(
    `${lbMethod.padEnd(11)} ${String(size).padStart(6)} ${variant.padEnd(7)} ${bestNs.toFixed(0).padStart(7)} ns` +
      `  ${bytes.toFixed(2)} bytes`,
  );
}

function measureCompile(lbMethod: LbMethodName, size: number): void {
  const unit = balancerUnit(
    Array.from({ length: size }, (_, index) => memberUnit(`m${index}`)),
    { lbMethod },
  );
  const lane = laneOn(scoreboardFor(size), 0);
  let balancer = compile(placed(unit), null, lane);
  const where = placed(unit);
  let bestMs = Infinity;
  for (let repeat = 0; repeat < 10; repeat++) {
    const changed = {
      ...where,
      unit: { ...unit, members: unit.members.map((member) => ({ ...member, factor: 100 + repeat })) },
    };
    const from = performance.now();
    balancer = compile(changed, balancer, lane);
    bestMs = Math.min(bestMs, performance.now() - from);
  }
  console.log(`compile ${lbMethod} ${size}: ${bestMs.toFixed(2)} ms`);
}

console.log(`node ${process.version}, key ${hash32('x')}`);
for (const size of [10, 100, 1000, 10_000]) for (const method of METHODS) measure(method, size, 'plain');
for (const size of [10, 1000, 10_000]) for (const method of METHODS) measure(method, size, 'busy');
for (const variant of ['sets', 'capped', 'sticky', 'walking']) {
  for (const size of [10, 1000, 10_000]) measure('byrequests', size, variant);
}
for (const method of ['byrequests', 'bytraffic', 'hash'] as const) measureCompile(method, 10_000);
