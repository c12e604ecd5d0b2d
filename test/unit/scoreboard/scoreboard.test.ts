import { describe, expect, it } from 'vitest';
import { ControlScoreboard } from '../../../src/scoreboard/control-side.ts';
import { LaneScoreboard } from '../../../src/scoreboard/lane-side.ts';
import { allocateScoreboard, DURATION_BUCKETS_S, mapColumn } from '../../../src/scoreboard/layout.ts';

function setUp(lanes = 2) {
  const buffers = allocateScoreboard(8, 4, lanes);
  const control = new ControlScoreboard(buffers);
  const lane = Array.from({ length: lanes }, (_, number) => new LaneScoreboard(buffers, number));
  return { buffers, control, lane };
}

/** Everything that a lane counts, once. */
function countAll(lane: LaneScoreboard): void {
  lane.column.elected[3]! += 1;
  lane.countFailure(3);
  lane.countSent(3, 100);
  lane.countReceived(3, 2_000);
  lane.countResponse(3, 2);
  lane.countOwnResponse(1, 5);
  lane.countDuration(1, 0.2);
  lane.column.accepted[0]! += 1;
  lane.countLoadReport(true);
  lane.countLoadReport(false);
}

function sums(control: ControlScoreboard) {
  return {
    elected: control.memberSum('elected', 3),
    failed: control.memberSum('failed', 3),
    sent: control.memberSum('sent', 3),
    received: control.memberSum('received', 3),
    responses: control.memberSum('responses', 3, 2),
    own: control.balancerSum('ownResponses', 1, 5),
    durations: DURATION_BUCKETS_S.map((_, bucket) => control.balancerSum('durations', 1, bucket)),
    durationSumS: control.balancerSum('durationSumS', 1),
    accepted: control.laneSum('accepted'),
    reportsTaken: control.laneSum('loadReportsTaken'),
    reportsRefused: control.laneSum('loadReportsRefused'),
  };
}

describe('the scoreboard', () => {
  it('adds up what the lanes count', () => {
    const { control, lane } = setUp();
    countAll(lane[0]!);
    countAll(lane[1]!);
    expect(sums(control)).toMatchObject({ elected: 2, failed: 2, sent: 200, received: 4_000, responses: 2, own: 2 });
    expect(sums(control)).toMatchObject({ accepted: 2, reportsTaken: 2, reportsRefused: 2 });
    expect(sums(control).durationSumS).toBeCloseTo(0.4);
  });

  it('keeps cells of different rows and kinds apart', () => {
    const { control, lane } = setUp();
    countAll(lane[0]!);
    for (const row of [1, 2, 4, 5, 6, 7]) {
      expect(control.memberSum('elected', row)).toBe(0);
      expect(control.memberSum('responses', row, 2)).toBe(0);
    }
    for (const codeClass of [0, 1, 3, 4, 5]) expect(control.memberSum('responses', 3, codeClass)).toBe(0);
    expect(control.balancerSum('ownResponses', 2, 5)).toBe(0);
  });

  it('puts a duration into the bucket whose bound it does not exceed, and long ones into the last', () => {
    const { control, lane } = setUp();
    for (const seconds of [0, 0.001, 0.0011, 60, 61]) lane[0]!.countDuration(1, seconds);
    const last = DURATION_BUCKETS_S.length;
    expect(control.balancerSum('durations', 1, 0)).toBe(2);
    expect(control.balancerSum('durations', 1, 1)).toBe(1);
    expect(control.balancerSum('durations', 1, last - 1)).toBe(1);
    expect(control.balancerSum('durations', 1, last)).toBe(1);
  });

  it('takes the open attempts of a dead lane off the totals, and no others', () => {
    const { control, lane } = setUp();
    lane[0]!.beginAttempt(3);
    lane[0]!.beginAttempt(3);
    lane[1]!.beginAttempt(3);
    control.absorbLane(0);
    expect(Atomics.load(control.shared.busyTotal, 3)).toBe(1);
    control.absorbLane(0);
    expect(Atomics.load(control.shared.busyTotal, 3)).toBe(1);
    lane[1]!.endAttempt(3);
    expect(Atomics.load(control.shared.busyTotal, 3)).toBe(0);
  });

  it('changes no sum when a lane dies, however often', () => {
    const { control, lane } = setUp();
    countAll(lane[0]!);
    countAll(lane[1]!);
    const before = sums(control);
    for (let death = 0; death < 3; death += 1) {
      control.absorbLane(0);
      expect(sums(control)).toEqual(before);
    }
  });

  it('leaves the successor of a dead lane an empty column', () => {
    const { buffers, control, lane } = setUp();
    countAll(lane[0]!);
    lane[0]!.beginAttempt(3);
    lane[0]!.column.lbstatus[3] = 77;
    lane[0]!.column.connections[0] = 5;
    control.absorbLane(0);
    for (const [name, cells] of Object.entries(mapColumn(buffers, 0))) {
      expect(
        (cells as Float64Array).every((cell) => cell === 0),
        name,
      ).toBe(true);
    }
  });

  it('wipes all cells of a row and none of its neighbours', () => {
    const { control, lane } = setUp();
    for (const row of [2, 3, 4]) {
      lane[0]!.column.elected[row]! += 1;
      lane[1]!.countResponse(row, 5);
      lane[0]!.countSent(row, 9);
      Atomics.or(control.shared.flags, row, 1);
    }
    control.absorbLane(1);
    control.wipeMemberRow(3);
    expect(control.memberSum('elected', 3)).toBe(0);
    expect(control.memberSum('responses', 3, 5)).toBe(0);
    expect(control.shared.flags[3]).toBe(0);
    expect(control.shared.sentTotal.whole[3]).toBe(0n);
    for (const row of [2, 4]) {
      expect(control.memberSum('elected', row)).toBe(1);
      expect(control.memberSum('responses', row, 5)).toBe(1);
      expect(control.shared.flags[row]).toBe(1);
      expect(control.shared.sentTotal.whole[row]).toBe(9n);
    }
  });

  it('wipes the row of a balancer', () => {
    const { control, lane } = setUp();
    countAll(lane[0]!);
    lane[0]!.countOwnResponse(2, 5);
    control.wipeBalancerRow(1);
    expect(control.balancerSum('ownResponses', 1, 5)).toBe(0);
    expect(control.balancerSum('durationSumS', 1)).toBe(0);
    expect(control.balancerSum('ownResponses', 2, 5)).toBe(1);
  });

  it('shows 64-bit totals as words too', () => {
    const { control, lane } = setUp();
    lane[0]!.countSent(3, 2 ** 33 + 5);
    const { words } = control.shared.sentTotal;
    expect([words[6], words[7]]).toEqual([5, 2]);
  });

  it('refuses a column that is not there', () => {
    const { buffers } = setUp();
    expect(() => mapColumn(buffers, 3)).toThrow(RangeError);
  });
});
