// The command `serve`, and the composition root: every part in the order in which it starts, stopped in reverse.
// No other file knows all of them; nothing is decided here that a part could decide.
import { randomBytes } from 'node:crypto';
import { createAdminServer } from '../admin/admin-server.ts';
import { createMetrics } from '../admin/metrics.ts';
import { noticesFor } from '../api/in-force.ts';
import { ReportFeeds } from '../control/heartbeat/report-feeds.ts';
import { JoinError } from '../control/heartbeat/udp-listener.ts';
import { LaneSupervisor, ListenError } from '../control/lane-supervisor.ts';
import { startLaneInMainThread, startLaneThread } from '../control/lane-thread-handle.ts';
import { checkPort } from '../control/port-check.ts';
import { Publisher } from '../control/publisher.ts';
import { ReadinessGate } from '../control/readiness.ts';
import { Reconciler } from '../control/reconcile.ts';
import { systemClock } from '../lib/clock.ts';
import { systemTimers } from '../lib/hold-off.ts';
import { systemRandom } from '../lib/random.ts';
import type { Options } from '../options.ts';
import { createFileProvider } from '../provider/file/file-provider.ts';
import { ControlScoreboard } from '../scoreboard/control-side.ts';
import { allocateScoreboard } from '../scoreboard/layout.ts';
import { checkSnapshot } from '../snapshot/check.ts';
import type { LaneSettings } from '../snapshot/lane-protocol.ts';
import { createTranslator } from '../translate/translate.ts';
import { readMachine } from './machine.ts';
import { createLogger } from './pino-logger.ts';
import { logFatalFaults, onShutdownSignal, testHooks } from './process-events.ts';
import { translateOptions } from './translate-options.ts';
import { describeListenFault, UserError } from './user-error.ts';
import { readVersion } from './version.ts';

/** Resolves once everything is up. Ends the process itself when it is told to. Rejects with UserError or the system's error. */
export async function serve(options: Options): Promise<void> {
  const version = readVersion();

  // 1. The log, first, since everything else writes to it.
  const log = await createLogger({ level: options.logLevel, format: options.logFormat });
  logFatalFaults(log);

  // 2. The traffic port is ours alone, and its number is known.
  const httpPort = await takePort(options);

  // 3. The shared memory; row 0 of each table is not for members or balancers.
  const columns = Math.max(1, options.lanes);
  const buffers = allocateScoreboard(options.maxMembers + 1, options.maxBalancers + 1, columns);
  const scoreboard = new ControlScoreboard(buffers);

  // 4. Lanes and what they are fed with; none runs yet.
  const viaName = `evenkeel-${randomBytes(6).toString('hex')}`;
  const settings = Array.from(
    { length: columns },
    (_, lane): LaneSettings => ({
      lane,
      scoreboard: buffers,
      bind: options.bind,
      httpPort,
      // Also for a single lane: only who shares can later be taken over from without a gap.
      reusePort: readMachine().canSharePort,
      maxConnections: options.maxConnections,
      viaName,
      trustedProxies: options.trustedProxies,
      crashOnRequest: testHooks.areOn,
    }),
  );
  const startLane = options.lanes === 0 ? startLaneInMainThread : startLaneThread;
  const machine = { clock: systemClock, timers: systemTimers, random: systemRandom, log };
  const supervisor = new LaneSupervisor({ ...machine, settings, startLane, scoreboard });
  const publisher = new Publisher(scoreboard, supervisor);

  // 5. The control loop over what users wrote.
  const provider = createFileProvider({ paths: options.configPaths });
  const translator = createTranslator(translateOptions(options));
  const reconciler = new Reconciler({ ...machine, provider, translator, checkSnapshot, noticesFor, publisher });

  // 6. The ways by which members report their load; none listens yet.
  const { heartbeatUdp: udp, heartbeatHttp: http } = options;
  const feeds = new ReportFeeds({ ...machine, udp, http, publisher, shared: scoreboard.shared });

  // 7. The admin port: it answers from here on, though not yet "ready".
  const lanes = {
    lanes: supervisor.count,
    isListening: (lane: number) => supervisor.isListening(lane),
    isServing: (lane: number) => publisher.isServing(lane),
  };
  const readiness = new ReadinessGate(lanes);
  const metrics = createMetrics({
    ...lanes,
    version,
    scoreboard,
    placed: () => publisher.placed(),
    generation: () => publisher.generation,
    acknowledged: () => publisher.acknowledged,
    laneRestarts: () => supervisor.restarts,
    loadReports: () => feeds.counts(),
    problems: (severity) => reconciler.problems.filter(({ problem }) => problem.severity === severity).length,
  });
  const admin = createAdminServer({
    bind: options.adminBind,
    port: options.adminPort,
    hosts: options.adminHosts,
    metrics,
    readiness: () => readiness.read(),
    version,
    log,
  });
  const adminPort = await admin.listen();

  // The other way round. Set up before anything runs that would have to be stopped.
  onShutdownSignal(log, async (signal) => {
    const { shutdownDelayMs, shutdownTimeoutMs } = options;
    log.info({ signal, delayMs: shutdownDelayMs, timeoutMs: shutdownTimeoutMs }, 'shutting down');
    readiness.shutDown();
    supervisor.retire();
    await new Promise<void>((resolve) => systemTimers.set(resolve, shutdownDelayMs));
    await supervisor.stop(shutdownTimeoutMs);
    await feeds.close();
    reconciler.stop();
    await provider.stop();
    await admin.close();
    log.info({}, 'stopped');
  });
  testHooks.onCrashSignal(() => supervisor.send(0, { type: 'crash' }));

  // 8. The first generation, so that no lane starts with nothing to serve.
  await startReconciler(reconciler);

  // 9. Load reports: their senders are known now.
  await startFeeds(feeds);

  // 10. The lanes: from here on clients are answered.
  await startLanes(supervisor, publisher, options.bind, httpPort);
  const { bind, adminBind } = options;
  log.info(
    { version, bind, httpPort, adminBind, adminPort, lanes: options.lanes, generation: publisher.generation },
    'ready',
  );
}

async function takePort({ bind, httpPort, isTakingOver }: Options): Promise<number> {
  return isTakingOver && httpPort !== 0 ? httpPort : checkPort(bind, httpPort);
}

/** What a provider rejects with is meant for people. */
async function startReconciler(reconciler: Reconciler): Promise<void> {
  try {
    await reconciler.start();
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error));
  }
}

async function startFeeds(feeds: ReportFeeds): Promise<void> {
  try {
    await feeds.listen();
  } catch (error) {
    if (error instanceof JoinError) throw new UserError(error.message);
    throw error;
  }
}

async function startLanes(supervisor: LaneSupervisor, feed: Publisher, bind: string, port: number): Promise<void> {
  try {
    await supervisor.start(feed);
  } catch (error) {
    if (error instanceof ListenError) throw new UserError(describeListenFault(error.code, bind, port));
    throw error;
  }
}
