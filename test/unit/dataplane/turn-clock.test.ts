import { expect, test } from 'vitest';
import { TurnClock } from '../../../src/dataplane/turn-clock.ts';
import { ManualTime } from '../lib/manual-time.ts';

test('time stands still within a turn, and goes on with the next one', () => {
  const time = new ManualTime();
  let endTurn = (): void => {};
  const clock = new TurnClock(time.clock, (turn) => {
    endTurn = turn;
  });
  const first = clock.nowMs();
  const firstWall = clock.wallMs();
  time.advance(50);
  expect([clock.nowMs(), clock.wallMs()]).toEqual([first, firstWall]);
  endTurn();
  expect([clock.wallMs(), clock.nowMs()]).toEqual([firstWall + 50, first + 50]);
});

test('the wall clock is looked at ten times a second, and a jump of it is seen then', () => {
  const time = new ManualTime();
  let jumpMs = 0;
  let looks = 0;
  let endTurn = (): void => {};
  const wallMs = (): number => {
    looks += 1;
    return time.clock.wallMs() + jumpMs;
  };
  const clock = new TurnClock({ nowMs: () => time.clock.nowMs(), wallMs }, (turn) => {
    endTurn = turn;
  });
  const first = clock.wallMs();
  for (let turn = 1; turn < 10; turn += 1) {
    time.advance(10);
    endTurn();
    jumpMs = 3_600_000;
    expect(clock.wallMs()).toBe(first + turn * 10);
  }
  expect(looks).toBe(1);
  time.advance(10);
  endTurn();
  expect(clock.wallMs()).toBe(first + 100 + 3_600_000);
  expect(looks).toBe(2);
});

test('what waits has waited: a turn ends before the loop sleeps', async () => {
  const time = new ManualTime();
  const clock = new TurnClock(time.clock);
  const first = clock.nowMs();
  time.advance(50);
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(clock.nowMs()).toBe(first + 50);
});
