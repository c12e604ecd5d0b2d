// The product itself is replaced under load: a new process takes the port over before the old one ends, as the
// containers of a host-network pod do. No request is lost that was accepted.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import { get, SteadyLoad } from '../integration/product/client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, readyPods } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

/** What the kernel does to connections that a closing listener had not accepted yet, and to idle ones that are reused. */
const resetBeforeAnswer = /ECONNRESET|socket hang up|EPIPE/;

/** Requests that come while a process is between its last accept and the end of its listener. Count. */
const mostUnaccepted = 12;

describe.skipIf(absence !== null)('a controller', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('is replaced by another one with --take-over under load, twice: no request is answered with an error', async () => {
    await using scene = await Scene.open(plane.admin, 'restart');
    const [one, two] = await scene.furnish(2);
    await plane.admin.apply(
      balancerNamed(scene.namespace, 'every-host', { members: [{ service: { name: 'app', port: 'http' } }] }),
    );
    const everyHost = ['--catch-all-namespaces', '*'];
    await using first = await serveCluster(plane, { args: everyHost });
    await scene.untilServedBy(first, [one!.name, two!.name]);
    const sharing = [...everyHost, '--http-port', String(first.httpPort), '--take-over'];
    await using load = new SteadyLoad(first.httpPort, 150);

    await using second = await serveCluster(plane, { args: sharing });
    await first.stop();
    await using third = await serveCluster(plane, { args: sharing });
    await second.stop();
    await scene.write(readyPods(two!));
    await scene.untilServedBy(third, [two!.name]);

    await load.stop();
    const resets = load.failures.filter((failure) => resetBeforeAnswer.test(failure));
    expect(load.failures.filter((failure) => !resets.includes(failure))).toEqual([]);
    // Each of the two that ended may have held a few that it had not accepted.
    expect(resets.length, `${resets.length} of ${load.sent} were reset`).toBeLessThanOrEqual(2 * mostUnaccepted);
  });

  test('that starts while the API server is away waits for it, and is not ready before', async () => {
    await using scene = await Scene.open(plane.admin, 'late');
    const [one] = await scene.furnish(1);
    await plane.stopApiServer('SIGKILL');
    const adminPort = 9099;
    const readiness = async (): Promise<number> => (await get(adminPort, { path: '/readyz' })).status;
    let isOver = false;
    const args = ['--admin-port', String(adminPort)];
    // The API server takes its time to start, and the process asks every ten seconds by then.
    const starting = serveCluster(plane, { args, deadlineMs: 50_000 }).finally(() => {
      isOver = true;
    });
    await eventually(async () => expect(await readiness()).toBe(503));
    expect(isOver).toBe(false);
    await plane.startApiServer();
    await using evenkeel = await starting;
    expect(await readiness()).toBe(200);
    await scene.untilServedBy(evenkeel, [one!.name]);
  });
});
