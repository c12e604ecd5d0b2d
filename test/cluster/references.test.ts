// What a Balancer names and is not there: it is said in its status, nothing else suffers, and it works as soon as it is
// supplied.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { readyPods, serviceNamed } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

describe.skipIf(absence !== null)('what a Balancer names', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('a Service that comes later, goes, and comes again', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'no-service');
    await plane.admin.apply(scene.balancer);
    await scene.untilCondition('ResolvedRefs', 'False', 'ServiceNotFound');
    await scene.untilAnswered(evenkeel, 503);

    const member = await scene.startMember();
    await scene.write(readyPods(member));
    await plane.admin.apply(scene.service);
    await scene.untilServedBy(evenkeel, [member.name]);
    await scene.untilCondition('ResolvedRefs', 'True');

    await plane.admin.delete(scene.service);
    await scene.untilCondition('ResolvedRefs', 'False', 'ServiceNotFound');
    await scene.untilAnswered(evenkeel, 503);
    await plane.admin.apply(scene.service);
    await scene.untilServedBy(evenkeel, [member.name]);
    await scene.untilCondition('ResolvedRefs', 'True');
  });

  test('a port that the Service has not, until it is named so', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'no-port');
    const member = await scene.startMember();
    await plane.admin.applyAll([serviceNamed(scene.namespace, 'app', 'web'), scene.balancer]);
    await scene.write(readyPods(member));
    await scene.untilCondition('ResolvedRefs', 'False', 'PortNotFound');
    await scene.untilAnswered(evenkeel, 503);

    await plane.admin.merge(scene.service, { spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] } });
    await scene.untilServedBy(evenkeel, [member.name]);
    await scene.untilCondition('ResolvedRefs', 'True');
  });

  test('a Secret with signing keys: without it no session is believed, and none is made', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'no-secret');
    const [member] = await scene.furnish(1);
    const stickySession = { cookie: 'ROUTE', strategy: 'Insert', signing: { secretName: 'keys' } };
    await plane.admin.merge(scene.balancer, { spec: { stickySession } });
    await scene.untilCondition('ResolvedRefs', 'False', 'SecretNotFound');
    const cookieOf = async (): Promise<string> =>
      [(await scene.request(evenkeel)).headers['set-cookie']].flat().find((text) => text?.startsWith('ROUTE=')) ?? '';
    expect(await cookieOf()).toBe('');

    const keys = Buffer.from(`${Buffer.alloc(32, 7).toString('base64')}\n`).toString('base64');
    await plane.admin.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: scene.namespace },
      data: { keys },
    });
    await eventually(async () => expect(await cookieOf()).not.toBe(''));
    await scene.untilCondition('ResolvedRefs', 'True');
    await scene.untilServedBy(evenkeel, [member!.name]);
  });

  test('a faulty one takes nothing else down', async () => {
    await using evenkeel = await serveCluster(plane);
    await using good = await Scene.open(plane.admin, 'good');
    await using bad = await Scene.open(plane.admin, 'bad');
    const [member] = await good.furnish(1);
    await good.untilServedBy(evenkeel, [member!.name]);
    await plane.admin.apply(bad.balancer);
    await bad.untilCondition('ResolvedRefs', 'False');
    await good.untilServedBy(evenkeel, [member!.name]);
    await good.untilCondition('Ready', 'True');
  });
});
