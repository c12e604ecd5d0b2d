// The command `serve`, and the composition root: every part in the order in which it starts, stopped in reverse.
// No other file knows all of them; nothing is decided here that a part could decide.
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { hostname } from 'node:os';
import { createAdminServer } from '../admin/admin-server.ts';
import { createMetrics } from '../admin/metrics.ts';
import { noticesFor } from '../api/in-force.ts';
import type { HostRecord } from '../api/resource-set.ts';
import { ExplainSecret, ExplainSecretError } from '../control/explain-secret.ts';
import { ReportFeeds } from '../control/heartbeat/report-feeds.ts';
import { JoinError } from '../control/heartbeat/udp-listener.ts';
import { type HeldPort, holdPort } from '../control/held-port.ts';
import { LaneSupervisor, ListenError } from '../control/lane-supervisor.ts';
import { startLaneInMainThread, startLaneThread } from '../control/lane-thread-handle.ts';
import { LiveSessions, type PodSessions } from '../control/live-sessions.ts';
import { createLiveSessionsServer, type LiveSessionsServer } from '../control/live-sessions-server.ts';
import { Publisher } from '../control/publisher.ts';
import { ReadinessGate } from '../control/readiness.ts';
import { Reconciler } from '../control/reconcile.ts';
import { ClusterReporting, type ClusterReportingOptions } from '../control/status/cluster-reporting.ts';
import { toAddress } from '../control/status/published-addresses.ts';
import { openLog } from '../dataplane/access-log-sink.ts';
import { systemClock } from '../lib/clock.ts';
import { systemTimers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';
import { systemRandom } from '../lib/random.ts';
import type { Options } from '../options.ts';
import { ControlScoreboard } from '../scoreboard/control-side.ts';
import { allocateScoreboard } from '../scoreboard/layout.ts';
import { checkBalancer, checkSnapshot } from '../snapshot/check.ts';
import type { LaneSettings } from '../snapshot/lane-protocol.ts';
import { isServed } from '../translate/balancer-entry.ts';
import { createTranslator } from '../translate/translate.ts';
import { readMachine } from './machine.ts';
import { createLogger } from './pino-logger.ts';
import { logFatalFaults, onShutdownSignal, testHooks } from './process-events.ts';
import { type Cluster, openResourceSource } from './resource-source.ts';
import { translateOptions } from './translate-options.ts';
import { describeListenFault, describeSystemFault, UserError } from './user-error.ts';
import { readVersion } from './version.ts';

/** Resolves once everything is up. Ends the process itself when it is told to. Rejects with UserError or the system's error. */
export async function serve(options: Options): Promise<void> {
  const version = readVersion();

  // 1. The log, first, since everything else writes to it.
  const log = await createLogger({ level: options.logLevel, format: options.logFormat });
  logFatalFaults(log);

  checkLogFile(options);

  // 2. The traffic port is ours alone, and its number is known.
  const { canSharePort } = readMachine();
  const held = await takePort(options, canSharePort);
  const httpPort = held.port;

  // 3. The shared memory; row 0 of each table is not for members or balancers.
  const columns = Math.max(1, options.lanes);
  const buffers = allocateScoreboard(options.maxMembers + 1, options.maxBalancers + 1, columns);
  const scoreboard = new ControlScoreboard(buffers);

  // 4. Lanes and what they are fed with; none runs yet.
  const explain = await startExplainSecret(options, log, (digest) => supervisor.broadcast({ type: 'explain', digest }));
  const viaName = `evenkeel-${randomBytes(6).toString('hex')}`;
  const settings = Array.from(
    { length: columns },
    (_, lane): LaneSettings => ({
      lane,
      scoreboard: buffers,
      bind: options.bind,
      httpPort,
      // Also for a single lane: only who shares can later be taken over from without a gap.
      reusePort: canSharePort,
      maxConnections: options.maxConnections,
      viaName,
      trustedProxies: options.trustedProxies,
      forwarding: {
        sendsForwarded: options.sendsForwarded,
        sendsVia: options.sendsVia,
        requestId: options.requestId,
      },
      // Whoever writes files has the machine already; whoever may write a Balancer in a cluster has not.
      memberGuard: options.configPaths.length > 0 ? null : { allowed: options.allowedMemberNetworks },
      accessLog: options.accessLog === 'off' ? null : { path: options.accessLogFile },
      // Looked up anew for each lane that is started.
      get explainDigest() {
        return explain?.digest ?? null;
      },
      crashOnRequest: testHooks.areOn,
    }),
  );
  const startLane = options.lanes === 0 ? startLaneInMainThread : startLaneThread;
  const machine = { clock: systemClock, timers: systemTimers, random: systemRandom, log };
  const supervisor = new LaneSupervisor({ ...machine, settings, startLane, scoreboard });
  const publisher = new Publisher(scoreboard, supervisor);

  // 5. The control loop over what users wrote.
  const hostRecordOf = (key: string): HostRecord | null | undefined => reconciler.factsOf(key)?.hostRecord;
  const { provider, cluster } = await openResourceSource(options, machine, hostRecordOf);
  const translator = createTranslator(translateOptions(options, cluster));
  const reconciler = new Reconciler({
    ...machine,
    provider,
    translator,
    checkSnapshot,
    checkBalancer,
    noticesFor,
    publisher,
  });

  // 6. The ways by which members report their load; none listens yet.
  const { heartbeatUdp: udp, heartbeatHttp: http } = options;
  const feeds = new ReportFeeds({ ...machine, udp, http, publisher, shared: scoreboard.shared });

  // What only the leader among replicas of a cluster does; nobody is asked to lead yet.
  const reporting = cluster && openReporting(options, cluster, { ...machine, reconciler, publisher, scoreboard });

  // Sessions that live on members; lanes note them once the clock is wound.
  const liveSessions = new LiveSessions({
    ...machine,
    memory: { cells: scoreboard.sessionCells, tick: scoreboard.shared.sessionTick },
    busyTotal: scoreboard.shared.busyTotal,
    placed: () => publisher.placed(),
    generation: () => publisher.generation,
    windowMs: options.sessionWindowMs,
  });
  const sessionsServer = sessionsServerOf(options, (name) => liveSessions.ofPod(name));

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
    liveSessions: (row) => liveSessions.ofRow(row),
    loadReports: () => feeds.counts(),
    problems: (severity) => reconciler.problems.filter(({ problem }) => problem.severity === severity).length,
    reporting,
    watches: () => cluster?.provider.watches() ?? [],
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
    const handedOver = reporting?.stop();
    await new Promise<void>((resolve) => systemTimers.set(resolve, shutdownDelayMs));
    explain?.stop();
    await supervisor.stop(shutdownTimeoutMs);
    await feeds.close();
    reconciler.stop();
    await provider.stop();
    await handedOver;
    cluster?.client.close();
    liveSessions.stop();
    await sessionsServer?.close();
    await admin.close();
    log.info({}, 'stopped');
  });
  testHooks.onCrashSignal(() => supervisor.send(0, { type: 'crash' }));

  // 8. The first generation, so that no lane starts with nothing to serve.
  await startReconciler(reconciler);

  // 9. Load reports: their senders are known now.
  await startFeeds(feeds);

  liveSessions.start();
  const sessionsPort = sessionsServer === null ? null : await sessionsServer.listen();

  // 10. The lanes: from here on clients are answered.
  await startLanes(supervisor, publisher, options.bind, httpPort);
  held.release();

  // 11. Reports to the cluster: only a replica that serves may lead.
  reporting?.start();
  const { bind, adminBind } = options;
  log.info(
    {
      version,
      bind,
      httpPort,
      adminBind,
      adminPort,
      sessionsPort,
      lanes: options.lanes,
      generation: publisher.generation,
    },
    'ready',
  );
}

