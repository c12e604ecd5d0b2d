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
  /** Load reports that came to the process itself, not to its lanes. */
  loadReports(): Iterable<{ readonly source: string; readonly result: string; readonly count: number }>;
  /** Problems of that severity that there are now. */
  problems(severity: 'error' | 'notice'): number;
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
