// Every metric of ours: name, help, kind, labels and where its numbers come from. One table, from which the registry and
// docs/reference/metrics.md are made. Numbers are read from the scoreboard when somebody asks; nothing is counted here.
import type { ControlScoreboard } from '../scoreboard/control-side.ts';
import { CODE_CLASSES, DURATION_BUCKETS_S, MemberFlag, SESSION_VERDICTS } from '../scoreboard/layout.ts';
import type { PlacedBalancer } from '../snapshot/lane-protocol.ts';

/** What the metrics are about. */
export interface MetricsSource {
  readonly version: string;
  readonly scoreboard: ControlScoreboard;
  readonly lanes: number;
  /** What is published now. */
  placed(): Iterable<PlacedBalancer>;
  generation(): number;
  acknowledged(): number;
  isListening(lane: number): boolean;
  laneRestarts(): number;
  /** Sessions of the member in this row that were seen of late, about. */
  liveSessions(row: number): number;
  /** Load reports that came to the process itself, not to its lanes. */
  loadReports(): Iterable<{ readonly source: string; readonly result: string; readonly count: number }>;
  /** Problems of that severity that there are now. */
  problems(severity: 'error' | 'notice'): number;
  /** What replicas of a cluster do besides serving; null: no cluster is served from. */
  readonly reporting: ReportingSource | null;
  /** Kinds of objects of a cluster that are watched; none: no cluster is served from. */
  watches(): Iterable<WatchSource>;
}

export interface WatchSource {
  readonly kind: string;
  readonly isSynced: boolean;
  readonly silentMs: number | null;
  readonly relists: number;
  readonly faults: number;
  readonly objects: number;
}

export interface ReportingSource {
  isLeading(): boolean;
  /** By result. */
  readonly statusWrites: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
}

type Labels = Readonly<Record<string, string>>;

/** One line of the exposition. */
interface Sample {
  readonly value: number;
  readonly labels: Labels;
  /** Labels that many samples have in common: the same object each time, so that they are formatted once. */
  readonly sharedLabels?: Labels;
  /** The name with the ending of a histogram's part. */
  readonly metricName?: string;
}

