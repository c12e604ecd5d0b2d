// The CRD changes under a running controller, as in an upgrade: what is served goes on being served, and what the new
// definition brings is read.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import { SteadyLoad } from '../integration/product/client.ts';
import type { KubeObject } from './api-client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds, readCrds } from './crds.ts';
import { balancerNamed } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';
import type { Schema } from './schema-mutations.ts';

/** The definition as it was before there was the field `forwarding`. */
function olderCrd(): KubeObject {
  const crd = structuredClone(readCrds()[0]!);
  const { versions } = crd.spec as { versions: readonly { schema: { openAPIV3Schema: Schema } }[] };
  const { properties } = versions[0]!.schema.openAPIV3Schema.properties!.spec!;
  expect(Reflect.deleteProperty(properties!, 'forwarding')).toBe(true);
  return crd;
}

describe.skipIf(absence !== null)('the CRD', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await plane.admin.apply(olderCrd());
    await eventually(() => plane.admin.list('evenkeel.dev/v1alpha1', 'Balancer'), 20_000);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('is upgraded under load: no request fails, and a field that is new has its effect', async () => {
    await using evenkeel = await serveCluster(plane, { args: ['--catch-all-namespaces', '*'] });
    await using scene = await Scene.open(plane.admin, 'upgrade');
    const [one] = await scene.furnish(1);
    const members = [{ service: { name: 'app', port: 'http' } }];
    await plane.admin.apply(balancerNamed(scene.namespace, 'every-host', { members }));
    await scene.untilServedBy(evenkeel, [one!.name]);
    await using load = new SteadyLoad(evenkeel.httpPort, 50);

    await applyCrds(plane.admin);
    const spec = { ...(scene.balancer.spec as object), forwarding: { host: 'Replace' } };
    // Refused until the API server knows the new definition, and written once. For about a second more it is sent through
    // watches of the old definition, without the new field.
    await eventually(() => plane.admin.apply({ ...scene.balancer, spec }), 20_000);
    await expect
      .poll(async () => (await scene.request(evenkeel, { 'x-show': 'host' })).body, { timeout: 10_000 })
      .toBe(`${one!.address}:${one!.port}`);
    await scene.untilCondition('Programmed', 'True', undefined, 20_000);

    await load.stop();
    expect(load.failures).toEqual([]);
  });
});
