// The API server fails in every way it knows: members go on being served from the last good state, and what changed
// meanwhile is known soon after it is back.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SteadyLoad } from '../integration/product/client.ts';
import { absence, apiAddress, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { FaultProxy } from './fault-proxy.ts';
import { balancerNamed, readyPods } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

const everyHost = ['--catch-all-namespaces', '*'];
/** Milliseconds in which a change must be known when nothing is wrong, or not any more; back-off included. */
const SOON = 20_000;

describe.skipIf(absence !== null)('while the API server', () => {
  let plane: ControlPlane;
  beforeEach(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterEach(() => plane?.[Symbol.asyncDispose]());

  /** A Balancer for every host over the Service, for a load that names none. */
  const takeEveryHost = (scene: Scene) =>
    plane.admin.apply(
      balancerNamed(scene.namespace, 'every-host', { members: [{ service: { name: 'app', port: 'http' } }] }),
    );

  test('is gone, killed or stopped, all requests are answered; afterwards changes are known', async () => {
    await using evenkeel = await serveCluster(plane, { args: everyHost });
    await using scene = await Scene.open(plane.admin, 'gone');
    const [one, two] = await scene.furnish(2);
    await takeEveryHost(scene);
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    await using load = new SteadyLoad(evenkeel.httpPort, 100);

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await plane.stopApiServer(signal);
      const before = load.finished;
      await expect.poll(() => load.finished - before, { timeout: 20_000 }).toBeGreaterThan(500);
      await plane.startApiServer();
      const there = signal === 'SIGKILL' ? [one!] : [one!, two!];
      await scene.write(readyPods(...there));
      await scene.untilServedBy(
        evenkeel,
        there.map(({ name }) => name),
        SOON,
      );
    }
    await load.stop();
    expect(load.failures).toEqual([]);

    // The Lease is asked for every two seconds, and as soon as it is had again, statuses are written.
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status, { timeout: 15_000 })
      .toMatchObject({ members: { total: 2 } });
  }, 180_000);

  test('is away for a minute, it is asked for seldom; afterwards changes and statuses come soon', async () => {
    await using proxy = await FaultProxy.start(apiAddress, plane.apiPort);
    const kubeconfig = plane.kubeconfig({ server: proxy.server });
    await using evenkeel = await serveCluster(plane, { kubeconfig, args: everyHost });
    await using scene = await Scene.open(plane.admin, 'minute');
    const [one, two] = await scene.furnish(2);
    await takeEveryHost(scene);
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    await scene.untilCondition('Ready', 'True');
    await using load = new SteadyLoad(evenkeel.httpPort, 50);

    await plane.stopApiServer('SIGKILL');
    const awayMs = performance.now();
    const before = proxy.accepted;
    const timeout = 70_000;
    await expect.poll(() => performance.now() - awayMs, { timeout, interval: 500 }).toBeGreaterThan(60_000);
    // The Lease every one to two seconds, the three kinds every five in the end.
    const tries = proxy.accepted - before;
    expect(tries).toBeGreaterThan(20);
    expect(tries).toBeLessThan(160);

    await plane.startApiServer();
    const back = proxy.accepted;
    await scene.write(readyPods(one!));
    await plane.admin.merge(scene.balancer, { spec: { lbMethod: 'bytraffic' } });
    await scene.untilServedBy(evenkeel, [one!.name], SOON);
    await scene.untilCondition('Ready', 'True', undefined, SOON);
    // What is had again is kept.
    expect(proxy.accepted - back).toBeLessThan(30);
    await load.stop();
    expect(load.failures).toEqual([]);
  }, 180_000);

  test('has forgotten all history, what was deleted, made and changed meanwhile is known', async () => {
    await using proxy = await FaultProxy.start(apiAddress, plane.apiPort);
    await using evenkeel = await serveCluster(plane, { kubeconfig: plane.kubeconfig({ server: proxy.server }) });
    await using changed = await Scene.open(plane.admin, 'changed');
    await using deleted = await Scene.open(plane.admin, 'deleted');
    const [one, two] = await changed.furnish(2);
    const [three] = await deleted.furnish(1);
    await changed.untilServedBy(evenkeel, [one!.name, two!.name]);
    await deleted.untilServedBy(evenkeel, [three!.name]);

    await proxy.refuse();
    await changed.write(readyPods(two!));
    await plane.admin.delete(deleted.balancer);
    await using made = await Scene.open(plane.admin, 'made');
    const [four] = await made.furnish(1);
    await plane.compactEtcd();
    // Its cache of events goes with it: a watch from where it was is told 410.
    await plane.stopApiServer('SIGKILL');
    await plane.startApiServer();
    await changed.untilServedBy(evenkeel, [one!.name, two!.name]);
    await proxy.accept();

    await changed.untilServedBy(evenkeel, [two!.name], SOON);
    await deleted.untilAnswered(evenkeel, 404, SOON);
    await made.untilServedBy(evenkeel, [four!.name], SOON);
  });

  test('breaks connections again and again, each change is known', async () => {
    await using proxy = await FaultProxy.start(apiAddress, plane.apiPort);
    await using evenkeel = await serveCluster(plane, { kubeconfig: plane.kubeconfig({ server: proxy.server }) });
    await using scene = await Scene.open(plane.admin, 'cut');
    const [one, two] = await scene.furnish(2);
    for (let turn = 0; turn < 6; turn += 1) {
      const kept = turn % 2 === 0 ? one! : two!;
      proxy.delay(turn % 3 === 0 ? 50 : 0);
      proxy.cut();
      await scene.write(readyPods(kept));
      await scene.untilServedBy(evenkeel, [kept.name], SOON);
    }
    expect(proxy.accepted).toBeGreaterThan(6);
  });

  // Nothing says that connections are dead but their silence. That of the Lease is the first one to be noticed.
  test('is at the other end of half-open connections, they are given up, and changes are known', async () => {
    await using proxy = await FaultProxy.start(apiAddress, plane.apiPort);
    await using evenkeel = await serveCluster(plane, {
      kubeconfig: plane.kubeconfig({ server: proxy.server }),
      args: everyHost,
    });
    await using scene = await Scene.open(plane.admin, 'half-open');
    const [one, two] = await scene.furnish(2);
    await takeEveryHost(scene);
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    await using load = new SteadyLoad(evenkeel.httpPort, 50);

    proxy.swallow();
    await scene.write(readyPods(one!));
    const before = proxy.accepted;
    await expect.poll(() => proxy.accepted, { timeout: 15_000, interval: 100 }).toBeGreaterThan(before);
    // Not by a reset of the old connections: new ones come through, the old ones stay dead.
    proxy.passNew();
    await scene.untilServedBy(evenkeel, [one!.name], 40_000);

    await load.stop();
    expect(load.failures).toEqual([]);
  }, 120_000);

  test('is frozen, requests are answered; afterwards changes are known', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'frozen');
    const [one, two] = await scene.furnish(2);
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    plane.pauseApiServer();
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    plane.resumeApiServer();
    await scene.write(readyPods(one!));
    await scene.untilServedBy(evenkeel, [one!.name], SOON);
  });
});
