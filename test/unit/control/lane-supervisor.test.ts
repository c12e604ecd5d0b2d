import { describe, expect, it, test } from 'vitest';
import { LaneSupervisor, ListenError } from '../../../src/control/lane-supervisor.ts';
import { ControlScoreboard } from '../../../src/scoreboard/control-side.ts';
import { LaneScoreboard } from '../../../src/scoreboard/lane-side.ts';
import { allocateScoreboard } from '../../../src/scoreboard/layout.ts';
import type { FromLane, LaneSettings, ToLane } from '../../../src/snapshot/lane-protocol.ts';
import { ManualTime } from '../lib/manual-time.ts';
import { fakeLanes, RecordedLog } from './fixtures.ts';

const WHOLE: ToLane = { type: 'publish', publication: '{"generation":7}' };

/** Two lanes; back-off draws its longest delays. */
function setUp(count = 2) {
  const time = new ManualTime();
  const log = new RecordedLog();
  const buffers = allocateScoreboard(8, 4, count);
  const scoreboard = new ControlScoreboard(buffers);
  const { started, startLane } = fakeLanes();
  const settings = Array.from({ length: count }, (_, lane) => ({ lane, httpPort: 80 }) as LaneSettings);
  const { clock, timers } = time;
  const supervisor = new LaneSupervisor({ settings, startLane, scoreboard, clock, timers, random: () => 1, log });
  const told: string[] = [];
  const feed = {
    laneStarted: (lane: number) => {
      told.push(`started ${lane}`);
      return WHOLE;
    },
    laneSaid: (lane: number, { type }: FromLane) => void told.push(`said ${lane} ${type}`),
    laneGone: (lane: number) => void told.push(`gone ${lane}`),
  };
  return { time, log, buffers, scoreboard, started, supervisor, feed, told };
}

/** All lanes listen. */
function setUpRunning(count = 2) {
  const world = setUp(count);
  const whenListening = world.supervisor.start(world.feed);
  for (const lane of world.started) lane.say({ type: 'listening', port: 80 });
  world.log.take();
  world.told.length = 0;
  return { ...world, whenListening };
}

