import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NameResolver } from '../../../src/dataplane/name-resolver.ts';

type Answer = { readonly found?: string; readonly code?: string };

/** Name servers under a test's control, and what was asked of them. */
class Scene {
  nowMs = 0;
  readonly asked: string[] = [];
  readonly #open: ((answer: Answer) => void)[] = [];
  readonly resolver = new NameResolver({
    clock: { nowMs: () => this.nowMs, wallMs: () => 0 },
    lookUp: (name, done) => {
      this.asked.push(name);
      this.#open.push(({ found, code = '' }) => {
        if (found === undefined) done(Object.assign(new Error(code), { code }), []);
        else done(null, [{ address: found, family: 4 }]);
      });
    },
  });

  /** What the look-up that has waited longest gets. */
  answer(answer: Answer): void {
    this.#open.shift()!(answer);
  }

  /** What becomes of a request for the name: an address, an error code, or '…' while it waits. */
  ask(name = 'a.example'): { result: string } {
    const asking = { result: '…' };
    this.resolver.resolve(name, (error, addresses) => {
      expect(asking.result).toBe('…');
      asking.result = error === null ? addresses.map(({ address }) => address).join() : (error.code ?? '?');
    });
    return asking;
  }

  /** Time goes by, for the resolver's timers too. */
  pass(ms: number): void {
    this.nowMs += ms;
    vi.advanceTimersByTime(ms);
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a name is looked up once for all who ask at the same time', () => {
  const scene = new Scene();
  const asking = [scene.ask(), scene.ask(), scene.ask()];
  expect(scene.asked).toEqual(['a.example']);
  scene.answer({ found: '10.0.0.1' });
  expect(asking.map(({ result }) => result)).toEqual(['10.0.0.1', '10.0.0.1', '10.0.0.1']);
});

test('what was found is used for five seconds, then on while it is looked up again', () => {
  const scene = new Scene();
  scene.ask();
  scene.answer({ found: '10.0.0.1' });
  scene.pass(4_999);
  expect(scene.ask().result).toBe('10.0.0.1');
  expect(scene.asked).toHaveLength(1);
  scene.pass(1);
  expect(scene.ask().result).toBe('10.0.0.1');
  expect(scene.asked).toHaveLength(2);
  scene.answer({ found: '10.0.0.2' });
  expect(scene.ask().result).toBe('10.0.0.2');
});

test('what is older than thirty seconds is worth a second of waiting', () => {
  const scene = new Scene();
  scene.ask();
  scene.answer({ found: '10.0.0.1' });
  scene.pass(30_000);
  const quick = scene.ask();
  expect(quick.result).toBe('…');
  scene.answer({ found: '10.0.0.2' });
  expect(quick.result).toBe('10.0.0.2');

  scene.pass(30_000);
  const slow = scene.ask();
  scene.pass(999);
  expect(slow.result).toBe('…');
  scene.pass(1);
  expect(slow.result).toBe('10.0.0.2');
  scene.answer({ found: '10.0.0.3' });
  expect(scene.ask().result).toBe('10.0.0.3');
});

test('a name server in trouble takes nothing back for five minutes', () => {
  const scene = new Scene();
  scene.ask();
  scene.answer({ found: '10.0.0.1' });
  scene.pass(60_000);
  const asking = scene.ask();
  scene.answer({ code: 'EAI_AGAIN' });
  expect(asking.result).toBe('10.0.0.1');
  scene.pass(240_000);
  const late = scene.ask();
  scene.answer({ code: 'EAI_AGAIN' });
  expect(late.result).toBe('EAI_AGAIN');
});

test('what nobody has asked for in five minutes is worth nothing', () => {
  const scene = new Scene();
  scene.ask();
  scene.answer({ found: '10.0.0.1' });
  scene.pass(300_000);
  const asking = scene.ask();
  scene.pass(5_000);
  expect(asking.result).toBe('…');
  scene.answer({ found: '10.0.0.2' });
  expect(asking.result).toBe('10.0.0.2');
});

test('a name that is no more is taken back at once', () => {
  const scene = new Scene();
  scene.ask();
  scene.answer({ found: '10.0.0.1' });
  scene.pass(5_000);
  scene.ask();
  scene.answer({ code: 'ENOTFOUND' });
  expect(scene.ask().result).toBe('ENOTFOUND');
});

test('a name that was not found rests for a second, or as long as the failure took', () => {
  const scene = new Scene();
  scene.ask();
  scene.answer({ code: 'ENOTFOUND' });
  scene.pass(999);
  expect(scene.ask().result).toBe('ENOTFOUND');
  expect(scene.asked).toHaveLength(1);
  scene.pass(1);
  expect(scene.ask().result).toBe('…');
  scene.pass(10_000);
  scene.answer({ code: 'EAI_AGAIN' });
  scene.pass(9_999);
  expect(scene.ask().result).toBe('EAI_AGAIN');
  scene.pass(1);
  expect(scene.ask().result).toBe('…');
  expect(scene.asked).toHaveLength(3);
});

test('a name that does not answer holds up no other name', () => {
  const scene = new Scene();
  const stuck = scene.ask('dead.example');
  const fine = scene.ask('b.example');
  expect(scene.asked).toEqual(['dead.example', 'b.example']);
  expect([stuck.result, fine.result]).toEqual(['…', '…']);
});

test('of names that failed slowly one at a time is looked up, so that others get a turn', () => {
  const scene = new Scene();
  for (const name of ['dead1.example', 'dead2.example', 'wrong.example']) scene.ask(name);
  scene.pass(1_999);
  scene.answer({ found: '10.0.0.1' });
  scene.pass(8_001);
  scene.answer({ code: 'EAI_AGAIN' });
  scene.answer({ code: 'EAI_AGAIN' });
  scene.pass(30_000);
  scene.asked.length = 0;
  const results = ['dead2.example', 'wrong.example', 'b.example'].map((name) => scene.ask(name));
  expect(scene.asked).toEqual(['dead2.example', 'b.example']);
  expect(results.map(({ result }) => result)).toEqual(['…', 'EAI_AGAIN', '…']);
  scene.answer({ found: '10.0.0.2' });
  expect(results[0]!.result).toBe('10.0.0.2');
  scene.ask('wrong.example');
  expect(scene.asked).toEqual(['dead2.example', 'b.example', 'wrong.example']);
});

test('names that are asked for without end do not fill the memory', () => {
  const scene = new Scene();
  for (let index = 0; index <= 1024; index += 1) {
    scene.ask(`${index}.example`);
    scene.answer({ found: '10.0.0.1' });
  }
  scene.ask('1.example');
  expect(scene.asked).toHaveLength(1025);
  scene.ask('0.example');
  expect(scene.asked).toHaveLength(1026);
});
