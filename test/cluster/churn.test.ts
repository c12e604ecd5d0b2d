// Much change at once: ten Balancers, each written ten times a second, as fast as the API server takes it. The last version of each counts, and members are
// served meanwhile.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SteadyLoad } from '../integration/product/client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

const BALANCERS = 10;
const CHANGES_A_SECOND = 100;
const SECONDS = 5;

describe.skipIf(absence !== null)('ten Balancers', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('changed a hundred times a second: each ends as it was written last, and no request fails', async () => {
    await using evenkeel = await serveCluster(plane, { args: ['--catch-all-namespaces', '*'] });
    await using scene = await Scene.open(plane.admin, 'churn');
    const [one, two] = await scene.furnish(2);
    const urls = [one!, two!].map(({ address, port }) => ({ url: `http://${address}:${port}` }));
    const hostOf = (index: number): string => `host-${index}.${scene.host}`;
    const balancer = (index: number, turn: number) =>
      balancerNamed(scene.namespace, `b-${index}`, {
        rules: [{ hosts: [hostOf(index)] }],
        // Now the one member, now the other.
        members: [urls[turn % 2]!],
      });
    await plane.admin.apply(
      balancerNamed(scene.namespace, 'every-host', { members: [{ service: { name: 'app', port: 'http' } }] }),
    );
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    await using load = new SteadyLoad(evenkeel.httpPort, 50);

    const turns = (CHANGES_A_SECOND * SECONDS) / BALANCERS;
    const startMs = performance.now();
    for (let turn = 0; turn < turns; turn += 1) {
      await Promise.all(
        Array.from({ length: BALANCERS }, (_, index) => plane.admin.apply(balancer(index, turn + index))),
      );
      const dueMs = startMs + ((turn + 1) * 1000 * BALANCERS) / CHANGES_A_SECOND;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
    }

    for (let index = 0; index < BALANCERS; index += 1) {
      const last = [one!, two!][(turns - 1 + index) % 2]!;
      await expect
        .poll(async () => (await scene.request(evenkeel, { host: hostOf(index) })).body, { timeout: 10_000 })
        .toBe(last.name);
    }
    await load.stop();
    expect(load.failures).toEqual([]);
  });
});
