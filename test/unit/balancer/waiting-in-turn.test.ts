import { expect, test } from 'vitest';
import { WaitQueue } from '../../../src/balancer/wait-queue.ts';
import { manualClock } from './fixtures.ts';

function setUp(waitMs = 1000, maxWaiting = 0) {
  const clock = manualClock(0);
  const queue = new WaitQueue<string>(clock);
  queue.configure(waitMs, maxWaiting);
  return { clock, queue };
}

test('Differs from httpd: a queue serves every waiter in turn', () => {
  const { queue } = setUp();
  for (const name of ['a', 'b', 'c']) queue.join(name);
  const served: string[] = [];
  while (queue.length > 0) queue.wake((name) => served.push(name) > 0, 1);
  expect(served).toEqual(['a', 'b', 'c']);
});

test('a waiter that cannot be placed keeps its turn and holds up nobody', () => {
  const { queue } = setUp();
  for (const name of ['a', 'b', 'c']) queue.join(name);
  expect(queue.wake((name) => name !== 'a', 1)).toBe(1);
  const asked: string[] = [];
  queue.wake((name) => asked.push(name) < 0);
  expect(asked).toEqual(['a', 'c']);
});

test('who joins while others are asked is not asked', () => {
  const { queue } = setUp();
  queue.join('a');
  expect(queue.wake(() => queue.join('again') !== null)).toBe(1);
  expect(queue.length).toBe(1);
});

test('who leaves while others are asked breaks nothing', () => {
  const { queue } = setUp();
  const places = ['a', 'b', 'c'].map((name) => queue.join(name)!);
  const asked: string[] = [];
  queue.wake((name) => {
    asked.push(name);
    if (name === 'a') queue.leave(places[1]!);
    return false;
  });
  expect(asked).toEqual(['a', 'c']);
  expect(queue.length).toBe(2);
});

test('waiters leave from anywhere, once', () => {
  const { queue } = setUp();
  const places = ['a', 'b', 'c'].map((name) => queue.join(name)!);
  expect(queue.leave(places[1]!)).toBe(true);
  expect(queue.leave(places[1]!)).toBe(false);
  expect(queue.leave(places[2]!)).toBe(true);
  queue.join('d');
  const left: string[] = [];
  queue.wake((name) => left.push(name) > 0);
  expect(left).toEqual(['a', 'd']);
  expect(queue.length).toBe(0);
});

test('time is up for the first first', () => {
  const { clock, queue } = setUp(1000);
  expect(queue.nextExpiryMs()).toBeNull();
  queue.join('a');
  clock.advanceMs(400);
  queue.join('b');
  expect(queue.nextExpiryMs()).toBe(1000);
  clock.advanceMs(599);
  expect(queue.takeExpired()).toBeNull();
  clock.advanceMs(1);
  expect([queue.takeExpired(), queue.takeExpired()]).toEqual(['a', null]);
  expect(queue.nextExpiryMs()).toBe(1400);
});

test('a change of the waiting time is for those who wait already, too', () => {
  const { clock, queue } = setUp(1000);
  queue.join('a');
  queue.configure(100, 0);
  clock.advanceMs(100);
  expect(queue.takeExpired()).toBe('a');
});

test('there is no waiting where it is switched off, and no more than may wait', () => {
  expect(setUp(0).queue.join('a')).toBeNull();
  const { queue } = setUp(1000, 1);
  expect(queue.join('a')).not.toBeNull();
  expect(queue.join('b')).toBeNull();
});
