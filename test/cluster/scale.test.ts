// A tenth of what scale.ts measures, at twice its bounds: machines that run tests are slow and busy with other things.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { measureScale, percentile } from './scale-figures.ts';

describe.skipIf(absence !== null)('a cluster with 100 Balancers, 200 Services and 2,000 endpoints', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('is served soon, and changes of an EndpointSlice are known to elections at once', async () => {
    const figures = await measureScale(plane, { balancers: 100, changes: 90, quietSeconds: 0 });
    const { syncSeconds, residentMiB, latenciesMs, busyLatenciesMs } = figures;
    expect(syncSeconds).toBeLessThan(20);
    expect(residentMiB).toBeLessThan(400);
    // So few that a share of 99 % would be the worst one: three of them may be outliers of the machine.
    for (const sorted of [latenciesMs, busyLatenciesMs]) {
      expect(percentile(sorted, 0.5)).toBeLessThan(100);
      expect(sorted.at(-4)).toBeLessThan(500);
    }
  }, 120_000);
});
