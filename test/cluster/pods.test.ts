// What Pods say of themselves reaches the elections; and a Balancer that only an older CRD takes is told so.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import type { KubeObject } from './api-client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds, readCrds } from './crds.ts';
import type { MemberProcess } from './member-process.ts';
import { readyPods, sliceOf } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';
import type { Schema } from './schema-mutations.ts';

function podOf({ name }: MemberProcess, namespace: string, annotations: Readonly<Record<string, string>>): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations },
    spec: { containers: [{ name: 'app', image: 'app' }], terminationGracePeriodSeconds: 5 },
  };
}

describe.skipIf(absence !== null)('on a real API server', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('annotations of Pods switch members off and on again, and count from the first request on', async () => {
    await using scene = await Scene.open(plane.admin, 'pods');
    const { namespace } = scene;
    await plane.admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
    const members = [await scene.startMember(), await scene.startMember()] as const;
    const off = { 'evenkeel.dev/state': 'Disabled' };
    const uids = new Map<string, string>();
    for (const member of members) {
      const { metadata } = await plane.admin.apply(podOf(member, namespace, member === members[0] ? off : {}));
      uids.set(member.name, metadata.uid!);
    }
    const slice = sliceOf(namespace, 'app', readyPods(...members));
    for (const endpoint of slice.endpoints as { targetRef: { name: string; uid: string } }[]) {
      endpoint.targetRef.uid = uids.get(endpoint.targetRef.name)!;
    }
    const drain = { ...(scene.balancer.spec as object), drain: { timeout: '10m' } };
    await plane.admin.applyAll([scene.service, { ...scene.balancer, spec: drain }, slice]);
    await using evenkeel = await serveCluster(plane, { args: ['--pod-metadata'] });
    const [one, two] = members;
    const told = (): string => evenkeel.log.map(({ problem }) => problem).join('\n');
    for (let turn = 0; turn < 20; turn += 1) expect((await scene.request(evenkeel)).body).toBe(two.name);
    await plane.admin.apply(podOf(one, namespace, {}));
    await scene.untilServedBy(evenkeel, [one.name, two.name]);
    await plane.admin.apply(podOf(two, namespace, { 'evenkeel.dev/state': 'Off' }));
    await eventually(() => expect(told()).toContain(`of Pod ${namespace}/${two.name} is "Off"`));
    expect(told()).toContain('Kubernetes kills 2 of 2 pods earlier');
    await scene.untilServedBy(evenkeel, [one.name, two.name]);
  });

  test('a version that only the API server takes is refused in its status, while the one before it is served', async () => {
    const crd = structuredClone(readCrds()[0]!);
    const { versions } = crd.spec as { versions: readonly { schema: { openAPIV3Schema: Schema } }[] };
    const spec = versions[0]!.schema.openAPIV3Schema.properties!.spec!;
    expect(Reflect.deleteProperty(spec.properties!.lbMethod!, 'enum')).toBe(true);
    await plane.admin.apply(crd);
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'refused');
    const [one] = await scene.furnish(1);
    await scene.untilServedBy(evenkeel, [one!.name]);
    const wrong = { ...(scene.balancer.spec as object), lbMethod: 'bywish' };
    await eventually(() => plane.admin.apply({ ...scene.balancer, spec: wrong }), 20_000);
    await scene.untilCondition('Accepted', 'False', 'Invalid');
    await scene.untilCondition('Programmed', 'False', 'OlderVersion');
    await scene.untilServedBy(evenkeel, [one!.name]);
    await plane.admin.apply(scene.balancer);
    await scene.untilCondition('Ready', 'True', 'Ready');
  });
});
