// Two that want the same: a host belongs to the namespace that claimed it first, and passes on when that gives it up.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerOver } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

describe.skipIf(absence !== null)('a host that two namespaces claim', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('is served for the first; the second is told, and takes over when the first is gone', async () => {
    await using evenkeel = await serveCluster(plane);
    await using first = await Scene.open(plane.admin, 'first');
    await using second = await Scene.open(plane.admin, 'second');
    const [mine] = await first.furnish(1);
    await first.untilServedBy(evenkeel, [mine!.name]);
    // Ages are in whole seconds: the second one must be younger.
    const { creationTimestamp } = (await plane.admin.get(first.balancer)).metadata;
    const nextSecondMs = Date.parse(String(creationTimestamp)) + 1_000;
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(nextSecondMs);

    await second.furnish(1);
    await second.untilCondition('Ready', 'True');
    const other = await second.startMember();
    await second.write(new Map([[other, 'Ready']]));
    await plane.admin.apply(balancerOver(second.namespace, 'app', first.host));
    await second.untilCondition('Accepted', 'False');
    await first.untilServedBy(evenkeel, [mine!.name]);

    await plane.admin.delete(first.balancer);
    await first.untilServedBy(evenkeel, [other.name], 2_000);
    await second.untilCondition('Accepted', 'True');
  });
});
