import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timed, TimerWheel } from '../../../src/dataplane/timer-wheel.ts';

class Alarm extends Timed {
  readonly name: number;
  readonly fired: (name: number) => void;

  constructor(name: number, fired: (name: number) => void) {
    super();
    this.name = name;
    this.fired = fired;
  }

  override onDeadline(): void {
    this.fired(this.name);
  }
}

function setUp(slots = 8) {
  const fired: number[] = [];
  const wheel = new TimerWheel({ nowMs: () => 0, wallMs: () => 0 }, 100, slots);
  return {
    wheel,
    fired,
    alarm: (name: number) => new Alarm(name, (n) => fired.push(n)),
    /** However far the clock has moved: the second call is not late. */
    advance: (nowMs: number): void => {
      wheel.advance(nowMs);
      wheel.advance(nowMs);
    },
  };
}

test('a deadline fires once, never early, at most one tick late', () => {
  const { wheel, fired, alarm, advance } = setUp();
  wheel.arm(alarm(1), 250);
  advance(200);
  advance(249);
  expect(fired).toEqual([]);
  advance(300);
  expect(fired).toEqual([1]);
  advance(10_000);
  expect(fired).toEqual([1]);
});

test('after the process has stood still, whoever answered meanwhile is read before a deadline fires', () => {
  const { wheel, fired, alarm } = setUp();
  for (const name of [1, 2]) wheel.arm(alarm(name), 250);
  wheel.advance(100);
  // As late as timers are anyway.
  wheel.advance(249);
  wheel.arm(alarm(3), 300);
  wheel.advance(1_000);
  expect(fired).toEqual([]);
  // Not for ever, also if it stands still again and again.
  wheel.advance(2_000);
  expect(fired.toSorted()).toEqual([1, 2, 3]);
  wheel.arm(alarm(4), 2_050);
  wheel.advance(3_000);
  expect(fired).not.toContain(4);
  wheel.advance(3_100);
  expect(fired).toContain(4);
});

test('a deadline moves later and earlier, and can be unset', () => {
  const { wheel, fired, alarm, advance } = setUp();
  const one = alarm(1);
  wheel.arm(one, 300);
  wheel.arm(one, 600);
  advance(500);
  expect(fired).toEqual([]);
  wheel.arm(one, 550);
  advance(600);
  expect(fired).toEqual([1]);
  wheel.arm(one, 700);
  wheel.disarm(one);
  advance(2_000);
  expect(fired).toEqual([1]);
});

test('a timeout counts from now, and a timeout of 0 unsets the deadline', () => {
  const { wheel, fired, alarm, advance } = setUp();
  const one = alarm(1);
  wheel.set(one, 250);
  expect(one.deadlineTick).toBe(3);
  wheel.set(one, 0);
  advance(1_000);
  expect(fired).toEqual([]);
});

test('a deadline beyond the wheel, planned while ticks were missed, is not lost', () => {
  const { wheel, fired, alarm, advance } = setUp(8);
  const waker = alarm(1);
  const far = alarm(2);
  wheel.arm(waker, 200);
  const fire = waker.onDeadline.bind(waker);
  // Armed while the wheel catches up, for a slot that the same catching up still has to look at.
  waker.onDeadline = () => {
    fire();
    wheel.arm(far, 1_400);
  };
  advance(700);
  for (let nowMs = 800; nowMs <= 1_300; nowMs += 100) advance(nowMs);
  expect(fired).toEqual([1]);
  advance(1_400);
  expect(fired).toEqual([1, 2]);
});

test('what is forgotten is let go at once, also from the slot that is being looked at', () => {
  const { wheel, fired, alarm, advance } = setUp();
  const all = [1, 2, 3, 4].map(alarm);
  for (const one of all) wheel.arm(one, 300);
  wheel.forget(all[1]!);
  const fire = all[3]!.onDeadline.bind(all[3]);
  all[3]!.onDeadline = () => {
    fire();
    wheel.forget(all[0]!);
  };
  advance(300);
  expect(fired.sort()).toEqual([3, 4]);
  expect(all.map((one) => one.plannedTick)).toEqual([0, 0, 0, 0]);
});

test('of many in one slot exactly those are let go that are forgotten', () => {
  const { wheel, fired, alarm, advance } = setUp();
  const all = [0, 1, 2, 3, 4].map(alarm);
  for (const one of all) wheel.arm(one, 300);
  for (const gone of [0, 4, 2]) wheel.forget(all[gone]!);
  wheel.arm(all[0]!, 250);
  advance(300);
  expect(fired.toSorted()).toEqual([0, 1, 3]);
});

test('it does what a list of deadlines would, whatever happens, jumps of the clock included', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('arm' as const), name: fc.nat(5), inMs: fc.integer({ min: -200, max: 3_000 }) }),
    fc.record({ kind: fc.constantFrom('disarm' as const, 'forget' as const), name: fc.nat(5) }),
    fc.record({ kind: fc.constant('advance' as const), byMs: fc.oneof(fc.nat(150), fc.nat(5_000), fc.constant(-300)) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { wheel, fired, alarm, advance } = setUp(8);
      const alarms = [0, 1, 2, 3, 4, 5].map(alarm);
      const deadlines = new Map<number, number>();
      const dueMs = new Map<number, number>();
      let nowMs = 0;
      let latestMs = 0;
      for (const one of steps) {
        if (one.kind === 'arm') {
          const deadlineMs = Math.max(1, latestMs + one.inMs);
          deadlines.set(one.name, deadlineMs);
          // One that is past already when it is set counts from then.
          dueMs.set(one.name, Math.max(deadlineMs, latestMs));
          wheel.arm(alarms[one.name]!, deadlineMs);
        } else if (one.kind === 'advance') {
          nowMs = Math.max(0, nowMs + one.byMs);
          latestMs = Math.max(latestMs, nowMs);
          fired.length = 0;
          advance(nowMs);
          for (const name of fired) {
            expect(deadlines.get(name)).toBeLessThanOrEqual(nowMs);
            deadlines.delete(name);
          }
          // Whatever is late by a whole tick must have fired, as soon as the clock has moved on.
          if (nowMs === latestMs) {
            for (const name of deadlines.keys()) expect(dueMs.get(name)).toBeGreaterThan(nowMs - 200);
          }
        } else {
          deadlines.delete(one.name);
          wheel[one.kind](alarms[one.name]!);
        }
      }
      // In the end everything fires.
      fired.length = 0;
      advance(latestMs + 100_000);
      expect(fired.toSorted()).toEqual([...deadlines.keys()].toSorted());
    }),
    { numRuns: 3_000 },
  );
});
