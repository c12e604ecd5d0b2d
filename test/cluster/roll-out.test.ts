// Members that come and go under load, as a Deployment replaces its pods: nobody sees an error.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import { SteadyLoad } from '../integration/product/client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, type PodState, readyPods } from './objects.ts';
import { Scene, SOON_MS, serveCluster } from './scene.ts';

describe.skipIf(absence !== null)('members in a cluster', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('are all replaced, one after the other, under load: no request fails, and the last ones serve all', async () => {
    await using evenkeel = await serveCluster(plane, { args: ['--catch-all-namespaces', '*'] });
    await using scene = await Scene.open(plane.admin, 'roll-out');
    const old = await scene.furnish(3);
    // Every host, for a load that names none.
    const members = [{ service: { name: 'app', port: 'http' } }];
    await plane.admin.apply(balancerNamed(scene.namespace, 'every-host', { members }));
    await scene.untilServedBy(
      evenkeel,
      old.map(({ name }) => name),
    );
    await using load = new SteadyLoad(evenkeel.httpPort, 150);

    for (const leaving of old) {
      const coming = await scene.startMember();
      const write = (...changes: readonly (readonly [typeof coming, PodState])[]) =>
        scene.write(new Map([...scene.pods, ...changes]));
      await write([coming, 'Starting']);
      await write([coming, 'Ready']);
      await expect.poll(() => load.answers.has(coming.name), { timeout: 5_000 }).toBe(true);
      await write([leaving, 'Terminating']);
      // As a preStop hook waits until nobody sends any more.
      const names = [...scene.pods].filter(([, state]) => state === 'Ready').map(([{ name }]) => name);
      await scene.untilServedBy(evenkeel, names);
      await leaving.stop();
      const before = load.finished;
      await expect.poll(() => load.finished - before, { timeout: 10_000 }).toBeGreaterThan(50);
      await scene.write(new Map([...scene.pods].filter(([member]) => member !== leaving)));
    }

    await load.stop();
    expect(load.failures).toEqual([]);
    await scene.untilServedBy(
      evenkeel,
      [...scene.pods.keys()].map(({ name }) => name),
    );
  });

  test('are scaled to none and up again: 503 meanwhile, not 404, and soon served anew', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'scale');
    const before = await scene.furnish(2);
    await scene.untilServedBy(
      evenkeel,
      before.map(({ name }) => name),
    );

    await scene.write(new Map());
    await scene.untilAnswered(evenkeel, 503, SOON_MS);
    await scene.untilCondition('Ready', 'False');
    await Promise.all(before.map((member) => member.stop()));

    const after = [await scene.startMember(), await scene.startMember(), await scene.startMember()];
    await scene.write(readyPods(...after));
    await scene.untilServedBy(
      evenkeel,
      after.map(({ name }) => name),
      SOON_MS,
    );
    await scene.untilCondition('Ready', 'True');
  });

  test('keep their sessions while they terminate, and get no new ones', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'sticky');
    const [leaving, staying] = await scene.furnish(2);
    await plane.admin.merge(scene.balancer, { spec: { stickySession: { cookie: 'SESSION', strategy: 'Suffix' } } });

    // A session of the member that is going to leave.
    const cookie = await eventually(async () => {
      const { body, headers } = await scene.request(evenkeel);
      expect(body).toBe(leaving!.name);
      const [set] = [headers['set-cookie']].flat();
      expect(set).toMatch(/^SESSION=of-app-1\.[a-z0-9]+;/);
      return set!.split(';')[0]!;
    });

    await scene.write(new Map([...scene.pods, [leaving!, 'Terminating']]));
    await scene.untilServedBy(evenkeel, [staying!.name]);
    for (let turn = 0; turn < 10; turn += 1) {
      expect((await scene.request(evenkeel, { cookie })).body).toBe(leaving!.name);
      expect((await scene.request(evenkeel)).body).toBe(staying!.name);
    }

    await scene.write(readyPods(staying!));
    await eventually(async () => expect((await scene.request(evenkeel, { cookie })).body).toBe(staying!.name));
  });
});
