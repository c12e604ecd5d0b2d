import { describe, expect, test } from 'vitest';
import { LaneBalance } from '../../../src/dataplane/lane-balance.ts';
import { balanced, decideShare, type LaneLoad } from '../../../src/dataplane/lane-share.ts';
import { allocateScoreboard, mapColumn } from '../../../src/scoreboard/layout.ts';

function load(connections: number, use = 0): LaneLoad {
  return { connections, use };
}

/** Connections told to close, sample by sample, while nothing changes. */
function retiredBy(own: LaneLoad, others: readonly LaneLoad[], samples = 5): number[] {
  let state = balanced;
  return Array.from({ length: samples }, () => {
    const decision = decideShare(state, own, others);
    state = decision.state;
    return decision.retire;
  });
}

describe('a lane has more than its share', () => {
  test('with one and a half times the mean of connections, from the third sample on', () => {
    expect(retiredBy(load(301), [load(100)])).toEqual([0, 0, 30, 30, 30]);
    expect(retiredBy(load(300), [load(100)])).toEqual([0, 0, 0, 0, 0]);
  });

  test('with a loop that has hardly any time left while others have', () => {
    expect(retiredBy(load(40, 0.8), [load(40, 0.5), load(40, 0.6)])).toEqual([0, 0, 4, 4, 4]);
    expect(retiredBy(load(40, 0.79), [load(40, 0.1)])).toEqual([0, 0, 0, 0, 0]);
    expect(retiredBy(load(40, 1), [load(40, 0.9)])).toEqual([0, 0, 0, 0, 0]);
  });
});

test('there is nowhere to go from the only lane', () => {
  expect(retiredBy(load(10_000, 1), [])).toEqual([0, 0, 0, 0, 0]);
});

test('a few connections more are chance', () => {
  expect(retiredBy(load(15), [load(0)])).toEqual([0, 0, 0, 0, 0]);
  expect(retiredBy(load(16), [load(0)])).toEqual([0, 0, 1, 1, 1]);
});

test('the only connection of a busy lane is not moved', () => {
  expect(retiredBy(load(1, 1), [load(1, 0)])).toEqual([0, 0, 0, 0, 0]);
  expect(retiredBy(load(2, 1), [load(1, 0)])).toEqual([0, 0, 1, 1, 1]);
});

test('it stops below where it began, so that it does not begin again at once', () => {
  const shedding = { strikes: 3, isShedding: true };
  expect(decideShare(shedding, load(250), [load(150)]).retire).toBeGreaterThan(0);
  expect(decideShare(balanced, load(250), [load(150)]).state).toEqual(balanced);
  expect(decideShare(shedding, load(22), [load(10)]).retire).toBe(2);
  expect(decideShare(shedding, load(240), [load(160)])).toEqual({ state: balanced, retire: 0 });
  expect(decideShare(shedding, load(40, 0.71), [load(40, 0.6)]).retire).toBe(4);
  expect(decideShare(shedding, load(40, 0.69), [load(40, 0.1)])).toEqual({ state: balanced, retire: 0 });
});

test('a burst of one sample starts the count anew', () => {
  let { state } = decideShare(balanced, load(400), [load(0)]);
  ({ state } = decideShare(state, load(400), [load(0)]));
  ({ state } = decideShare(state, load(400), [load(400)]));
  expect(decideShare(state, load(400), [load(0)]).retire).toBe(0);
});

test('no more than a hundred are told at a time, and never more than half of what is too much', () => {
  expect(retiredBy(load(10_000), [load(0)])[2]).toBe(100);
  for (let connections = 16; connections < 400; connections += 7) {
    const retire = retiredBy(load(connections), [load(0)])[2]!;
    expect(retire).toBeGreaterThan(0);
    expect(retire).toBeLessThanOrEqual(Math.ceil(connections / 4));
  }
});

describe('a lane among others', () => {
  function lanes(ownConnections: number, othersSampleEvery: number) {
    const buffers = allocateScoreboard(2, 2, 2);
    const [own, other] = [mapColumn(buffers, 0), mapColumn(buffers, 1)];
    const asked: number[] = [];
    let nowMs = 1_000_000;
    const balance = new LaneBalance({
      own,
      others: [other],
      clock: { nowMs: () => nowMs, wallMs: () => 0 },
      connections: {
        staying: ownConnections,
        retireSome: (count) => {
          asked.push(count);
          return count - 1;
        },
      },
      readUse: () => 0.25,
    });
    for (let tick = 0; tick < 100; tick += 1) {
      nowMs += 100;
      if (tick % othersSampleEvery === 0) other.sampledAtS[0] = Math.floor(nowMs / 1000);
      balance.tick(nowMs);
    }
    return { own, asked };
  }

  test('samples once a second, says how busy it is, and counts what it told to close', () => {
    const { own, asked } = lanes(200, 1);
    expect(own.loopUsePermille[0]).toBe(250);
    expect(own.heapKib[0]).toBeGreaterThan(1_000);
    expect(own.sampledAtS[0]).toBe(1_010);
    expect(asked).toEqual(Array.from({ length: 8 }, () => 20));
    expect(own.retired[0]).toBe(152);
  });

  test('does not count on one that has not been heard of', () => {
    expect(lanes(200, 1_000).asked).toEqual([20]);
  });
});