function openReporting(
  options: Options,
  { client, provider, namespace }: Cluster,
  {
    scoreboard,
    ...parts
  }: Pick<ClusterReportingOptions, 'reconciler' | 'publisher' | 'clock' | 'timers' | 'random' | 'log'> & {
    readonly scoreboard: ControlScoreboard;
  },
): ClusterReporting {
  const { className, publishService, publishAddresses } = options;
  const { POD_NAME, POD_NAMESPACE } = process.env;
  return new ClusterReporting({
    ...parts,
    api: client,
    newest: provider.newestBalancers,
    refused: provider.refusedBalancers,
    newestChanges: provider.newestChanges,
    isOurs: (balancer) => isServed(balancer, options),
    className,
    instance: POD_NAME || hostname(),
    lease: {
      namespace: options.leaderElectionNamespace ?? (POD_NAMESPACE || namespace || 'default'),
      name: options.leaderElectionName ?? `evenkeel-${className}`,
    },
    addressOrigin:
      publishService === null ? { addresses: publishAddresses.map(toAddress) } : { service: publishService },
    shared: scoreboard.shared,
  });
}

/** Lanes open it for themselves, and go on without it if they cannot: who starts them hears of it here. */
function checkLogFile({ accessLogFile }: Options): void {
  if (accessLogFile === null) return;
  try {
    const fd = openLog(accessLogFile);
    // A pipe stays open: its reader must not see an end while no lane has it.
    if (!fstatSync(fd).isFIFO()) closeSync(fd);
  } catch (error) {
    // A named pipe that nobody reads yet.
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return;
    throw new UserError(`--access-log-file: ${describeSystemFault(error) ?? String(error)}`);
  }
}

/** Null: nothing explains itself. */
async function startExplainSecret(
  { explainSecretFile }: Options,
  log: Logger,
  onChange: (digest: string) => void,
): Promise<ExplainSecret | null> {
  if (explainSecretFile === null) return null;
  const secret = new ExplainSecret({ path: explainSecretFile, timers: systemTimers, log, onChange });
  try {
    await secret.start();
  } catch (error) {
    if (error instanceof ExplainSecretError) throw new UserError(`--explain-secret-file: ${error.message}`);
    throw error;
  }
  return secret;
}

/** Null: nobody is told how many sessions are left. */
function sessionsServerOf(
  { sessionsPort: port, sessionsBind: bind }: Options,
  find: (name: string) => PodSessions | null,
): LiveSessionsServer | null {
  return port === null ? null : createLiveSessionsServer({ bind, port, find });
}

async function takePort({ bind, httpPort, isTakingOver }: Options, canShare: boolean): Promise<HeldPort> {
  return isTakingOver && httpPort !== 0 ? { port: httpPort, release: () => {} } : holdPort(bind, httpPort, canShare);
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
