// A Balancer from its first `apply` to its end, as its author sees it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, readyPods } from './objects.ts';
import { Scene, SOON_MS, serveCluster } from './scene.ts';

describe.skipIf(absence !== null)('a Balancer in a cluster', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('is served soon after it is applied, after each edit, and not any more when it is deleted', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'life');
    const [one, two] = [await scene.startMember(), await scene.startMember()];
    await plane.admin.apply(scene.service);
    await scene.write(readyPods(one, two));
    expect((await scene.request(evenkeel)).status).toBe(404);

    await plane.admin.apply(scene.balancer);
    await scene.untilServedBy(evenkeel, [one.name, two.name], SOON_MS);

    const url = { url: `http://${one.address}:${one.port}` };
    const rules = [{ hosts: [scene.host] }];
    await plane.admin.apply(balancerNamed(scene.namespace, 'app', { rules, members: [url] }));
    await scene.untilServedBy(evenkeel, [one.name], SOON_MS);

    await plane.admin.delete(scene.balancer);
    await scene.untilAnswered(evenkeel, 404, SOON_MS);
  });

  test('says in its status that it is accepted, served and ready, and counts its members', async () => {
    await using _evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'status');
    const members = await scene.furnish(3);
    for (const type of ['Accepted', 'ResolvedRefs', 'Programmed', 'Ready']) await scene.untilCondition(type, 'True');
    await scene.write(new Map([...scene.pods, [members[2]!, 'Terminating']]));
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status, { timeout: 10_000 })
      .toMatchObject({ observedGeneration: 1, members: { total: 3, ready: 2, draining: 1 } });
  });

  test('is left alone when it is of another class', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'class');
    await scene.furnish(1);
    await scene.untilAnswered(evenkeel, 200);
    await plane.admin.merge(scene.balancer, { spec: { className: 'another' } });
    await scene.untilAnswered(evenkeel, 404);
    await plane.admin.merge(scene.balancer, { spec: { className: null } });
    await scene.untilAnswered(evenkeel, 200);
  });

  test('its status is not written again while nothing changes', async () => {
    await using _evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'quiet');
    await scene.furnish(1);
    await scene.untilCondition('Ready', 'True');
    const before = await plane.admin.get(scene.balancer);
    // Something else changes, which makes it build everything anew.
    await using other = await Scene.open(plane.admin, 'loud');
    await other.furnish(1);
    await other.untilCondition('Ready', 'True');
    expect((await plane.admin.get(scene.balancer)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });
});
