// How many elections waiting costs: one for each that comes and each member that becomes free, not one for each that waits.
import { expect, test } from 'vitest';
import { NONE } from '../../../src/balancer/compiled-balancer.ts';
import { WaitingRoom } from '../../../src/dataplane/waiting-room.ts';
import { manualClock } from '../balancer/fixtures.ts';

class Scene {
  readonly clock = manualClock(0);
  readonly room = new WaitingRoom(this.clock);
  /** Names of lines for which there is a place. */
  readonly free: string[] = [];
  readonly served: string[] = [];
  elections = 0;

  constructor(maxWaiting = 0) {
    this.room.configure(1000, maxWaiting);
  }

  /** Resolves with the index that it got. */
  wait(name: string, line: string | (() => string), isOver = (): boolean => false): Promise<number> {
    const nameOfLine = typeof line === 'string' ? () => line : line;
    return this.room.wait({ line: nameOfLine, choose: () => this.#choose(name, nameOfLine()), isOver });
  }

  #choose(name: string, line: string): number {
    this.elections += 1;
    const at = this.free.indexOf(line);
    if (at === -1) return NONE;
    this.free.splice(at, 1);
    this.served.push(name);
    return 0;
  }
}

test('of thousands that wait for any member one is asked', () => {
  const scene = new Scene();
  for (let i = 0; i < 2000; i += 1) void scene.wait(`any ${i}`, 'any');
  expect(scene.elections).toBe(2000);
  scene.elections = 0;
  scene.free.push('any');
  scene.room.wake();
  expect([scene.elections, scene.served]).toEqual([2, ['any 0']]);
  scene.room.wake();
  scene.room.tick();
  expect(scene.elections).toBe(4);
});

test('a session’s member is found behind those for whom it is nothing, and by a newcomer too', async () => {
  const scene = new Scene();
  for (let i = 0; i < 100; i += 1) void scene.wait(`any ${i}`, 'any');
  const behind = scene.wait('behind', 'session a');
  scene.elections = 0;
  scene.free.push('session a');
  scene.room.wake();
  expect(await behind).toBe(0);
  expect(scene.elections).toBe(2);
  scene.free.push('session b');
  expect(await scene.wait('newcomer', 'session b')).toBe(0);
  expect(scene.served).toEqual(['behind', 'newcomer']);
});

test('a newcomer does not take what the first of its line can have', () => {
  const scene = new Scene();
  void scene.wait('first', 'any');
  scene.free.push('any');
  void scene.wait('newcomer', 'any');
  expect(scene.served).toEqual(['first']);
});

test('who waits in vain makes room, also behind others', async () => {
  const scene = new Scene(2);
  void scene.wait('first', 'any');
  let isGone = false;
  const gone = scene.wait('gone', 'any', () => isGone);
  expect(await scene.wait('too many', 'any')).toBe(NONE);
  isGone = true;
  scene.room.tick();
  expect(await gone).toBe(NONE);
  scene.free.push('any', 'any');
  void scene.wait('next', 'any');
  expect(scene.served).toEqual(['first', 'next']);
});

test('who waits for something else after a change of what is served is held up by nobody', () => {
  const scene = new Scene();
  let line = 'lost session';
  void scene.wait('first', 'lost session');
  void scene.wait('second', () => line);
  line = 'session a';
  scene.free.push('session a');
  scene.room.rearrange();
  expect(scene.served).toEqual(['second']);
});

test('the time of all is up after the same wait', async () => {
  const scene = new Scene();
  const waits = [scene.wait('one', 'any'), scene.wait('other', 'session a')];
  scene.clock.advanceMs(1000);
  scene.room.tick();
  expect(await Promise.all(waits)).toEqual([NONE, NONE]);
});