export interface MetricDefinition {
  /** Without the prefix `evenkeel_`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly read: (source: MetricsSource) => Sample[];
}

const NO_LABELS: Labels = {};
const ofMember = ['namespace', 'balancer', 'member'] as const;

/** Counted whether or not they ever happen, so that a rate is there from the first scrape on. */
const ALWAYS_SHOWN = new Set(['2xx', '3xx', '4xx', '5xx']);
const codeClasses = CODE_CLASSES.map((name, index) => ({
  index,
  labels: { code_class: name },
  isAlways: ALWAYS_SHOWN.has(name),
}));
const bucketLabels = [...DURATION_BUCKETS_S.map(String), '+Inf'].map((le) => ({ le }));
/** Row 0 of the balancers: requests that no balancer took. */
const nobody: Labels = { namespace: '', balancer: '' };

export const metricTable: readonly MetricDefinition[] = [
  {
    name: 'requests_total',
    help: 'Requests that were answered, by who answered. An empty member: an answer of our own; an empty balancer: no balancer took the request; code class none: the client was gone first.',
    kind: 'counter',
    labels: [...ofMember, 'code_class'],
    read: readRequests,
  },
  {
    name: 'request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer.',
    kind: 'histogram',
    labels: ['namespace', 'balancer'],
    read: readDurations,
  },
  memberMetric('member_busy', 'gauge', 'Attempts under way at the member, of all lanes.', ({ shared }, row) =>
    // Between the two writes of a lane that is being ended the total can be off by one for a moment.
    Math.max(0, Atomics.load(shared.busyTotal, row)),
  ),
  memberMetric('member_elected_total', 'counter', 'Times the member was elected.', (board, row) =>
    board.memberSum('elected', row),
  ),
  memberMetric('member_failed_total', 'counter', "Attempts that failed through the member's fault.", (board, row) =>
    board.memberSum('failed', row),
  ),
  memberMetric('member_sent_bytes_total', 'counter', 'Bytes written to the member.', (board, row) =>
    board.memberSum('sent', row),
  ),
  memberMetric('member_received_bytes_total', 'counter', 'Bytes read from the member.', (board, row) =>
    board.memberSum('received', row),
  ),
  memberMetric('member_in_error', 'gauge', '1 while the member rests after a failure, else 0.', ({ shared }, row) =>
    (Atomics.load(shared.flags, row) & MemberFlag.Error) === 0 ? 0 : 1,
  ),
  {
    name: 'member_draining',
    help: '1 while the member drains or has drained: it takes requests of its sessions only, or not even these any more. Else 0.',
    kind: 'gauge',
    labels: ofMember,
    read: readDraining,
  },
  {
    name: 'member_sessions',
    help: 'Sessions that live on the member, about: distinct session values seen through this process within --session-window. 0 is exact. Of balancers with sessions; 0 once the drain of the member is over.',
    kind: 'gauge',
    labels: ofMember,
    read: readLiveSessions,
  },
  {
    name: 'sessions_total',
    help: 'Requests of balancers with sessions, by what they said of their session. valid and unsigned were taken, none said nothing, the others were taken for none.',
    kind: 'counter',
    labels: ['namespace', 'balancer', 'verdict'],
    read: readSessions,
  },
  {
    name: 'session_cookies_oversized_total',
    help: 'Session cookies of members that got no suffix, because they would have grown past 4,096 bytes.',
    kind: 'counter',
    labels: ['namespace', 'balancer'],
    read: readOversizedCookies,
  },
  {
    name: 'lane_connections',
    help: 'Client connections that the lane has open.',
    kind: 'gauge',
    labels: ['lane'],
    read: ({ scoreboard, lanes }) =>
      Array.from({ length: lanes }, (_, lane) => ({
        value: scoreboard.columns[lane]!.connections[0]!,
        labels: { lane: String(lane) },
      })),
  },
  {
    name: 'lane_loop_use',
    help: "Share of the last second in which the lane's loop was busy, 0 to 1. A lane near 1 has no time left.",
    kind: 'gauge',
    labels: ['lane'],
    read: ({ scoreboard, lanes }) =>
      Array.from({ length: lanes }, (_, lane) => ({
        value: scoreboard.columns[lane]!.loopUsePermille[0]! / 1000,
        labels: { lane: String(lane) },
      })),
  },
  {
    name: 'lane_heap_bytes',
    help: "What the lane's heap holds, apart from what is younger than a request or two.",
    kind: 'gauge',
    labels: ['lane'],
    read: ({ scoreboard, lanes }) =>
      Array.from({ length: lanes }, (_, lane) => ({
        value: scoreboard.columns[lane]!.heapKib[0]! * 1024,
        labels: { lane: String(lane) },
      })),
  },
  single(
    'lane_retired_connections_total',
    'counter',
    'Client connections that were told to close after an answer because their lane had more than its share.',
    ({ scoreboard }) => scoreboard.laneSum('retired'),
  ),
  single(
    'lane_accepted_connections_total',
    'counter',
    'Client connections that lanes have accepted.',
    ({ scoreboard }) => scoreboard.laneSum('accepted'),
  ),
  {
    name: 'load_reports_total',
    help: 'Load reports of members, for heartbeat: how they came (udp and http only where that is on) and what became of them.',
    kind: 'counter',
    labels: ['source', 'result'],
    read: readLoadReports,
  },
  single(
    'access_log_dropped_total',
    'counter',
    'Lines of the access log that were lost, because whoever reads it does not keep up or it cannot be written.',
    ({ scoreboard }) => scoreboard.laneSum('accessLogDropped'),
  ),
  single(
    'lanes_listening',
    'gauge',
    'Lanes that accept connections.',
    (source) => Array.from({ length: source.lanes }).filter((_, lane) => source.isListening(lane)).length,
  ),
  single('lane_restarts_total', 'counter', 'Lanes that were started in place of one that died.', (source) =>
    source.laneRestarts(),
  ),
  single('snapshot_generation', 'gauge', 'Newest generation of the snapshot.', (source) => source.generation()),
  single('snapshot_generation_acknowledged', 'gauge', 'Generation that every lane that serves has reached.', (source) =>
    source.acknowledged(),
  ),
  {
    name: 'problems',
    help: 'Problems found in what users wrote, as of the last reading.',
    kind: 'gauge',
    labels: ['severity'],
    read: (source) =>
      (['error', 'notice'] as const).map((severity) => ({ value: source.problems(severity), labels: { severity } })),
  },
  {
    name: 'leader',
    help: 'In a cluster: 1 while this replica is the one that writes statuses and events, else 0.',
    kind: 'gauge',
    labels: [],
    read: ({ reporting }) => (reporting === null ? [] : [{ value: reporting.isLeading() ? 1 : 0, labels: NO_LABELS }]),
  },
  reportingMetric(
    'status_writes_total',
    'In a cluster: requests that write the status of a Balancer, by what came of them. unchanged: it was so already; gone: the Balancer was deleted meanwhile.',
    ({ statusWrites }) => statusWrites,
  ),
  reportingMetric(
    'events_total',
    'In a cluster: events about Balancers, by what became of them. repeated: counted in a series; suppressed: too many about one Balancer; dropped: too many waiting.',
    ({ events }) => events,
  ),
  watchMetric(
    'watch_synced',
    'gauge',
    'In a cluster: 1 when all objects of the kind have been read once, else 0. Kinds are there once they are needed.',
    ({ isSynced }) => (isSynced ? 1 : 0),
  ),
  watchMetric(
    'watch_silence_seconds',
    'gauge',
    'In a cluster: time since the last event or bookmark of the kind; of several watches, of the one that is silent longest. Bookmarks come about once a minute; after 90 seconds a watch is begun anew.',
    ({ silentMs }) => (silentMs === null ? null : silentMs / 1000),
  ),
  watchMetric(
    'watch_relists_total',
    'counter',
    'In a cluster: times that all objects of the kind were read again, because its watch could not go on where it was.',
    ({ relists }) => relists,
  ),
  watchMetric(
    'watch_faults_total',
    'counter',
    'In a cluster: lists and watches of the kind that failed or were cut; each is tried again.',
    ({ faults }) => faults,
  ),
  watchMetric(
    'watch_objects',
    'gauge',
    'In a cluster: objects of the kind that are kept in memory.',
    ({ objects }) => objects,
  ),
  {
    name: 'build_info',
    help: 'Always 1; the labels say what runs.',
    kind: 'gauge',
    labels: ['version', 'node_version'],
    read: ({ version }) => [{ value: 1, labels: { version, node_version: process.version } }],
  },
];

function single(
  name: string,
  kind: 'counter' | 'gauge',
  help: string,
  read: (source: MetricsSource) => number,
): MetricDefinition {
  return { name, help, kind, labels: [], read: (source) => [{ value: read(source), labels: NO_LABELS }] };
}

function reportingMetric(
  name: string,
  help: string,
  countsOf: (reporting: ReportingSource) => Readonly<Record<string, number>>,
): MetricDefinition {
  const read = ({ reporting }: MetricsSource): Sample[] =>
    reporting === null
      ? []
      : Object.entries(countsOf(reporting)).map(([result, value]) => ({ value, labels: { result } }));
  return { name, help, kind: 'counter', labels: ['result'], read };
}

/** `read`: null where there is nothing to tell. */
function watchMetric(
  name: string,
  kind: 'counter' | 'gauge',
  help: string,
  read: (watch: WatchSource) => number | null,
): MetricDefinition {
  const readAll = ({ watches }: MetricsSource): Sample[] =>
    [...watches()].flatMap((watch) => {
      const value = read(watch);
      return value === null ? [] : [{ value, labels: { kind: watch.kind } }];
    });
  return { name, help, kind, labels: ['kind'], read: readAll };
}

function memberMetric(
  name: string,
  kind: 'counter' | 'gauge',
  help: string,
  read: (scoreboard: ControlScoreboard, row: number) => number,
): MetricDefinition {
  const readAll = ({ scoreboard, placed }: MetricsSource): Sample[] => {
    const samples: Sample[] = [];
    for (const each of placed()) {
      const { members } = labelsOf(each);
      for (const [index, row] of each.memberRows.entries()) {
        samples.push({ value: read(scoreboard, row), labels: NO_LABELS, sharedLabels: members[index]! });
      }
    }
    return samples;
  };
  return { name, help, kind, labels: ofMember, read: readAll };
}

function readRequests({ scoreboard, placed }: MetricsSource): Sample[] {
  const samples: Sample[] = [];
  const add = (sharedLabels: Labels, read: (codeClass: number) => number): void => {
    for (const { index, labels, isAlways } of codeClasses) {
      const value = read(index);
      if (isAlways || value > 0) samples.push({ value, labels, sharedLabels });
    }
  };
  add(UNTAKEN.own, (codeClass) => scoreboard.balancerSum('ownResponses', 0, codeClass));
  for (const each of placed()) {
    const { own, members } = labelsOf(each);
    for (const [index, row] of each.memberRows.entries()) {
      add(members[index]!, (codeClass) => scoreboard.memberSum('responses', row, codeClass));
    }
    if (each.row !== 0) add(own, (codeClass) => scoreboard.balancerSum('ownResponses', each.row, codeClass));
  }
  return samples;
}

function readDraining({ placed }: MetricsSource): Sample[] {
  return [...placed()].flatMap((each) => {
    const { members } = labelsOf(each);
    return each.memberRows.map((_, index) => {
      const { state } = each.unit.members[index]!;
      const value = state === 'Draining' || state === 'Drained' ? 1 : 0;
      return { value, labels: NO_LABELS, sharedLabels: members[index]! };
    });
  });
}

function readLiveSessions({ placed, liveSessions }: MetricsSource): Sample[] {
  return [...placed()].flatMap((each) => {
    if (each.unit.session === null) return [];
    const { members } = labelsOf(each);
    return each.memberRows.map((row, index) => {
      const isDrained = each.unit.members[index]!.state === 'Drained';
      return { value: isDrained ? 0 : liveSessions(row), labels: NO_LABELS, sharedLabels: members[index]! };
    });
  });
}

function readSessions({ scoreboard, placed }: MetricsSource): Sample[] {
  const samples: Sample[] = [];
  for (const { row, unit } of placed()) {
    if (unit.session === null || row === 0) continue;
    const { namespace, name: balancer } = unit;
    for (const [index, verdict] of SESSION_VERDICTS.entries()) {
      const value = scoreboard.balancerSum('sessions', row, index);
      samples.push({ value, labels: { namespace, balancer, verdict } });
    }
  }
  return samples;
}

function readOversizedCookies({ scoreboard, placed }: MetricsSource): Sample[] {
  return [...placed()]
    .filter(({ row, unit }) => unit.session !== null && row !== 0)
    .map(({ row, unit: { namespace, name: balancer } }) => ({
      value: scoreboard.balancerSum('oversizedCookies', row),
      labels: { namespace, balancer },
    }));
}

function readLoadReports({ scoreboard, loadReports }: MetricsSource): Sample[] {
  const samples = [...loadReports()].map(({ source, result, count }) => ({ value: count, labels: { source, result } }));
  const ofLanes = [
    { result: 'taken', value: scoreboard.laneSum('loadReportsTaken') },
    { result: 'malformed', value: scoreboard.laneSum('loadReportsRefused') },
  ];
  return [...samples, ...ofLanes.map(({ result, value }) => ({ value, labels: { source: 'header', result } }))];
}

function readDurations({ scoreboard, placed }: MetricsSource): Sample[] {
  const samples: Sample[] = [];
  const name = 'evenkeel_request_duration_seconds';
  const add = (sharedLabels: Labels, row: number): void => {
    let count = 0;
    for (const [bucket, labels] of bucketLabels.entries()) {
      count += scoreboard.balancerSum('durations', row, bucket);
      samples.push({ metricName: `${name}_bucket`, value: count, labels, sharedLabels });
    }
    const sum = scoreboard.balancerSum('durationSumS', row);
    samples.push({ metricName: `${name}_sum`, value: sum, labels: NO_LABELS, sharedLabels });
    samples.push({ metricName: `${name}_count`, value: count, labels: NO_LABELS, sharedLabels });
  };
  add(UNTAKEN.balancer, 0);
  for (const each of placed()) if (each.row !== 0) add(labelsOf(each).balancer, each.row);
  return samples;
}

interface LabelSet {
  readonly balancer: Labels;
  /** Of answers of our own. */
  readonly own: Labels;
  /** In order of the members. */
  readonly members: readonly Labels[];
}

const UNTAKEN: LabelSet = { balancer: nobody, own: { ...nobody, member: '' }, members: [] };

/** Labels by published version, for as long as it is published. */
const labelSets = new WeakMap<PlacedBalancer, LabelSet>();

function labelsOf(placed: PlacedBalancer): LabelSet {
  let labels = labelSets.get(placed);
  if (labels === undefined) {
    const balancer = { namespace: placed.unit.namespace, balancer: placed.unit.name };
    labels = {
      balancer,
      own: { ...balancer, member: '' },
      members: placed.unit.members.map(({ name }) => ({ ...balancer, member: name })),
    };
    labelSets.set(placed, labels);
  }
  return labels;
}
