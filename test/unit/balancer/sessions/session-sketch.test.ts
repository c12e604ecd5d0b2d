// The estimate of live sessions: its error, its window, and several lanes at once.
import { describe, expect, it } from 'vitest';
import {
  SessionSketch,
  type SketchMemory,
  sketchRowBytes,
  ticksPerSweep,
  ticksPerWindow,
} from '../../../../src/balancer/sessions/session-sketch.ts';
import { SESSION_CELLS } from '../../../../src/scoreboard/layout.ts';

const rows = 4;

function createMemory(): SketchMemory {
  const cells = new Uint8Array(new SharedArrayBuffer(rows * sketchRowBytes));
  return { cells, tick: new Int32Array(new SharedArrayBuffer(4)) };
}

function wound(memory = createMemory()): SessionSketch {
  const sketch = new SessionSketch(memory);
  sketch.setTick(0);
  return sketch;
}

function observeAll(sketch: SessionSketch, name: string, count: number): void {
  for (let at = 0; at < count; at++) sketch.observe(1, `${name}-${at}`);
}

/** Root of the mean square of relative errors, and their mean. */
function errorsOf(count: number, rounds: number): { readonly deviation: number; readonly mean: number } {
  const errors = Array.from({ length: rounds }, (_, round) => {
    const sketch = wound();
    observeAll(sketch, `${count}/${round}`, count);
    return sketch.estimate(1) / count - 1;
  });
  const mean = errors.reduce((sum, error) => sum + error, 0) / rounds;
  return { mean, deviation: Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / rounds) };
}

describe('session sketch', () => {
  it('has a row for each member in the scoreboard', () => {
    expect(sketchRowBytes).toBe(SESSION_CELLS);
  });

  it('is empty exactly when nothing was seen in the window', () => {
    const sketch = wound();
    expect(sketch.estimate(1)).toBe(0);
    sketch.observe(1, 'a');
    sketch.observe(1, 'a');
    expect(sketch.estimate(1)).toBe(1);
    expect(sketch.estimate(0)).toBe(0);
    expect(sketch.estimate(2)).toBe(0);
  });

  it('counts nothing before its clock is wound', () => {
    const sketch = new SessionSketch(createMemory());
    sketch.observe(1, 'a');
    expect(sketch.estimate(1)).toBe(0);
  });

  // The deviations that follow from the layout, by the Fisher information of the counts.
  it.each([
    [10, 60, 0.02],
    [100, 60, 0.014],
    [1000, 60, 0.0144],
    [10_000, 60, 0.0265],
    [100_000, 12, 0.0406],
  ])('%i sessions: standard error as it should be, no bias', (count, rounds, expected) => {
    const { deviation, mean } = errorsOf(count, rounds);
    // With what chance adds to the mean square of that many rounds (three standard deviations).
    expect(deviation).toBeLessThan(expected * (1 + 3 / Math.sqrt(2 * rounds)));
    expect(Math.abs(mean)).toBeLessThan((3 * expected) / Math.sqrt(rounds));
  });

  it('tells long values apart by either end, and by their length', () => {
    const sketch = wound();
    const middle = 'x'.repeat(400);
    for (let at = 0; at < 200; at++) {
      sketch.observe(1, `${at}-${middle}`);
      sketch.observe(1, `${middle}-${at}`);
      sketch.observe(1, 'y'.repeat(100 + at));
    }
    expect(Math.abs(sketch.estimate(1) / 600 - 1)).toBeLessThan(0.05);
  });

  it('slides: sessions not seen again leave', () => {
    const sketch = wound();
    observeAll(sketch, 'early', 500);
    sketch.setTick(ticksPerWindow / 2);
    observeAll(sketch, 'late', 500);
    sketch.setTick(ticksPerWindow - 1);
    expect(Math.abs(sketch.estimate(1) / 1000 - 1)).toBeLessThan(0.06);
    sketch.setTick(ticksPerWindow * 1.25);
    expect(Math.abs(sketch.estimate(1) / 500 - 1)).toBeLessThan(0.06);
    sketch.setTick(ticksPerWindow * 1.6);
    expect(sketch.estimate(1)).toBe(0);
  });

  it('does not bring old ones back when ticks begin anew, as long as rows are swept in time', () => {
    const sketch = wound();
    observeAll(sketch, 'early', 500);
    for (let ticks = 0; ticks <= 1000; ticks += ticksPerSweep) {
      sketch.setTick(ticks);
      expect(sketch.estimate(1) > 0).toBe(ticks === 0);
    }
  });

  it('several lanes write one memory, and what they both see counts once', () => {
    const memory = createMemory();
    const lanes = [wound(memory), new SessionSketch(memory), new SessionSketch(memory)];
    const alone = wound();
    observeAll(alone, 'x', 3000);
    for (const one of lanes) observeAll(one, 'x', 3000);
    expect(new SessionSketch(memory).estimate(1)).toBe(alone.estimate(1));
  });

  it('forgets a row', () => {
    const sketch = wound();
    observeAll(sketch, 'x', 100);
    sketch.observe(2, 'y');
    sketch.clear(1);
    expect(sketch.estimate(1)).toBe(0);
    expect(sketch.estimate(2)).toBe(1);
  });
});
