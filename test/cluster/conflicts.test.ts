// Two that want the same: a host belongs to the namespace that claimed it first, however old the Balancers are, and passes
// on when that gives it up.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, balancerOver } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

describe.skipIf(absence !== null)('a host that two namespaces claim', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  /** Ages are in whole seconds. */
  async function untilOthersAreYounger({ balancer }: Scene): Promise<void> {
    const { creationTimestamp } = (await plane.admin.get(balancer)).metadata;
    const nextSecondMs = Date.parse(String(creationTimestamp)) + 1_000;
    await expect.poll(() => Date.now(), { timeout: 5_000 }).toBeGreaterThan(nextSecondMs);
  }

  async function hostsOf({ balancer }: Scene): Promise<unknown> {
    return ((await plane.admin.get(balancer)).status as Readonly<Record<string, unknown>> | undefined)?.hosts;
  }

  test('is served for the first; the second is told, and takes over when the first is gone', async () => {
    await using evenkeel = await serveCluster(plane);
    await using first = await Scene.open(plane.admin, 'first');
    await using second = await Scene.open(plane.admin, 'second');
    const [mine] = await first.furnish(1);
    await first.untilServedBy(evenkeel, [mine!.name]);
    await untilOthersAreYounger(first);

    await second.furnish(1);
    await second.untilCondition('Ready', 'True');
    const other = await second.startMember();
    await second.write(new Map([[other, 'Ready']]));
    await plane.admin.apply(balancerOver(second.namespace, 'app', first.host));
    await second.untilCondition('Accepted', 'False');
    await first.untilServedBy(evenkeel, [mine!.name]);

    await plane.admin.delete(first.balancer);
    await first.untilServedBy(evenkeel, [other.name]);
    await second.untilCondition('Accepted', 'True');
  });

  test('stays where it is served when an older Balancer claims it later, also after a restart, until it is given up', async () => {
    const lease = ['--leader-election-name', 'older-intruder'];
    await using evenkeel = await serveCluster(plane, { args: lease });
    await using follower = await serveCluster(plane, { args: lease });
    await using old = await Scene.open(plane.admin, 'old');
    await using young = await Scene.open(plane.admin, 'young');
    const [other] = await old.furnish(1);
    await untilOthersAreYounger(old);
    const [mine] = await young.furnish(1);
    await expect.poll(() => hostsOf(young), { timeout: 10_000 }).toEqual([young.host]);

    const members = [{ service: { name: 'app', port: 'http' } }];
    const both = balancerNamed(old.namespace, 'app', { rules: [{ hosts: [old.host, young.host] }], members });
    // Nobody writes a status by the way.
    await plane.admin.apply({ ...both, status: { className: 'evenkeel', hosts: [old.host, young.host] } });
    await old.untilCondition('Accepted', 'True', 'PartlyAccepted');
    for (const replica of [evenkeel, follower]) await young.untilServedBy(replica, [mine!.name]);
    expect(await hostsOf(old)).toEqual([old.host]);

    await evenkeel.stop();
    await follower.stop();
    await using next = await serveCluster(plane, { args: lease });
    await old.untilServedBy(next, [other!.name]);
    await young.untilServedBy(next, [mine!.name]);

    await plane.admin.apply(balancerOver(young.namespace, 'app', `elsewhere.${young.host}`));
    await young.untilServedBy(next, [other!.name]);
    await expect.poll(() => hostsOf(old), { timeout: 10_000 }).toEqual([old.host, young.host]);
    await expect.poll(() => hostsOf(young), { timeout: 10_000 }).toEqual([`elsewhere.${young.host}`]);
    await plane.admin.apply(young.balancer);
    await young.untilCondition('Accepted', 'False', 'NoRulesLeft');
    await young.untilServedBy(next, [other!.name]);
  });
});