describe('starting', () => {
  it('gives each lane its settings, then all there is to serve', () => {
    const { supervisor, started, feed, told } = setUp();
    void supervisor.start(feed);
    expect(told).toEqual(['started 0', 'started 1']);
    for (const [lane, { messages }] of started.entries()) {
      expect(messages).toEqual([{ type: 'start', settings: { lane, httpPort: 80 } }, WHOLE]);
    }
  });

  it('is done when every lane listens', async () => {
    const { supervisor, started, feed } = setUp();
    let isDone = false;
    const done = supervisor.start(feed).then(() => {
      isDone = true;
    });
    started[0]!.say({ type: 'listening', port: 80 });
    await Promise.resolve();
    expect([isDone, supervisor.isListening(0), supervisor.isListening(1)]).toEqual([false, true, false]);
    started[1]!.say({ type: 'listening', port: 80 });
    await done;
  });

  it('fails when a lane cannot have the port', async () => {
    const { supervisor, started, feed } = setUp();
    const done = supervisor.start(feed);
    started[1]!.say({ type: 'listen-failed', code: 'EADDRINUSE', message: 'address in use' });
    await expect(done).rejects.toThrow(ListenError);
    await expect(done).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('hands on what lanes say, and logs what matters', () => {
    const { supervisor, started, feed, told, log } = setUp(1);
    void supervisor.start(feed);
    started[0]!.say({ type: 'applied', generation: 7 });
    started[0]!.say({ type: 'refused', generation: 8, message: 'no' });
    expect(told).toEqual(['started 0', 'said 0 applied', 'said 0 refused']);
    expect(log.take()).toEqual(['debug lane serves a new generation', 'error lane refused a generation']);
  });
});

test('a member that is not connected to is logged once for each address, whichever lane finds it out', () => {
  const { started, log } = setUpRunning();
  const refuse = (address: string): FromLane => ({ type: 'member-refused', host: 'a.example', address });
  for (const lane of started) lane.say(refuse('127.0.0.1'));
  expect(log.lines).toEqual([
    {
      level: 'warn',
      message: 'member is not connected to',
      fields: expect.objectContaining({ host: 'a.example', address: '127.0.0.1' }),
    },
  ]);
  started[1]!.say(refuse('::1'));
  expect(log.lines).toHaveLength(2);
});

describe('a lane that dies', () => {
  it('is started again after a back-off, with everything a new lane gets', () => {
    const { time, log, started, supervisor, told } = setUpRunning();
    started[0]!.exit();
    expect(supervisor.isListening(0)).toBe(false);
    expect(log.lines[0]).toMatchObject({ level: 'error', message: 'lane died', fields: { lane: 0, restartInMs: 100 } });
    time.advance(99);
    expect(started).toHaveLength(2);
    time.advance(1);
    expect(started).toHaveLength(3);
    expect(started[2]!.types).toEqual(['start', 'publish']);
    expect(told).toEqual(['gone 0', 'started 0']);
    expect(supervisor.restarts).toBe(1);
    started[2]!.say({ type: 'listening', port: 80 });
    expect(supervisor.isListening(0)).toBe(true);
  });

  it('has its column taken in once the exit is confirmed, exactly once, and before its successor starts', () => {
    const { time, buffers, scoreboard, started } = setUpRunning();
    const dying = new LaneScoreboard(buffers, 0);
    const other = new LaneScoreboard(buffers, 1);
    for (const lane of [dying, dying, other]) {
      lane.beginAttempt(3);
      lane.column.elected[3]! += 1;
    }
    const busy = (): number => Atomics.load(scoreboard.shared.busyTotal, 3);
    started[0]!.say({ type: 'refused', generation: 1, message: 'about to die' });
    expect(busy()).toBe(3);
    started[0]!.exit();
    expect([busy(), scoreboard.memberSum('elected', 3)]).toEqual([1, 3]);
    time.advance(100);
    const successor = new LaneScoreboard(buffers, 0);
    successor.beginAttempt(3);
    successor.column.elected[3]! += 1;
    expect([busy(), scoreboard.memberSum('elected', 3)]).toEqual([2, 4]);
    started[2]!.exit();
    expect([busy(), scoreboard.memberSum('elected', 3)]).toEqual([1, 4]);
  });

  it('never makes a counter fall, death after death', () => {
    const { time, buffers, scoreboard, started } = setUpRunning(1);
    let before = 0;
    for (let life = 0; life < 20; life += 1) {
      const lane = new LaneScoreboard(buffers, 0);
      for (let request = 0; request <= life; request += 1) lane.countResponse(3, 2);
      started[life]!.exit();
      const sum = scoreboard.memberSum('responses', 3, 2);
      expect(sum).toBe(before + life + 1);
      before = sum;
      time.advance(10_000);
    }
  });

  it('again and again, waits longer each time, up to ten seconds', () => {
    const { time, log, started } = setUpRunning(1);
    for (let life = 0; life < 9; life += 1) {
      started[life]!.exit();
      time.advance(10_000);
    }
    const delays = log.lines.filter(({ message }) => message === 'lane died').map(({ fields }) => fields.restartInMs);
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  });

  it('after a good while, is started as quickly as the first time', () => {
    const { time, log, started } = setUpRunning(1);
    for (let life = 0; life < 3; life += 1) {
      started[life]!.exit();
      time.advance(100_000);
    }
    const delays = log.lines.filter(({ message }) => message === 'lane died').map(({ fields }) => fields.restartInMs);
    expect(delays).toEqual([100, 100, 100]);
  });

  it('does not keep messages from the others', () => {
    const { started, supervisor } = setUpRunning();
    started[0]!.exit();
    supervisor.send(0, WHOLE);
    supervisor.broadcast({ type: 'retire-connections' });
    expect(started[0]!.types).toEqual(['start', 'publish']);
    expect(started[1]!.types).toEqual(['start', 'publish', 'retire-connections']);
  });

  it('is ended and started anew when it cannot have the port any more', () => {
    const { time, started, supervisor } = setUpRunning(1);
    started[0]!.exit();
    time.advance(100);
    started[1]!.say({ type: 'listen-failed', code: 'EADDRINUSE', message: 'in use' });
    expect(started[1]!.isTerminated).toBe(true);
    started[1]!.exit(null);
    time.advance(200);
    started[2]!.say({ type: 'listening', port: 80 });
    expect(supervisor.isListening(0)).toBe(true);
  });
});

describe('stopping', () => {
  it('tells clients to close first, and goes on accepting, also by a lane that comes back', () => {
    const { time, started, supervisor } = setUpRunning(1);
    supervisor.retire();
    expect(started[0]!.types.at(-1)).toBe('retire-connections');
    started[0]!.exit();
    time.advance(100);
    expect(started[1]!.types).toEqual(['start', 'publish', 'retire-connections']);
  });

  it('waits until every lane is idle, then ends them and waits for their exit', async () => {
    const { started, supervisor, time } = setUpRunning();
    const stopped = supervisor.stop(30_000);
    expect(started.map(({ types }) => types.at(-1))).toEqual(['stop-accepting', 'stop-accepting']);
    started[0]!.say({ type: 'idle' });
    await Promise.resolve();
    expect(started[0]!.isTerminated).toBe(false);
    started[1]!.say({ type: 'idle' });
    await settle();
    expect(started.map(({ types }) => types.at(-1))).toEqual(['close', 'close']);
    expect(started.every(({ isTerminated }) => isTerminated)).toBe(true);
    for (const lane of started) lane.exit(null);
    await stopped;
    expect(time.pending).toBe(0);
  });

  it('cuts what is left at the deadline', async () => {
    const { time, started, supervisor } = setUpRunning(1);
    const stopped = supervisor.stop(5_000);
    time.advance(4_999);
    await settle();
    expect(started[0]!.isTerminated).toBe(false);
    time.advance(1);
    await settle();
    // A lane may still note what it has cut.
    expect(started[0]!.types.at(-1)).toBe('close');
    expect(started[0]!.isTerminated).toBe(false);
    started[0]!.say({ type: 'idle' });
    await settle();
    expect(started[0]!.isTerminated).toBe(true);
    started[0]!.exit(null);
    await stopped;
  });

  it('ends a lane that does not get over being cut', async () => {
    const { time, started, supervisor } = setUpRunning(1);
    const stopped = supervisor.stop(5_000);
    time.advance(5_000);
    await settle();
    time.advance(499);
    await settle();
    expect(started[0]!.isTerminated).toBe(false);
    time.advance(1);
    await settle();
    expect(started[0]!.isTerminated).toBe(true);
    started[0]!.exit(null);
    await stopped;
  });

  it('does not wait for ever for a thread that will not end', async () => {
    const { time, supervisor } = setUpRunning(1);
    const stopped = supervisor.stop(5_000);
    time.advance(5_000);
    await settle();
    time.advance(500);
    await settle();
    time.advance(2_000);
    await stopped;
  });

  it('does not wait for a lane that is down, and starts none again', async () => {
    const { time, started, supervisor, log } = setUpRunning();
    started[0]!.exit();
    const stopped = supervisor.stop(5_000);
    started[1]!.exit();
    await stopped;
    expect(log.take().filter((line) => line === 'error lane died')).toHaveLength(1);
    time.advance(60_000);
    expect(started).toHaveLength(2);
  });
});

/** Lets promises that are resolved already run on. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}
