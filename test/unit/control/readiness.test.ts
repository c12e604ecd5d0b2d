import { describe, expect, it } from 'vitest';
import { ReadinessGate } from '../../../src/control/readiness.ts';

function setUp(lanes: number) {
  const listening = new Set<number>();
  const serving = new Set<number>();
  const gate = new ReadinessGate({
    lanes,
    isListening: (lane) => listening.has(lane),
    isServing: (lane) => serving.has(lane),
  });
  return { listening, serving, gate };
}

describe('readiness', () => {
  it('needs every lane to listen and to serve at start', () => {
    const { listening, serving, gate } = setUp(2);
    expect(gate.read()).toEqual({ isReady: false, reason: 'starting: 0 of 2 lanes listen and serve a snapshot' });
    listening.add(0).add(1);
    serving.add(0);
    expect(gate.read().isReady).toBe(false);
    serving.add(1);
    expect(gate.read()).toEqual({ isReady: true, reason: '2 of 2 lanes listen and serve a snapshot' });
  });

  it('counts a lane only if it does both', () => {
    const { listening, serving, gate } = setUp(2);
    listening.add(0);
    serving.add(1);
    expect(gate.read().reason).toContain('0 of 2');
  });

  it('needs one lane afterwards', () => {
    const { listening, serving, gate } = setUp(2);
    for (const set of [listening, serving]) set.add(0).add(1);
    gate.read();
    listening.delete(0);
    expect(gate.read().isReady).toBe(true);
    serving.delete(1);
    expect(gate.read()).toEqual({ isReady: false, reason: '0 of 2 lanes listen and serve a snapshot' });
  });

  it('is gone from the moment of the shutdown', () => {
    const { listening, serving, gate } = setUp(1);
    listening.add(0);
    serving.add(0);
    gate.shutDown();
    expect(gate.read()).toEqual({ isReady: false, reason: 'shutting down' });
  });
});
