// The estimate of live sessions: its error, its window, and several lanes at once.
import { describe, expect, it } from 'vitest';
import { SessionSketch, sketchBytes } from '../../../../src/balancer/sessions/session-sketch.ts';

const windowMs = 30 * 60_000;
const rows = 4;

function lane(memory = new SharedArrayBuffer(sketchBytes(rows))): SessionSketch {
  return new SessionSketch(memory, windowMs);
}

function observeAll(sketch: SessionSketch, name: string, count: number, nowMs = 0): void {
  for (let at = 0; at < count; at++) sketch.observe(1, `${name}-${at}`, nowMs);
}

describe('session sketch', () => {
  it('is empty exactly when nothing was seen in the window', () => {
    const sketch = lane();
    expect(sketch.estimate(1, 0)).toBe(0);
    sketch.observe(1, 'a', 0);
    sketch.observe(1, 'a', 1);
    expect(sketch.estimate(1, 1)).toBe(1);
    expect(sketch.estimate(0, 1)).toBe(0);
    expect(sketch.estimate(2, 1)).toBe(0);
  });

  it.each([10, 100, 1000, 10_000, 100_000])('%i sessions: standard error within 6 %, no bias', (count) => {
    const rounds = count > 10_000 ? 12 : 60;
    const errors = Array.from({ length: rounds }, (_, round) => {
      const sketch = lane();
      observeAll(sketch, `${count}/${round}`, count);
      return sketch.estimate(1, 0) / count - 1;
    });
    const mean = errors.reduce((sum, error) => sum + error, 0) / rounds;
    const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / rounds);
    // The expected 0.0574 with what chance adds to the mean square of that many rounds (three standard deviations).
    expect(deviation).toBeLessThan(0.0574 * (1 + 3 / Math.sqrt(2 * rounds)));
    expect(Math.abs(mean)).toBeLessThan((3 * 0.0574) / Math.sqrt(rounds));
  });

  it('slides: sessions not seen again leave', () => {
    const sketch = lane();
    observeAll(sketch, 'early', 500, 0);
    observeAll(sketch, 'late', 500, windowMs / 2);
    const both = sketch.estimate(1, windowMs * 0.99);
    expect(both).toBeGreaterThan(800);
    const late = sketch.estimate(1, windowMs * 1.25);
    expect(late).toBeGreaterThan(400);
    expect(late).toBeLessThan(600);
    expect(sketch.estimate(1, windowMs * 1.6)).toBe(0);
  });

  it('does not bring old ones back when ticks begin anew', () => {
    const sketch = lane();
    observeAll(sketch, 'early', 500, 0);
    for (let at = 0; at <= 12; at++) {
      const estimate = sketch.estimate(1, at * windowMs);
      expect(estimate > 0).toBe(at <= 1);
    }
  });

  it('several lanes write one memory, and what they both see counts once', () => {
    const memory = new SharedArrayBuffer(sketchBytes(rows));
    const lanes = [lane(memory), lane(memory), lane(memory)];
    const alone = lane();
    observeAll(alone, 'x', 3000);
    for (const one of lanes) observeAll(one, 'x', 3000);
    expect(lane(memory).estimate(1, 0)).toBe(alone.estimate(1, 0));
  });

  it('forgets a row that gets another member', () => {
    const sketch = lane();
    observeAll(sketch, 'x', 100);
    sketch.observe(2, 'y', 0);
    sketch.clear(1);
    expect(sketch.estimate(1, 0)).toBe(0);
    expect(sketch.estimate(2, 0)).toBe(1);
  });
});
