// A scoreboard with a little traffic, as the metrics see it.
import type { MetricsSource } from '../../../src/admin/metric-table.ts';
import { ControlScoreboard } from '../../../src/scoreboard/control-side.ts';
import { LaneScoreboard } from '../../../src/scoreboard/lane-side.ts';
import { allocateScoreboard } from '../../../src/scoreboard/layout.ts';
import type { PlacedBalancer } from '../../../src/snapshot/lane-protocol.ts';
import { balancer, member } from '../control/fixtures.ts';

export function createSource(placed: readonly PlacedBalancer[], rows = 64) {
  const buffers = allocateScoreboard(rows, rows, 2);
  const scoreboard = new ControlScoreboard(buffers);
  const source: MetricsSource = {
    version: '1.2.3',
    scoreboard,
    lanes: 2,
    placed: () => placed,
    generation: () => 7,
    acknowledged: () => 6,
    isListening: (lane) => lane === 0,
    laneRestarts: () => 3,
    liveSessions: (row) => row * 100,
    loadReports: () => [
      { source: 'udp', result: 'taken', count: 8 },
      { source: 'udp', result: 'unknown_sender', count: 0 },
    ],
    problems: (severity) => (severity === 'error' ? 2 : 5),
    reporting: {
      isLeading: () => true,
      statusWrites: { written: 4, unchanged: 1, conflict: 0, gone: 0, failed: 9 },
      events: { created: 3, suppressed: 2 },
    },
    watches: () => [
      { kind: 'Service', isSynced: true, silentMs: 1_500, relists: 2, faults: 6, objects: 40 },
      { kind: 'Pod', isSynced: false, silentMs: null, relists: 0, faults: 1, objects: 0 },
    ],
  };
  return { source, scoreboard, lanes: [0, 1].map((lane) => new LaneScoreboard(buffers, lane)) };
}

/** Balancer shop/app with members one (row 1) and two (row 2), balancer row 1. */
export const app: PlacedBalancer = {
  unit: balancer('app', [member('1', { name: 'one' }), member('2', { name: 'two' })]),
  row: 1,
  memberRows: [1, 2],
};
