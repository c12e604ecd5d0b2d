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
  for (const name of ['a', 'b', 'c']) queue.join(name, 'any');
  const served: string[] = [];
  while (queue.length > 0) queue.wake((name) => served.push(name) > 0, 1);
  expect(served).toEqual(['a', 'b', 'c']);
});

test('a waiter that cannot be placed keeps its turn and holds up nobody', () => {
  const { queue } = setUp();
  for (const name of ['a', 'b', 'c']) queue.join(name, `only ${name}`);
  expect(queue.wake((name) => name !== 'a', 1)).toBe(1);
  const asked: string[] = [];
  queue.wake((name) => asked.push(name) < 0);
  expect(asked).toEqual(['a', 'c']);
});

test('who joins while others are asked is not asked', () => {
  const { queue } = setUp();
  queue.join('a', 'any');
  expect(queue.wake(() => queue.join('again', 'any') !== null)).toBe(1);
  expect(queue.length).toBe(1);
});

test('who leaves while others are asked breaks nothing', () => {
  const { queue } = setUp();
  const places = ['a', 'b', 'c'].map((name) => queue.join(name, `only ${name}`)!);
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
  const places = ['a', 'b', 'c'].map((name) => queue.join(name, 'any')!);
  expect(queue.leave(places[1]!)).toBe(true);
  expect(queue.leave(places[1]!)).toBe(false);
  expect(queue.leave(places[2]!)).toBe(true);
  queue.join('d', 'any');
  const left: string[] = [];
  queue.wake((name) => left.push(name) > 0);
  expect(left).toEqual(['a', 'd']);
  expect(queue.length).toBe(0);
});

test('time is up for the first first', () => {
  const { clock, queue } = setUp(1000);
  expect(queue.nextExpiryMs()).toBeNull();
  queue.join('a', 'any');
  clock.advanceMs(400);
  queue.join('b', 'any');
  expect(queue.nextExpiryMs()).toBe(1000);
  clock.advanceMs(599);
  expect(queue.takeExpired()).toBeNull();
  clock.advanceMs(1);
  expect([queue.takeExpired(), queue.takeExpired()]).toEqual(['a', null]);
  expect(queue.nextExpiryMs()).toBe(1400);
});

test('a change of the waiting time is for those who wait already, too', () => {
  const { clock, queue } = setUp(1000);
  queue.join('a', 'any');
  queue.configure(100, 0);
  clock.advanceMs(100);
  expect(queue.takeExpired()).toBe('a');
});

test('there is no waiting where it is switched off, and no more than may wait', () => {
  expect(setUp(0).queue.join('a', 'any')).toBeNull();
  const { queue } = setUp(1000, 1);
  expect(queue.join('a', 'any')).not.toBeNull();
  expect(queue.join('b', 'any')).toBeNull();
});

test('of those who wait for the same one is asked, however many there are', () => {
  const { queue } = setUp();
  for (let i = 0; i < 1000; i += 1) queue.join(`any ${i}`, 'any');
  queue.join('other', 'other');
  const asked: string[] = [];
  expect(queue.wake((name) => asked.push(name) > 0 && asked.length === 1)).toBe(1);
  expect(asked).toEqual(['any 0', 'any 1', 'other']);
});

test('lines are served by age, not one after the other', () => {
  const { queue } = setUp();
  for (const name of ['a1', 'b1', 'b2', 'a2', 'c1', 'b3']) queue.join(name, name[0]!);
  const served: string[] = [];
  queue.wake((name) => served.push(name) > 0);
  expect(served).toEqual(['a1', 'b1', 'b2', 'a2', 'c1', 'b3']);
});

test('whoever joins a line that all have left is its first', () => {
  const { queue } = setUp();
  const gone = [queue.join('a', 'one')!, queue.join('b', 'one')!];
  queue.join('other', 'other');
  for (const place of gone) queue.leave(place);
  queue.join('c', 'one');
  const asked: string[] = [];
  queue.wake((name) => asked.push(name) < 0);
  expect(asked).toEqual(['other', 'c']);
});

test('who stands in other lines now keeps the turn', () => {
  const { queue } = setUp();
  for (const name of ['a', 'b', 'c', 'd']) queue.join(name, 'same');
  queue.rearrange((name) => (name < 'c' ? 'first' : 'second'));
  const asked: string[] = [];
  queue.wake((name) => asked.push(name) < 0);
  expect(asked).toEqual(['a', 'c']);
});

test('who waits no longer makes room from anywhere in a line', () => {
  const { queue } = setUp(1000, 3);
  for (const name of ['a', 'b', 'c']) queue.join(name, 'same');
  queue.clear((name) => name === 'b');
  expect(queue.join('d', 'same')).not.toBeNull();
  const served: string[] = [];
  queue.wake((name) => served.push(name) > 0);
  expect(served).toEqual(['a', 'c', 'd']);
});
