// One run of one proxy: drives it and says what it took. Each kind of case has its own way.
import type { BenchCase, Metric } from './cases.ts';
import { IdleClients } from './load/idle-clients.ts';
import { driveClosedLoop, type LoopReport } from './load/wrk.ts';
import { settledMemoryBytes } from './memory.ts';
import type { RunningPeer } from './running-peer.ts';

export type Metrics = Partial<Record<Metric, number>>;

const MIB = 1024 * 1024;

/** Closed loop: processor time per request, requests per second, memory. */
export async function measureLoop(running: RunningPeer, benchCase: BenchCase, seconds: number): Promise<Metrics> {
  const before = running.tree.cpuSeconds();
  const { requests, requestsPerSecond } = await driveLoop(running, benchCase, seconds);
  const usedSeconds = running.tree.cpuSeconds() - before;
  return {
    cpuUs: (usedSeconds * 1e6) / requests,
    requestsPerSecond,
    memoryMiB: running.tree.memoryBytes() / MIB,
  };
}

/** Fixed rate: latencies; infinite ones when the proxy does not keep up. */
export async function measureSteady(
  running: RunningPeer,
  benchCase: BenchCase,
  seconds: number,
  requestsPerSecond: number,
): Promise<Metrics> {
  const { path, connections, headers } = benchCase;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const report = await running.members.drive({
    port: running.port,
    path,
    headers: lines.join(''),
    connections,
    requestsPerSecond,
    warmupSeconds: 1,
    seconds,
  });
  if (!report.keptUp) return { p50Us: Infinity, p99Us: Infinity, p999Us: Infinity };
  return { p50Us: report.p50Us, p99Us: report.p99Us, p999Us: report.p999Us };
}

/** Memory that idle connections take, and memory in all when there is traffic beside them. */
export async function measureIdle(running: RunningPeer, benchCase: BenchCase, seconds: number): Promise<Metrics> {
  const traffic = { ...benchCase, connections: 64 };
  await driveLoop(running, traffic, seconds);
  const before = await settledMemoryBytes(running.tree);
  const clients = await IdleClients.open(running.port, benchCase.connections);
  try {
    const after = await settledMemoryBytes(running.tree);
    await driveLoop(running, traffic, seconds);
    const withTraffic = running.tree.memoryBytes();
    return { idleKiB: (after - before) / benchCase.connections / 1024, memoryMiB: withTraffic / MIB };
  } finally {
    await clients.close();
  }
}

export function driveLoop(running: RunningPeer, benchCase: BenchCase, seconds: number): Promise<LoopReport> {
  const { path, connections, headers, postBytes } = benchCase;
  return driveClosedLoop({
    port: running.port,
    path,
    connections,
    headers,
    postBytes,
    seconds,
    folder: running.folder,
  });
}
