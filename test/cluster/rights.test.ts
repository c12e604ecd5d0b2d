// What the product may do, as a ServiceAccount with the least rights: it works with them, goes on serving when they are
// taken away, and reads on when they are given back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/patience.ts';
import type { KubeObject } from './api-client.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, readyPods } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

const namespace = 'default';
const account = 'evenkeel';
const read = ['get', 'list', 'watch'];
const rules = [
  { apiGroups: ['evenkeel.dev'], resources: ['balancers'], verbs: read },
  { apiGroups: ['evenkeel.dev'], resources: ['balancers/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['services'], verbs: read },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];

function rightsOf(granted: readonly unknown[]): readonly KubeObject[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind: 'ClusterRole', metadata: { name: account }, rules: granted },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name: account },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: account },
      subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
    },
  ];
}

/** All of them in one namespace. */
function rolesIn(where: string, user: string): readonly KubeObject[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { name: user, namespace: where };
  return [
    { apiVersion, kind: 'Role', metadata, rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
      subjects: [{ kind: 'ServiceAccount', namespace, name: user }],
    },
  ];
}

describe.skipIf(absence !== null)('rights', () => {
  let plane: ControlPlane;
  let kubeconfig: string;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
    kubeconfig = plane.kubeconfig({ token: await plane.admin.tokenFor(namespace, account) });
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('that are taken away and given back: what is known is served, and what changed is known soon', async () => {
    await plane.admin.applyAll(rightsOf(rules));
    await using scene = await Scene.open(plane.admin, 'rights');
    const [one, two] = await scene.furnish(2);
    await using evenkeel = await serveCluster(plane, { kubeconfig });
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);
    await scene.untilCondition('Ready', 'True');

    await plane.admin.applyAll(rightsOf([]));
    // Watches that are open live on until they end; the API server's end ends them.
    await plane.stopApiServer('SIGKILL');
    await plane.startApiServer();
    const entry = await evenkeel.waitForLog(({ level, status }) => level === 'warn' && status === 403, 60_000);
    expect(entry).toMatchObject({ reason: 'Forbidden' });
    await scene.write(readyPods(two!));
    await scene.untilServedBy(evenkeel, [one!.name, two!.name]);

    await plane.admin.applyAll(rightsOf(rules));
    await scene.untilServedBy(evenkeel, [two!.name], 60_000);
    await eventually(async () => {
      const { status } = await plane.admin.get(scene.balancer);
      expect(status).toMatchObject({ members: { total: 1 } });
    }, 90_000);
  }, 240_000);

  test('that are missing in one of several namespaces: the others are served, and that one once they are there', async () => {
    const narrow = 'narrow';
    const token = await plane.admin.tokenFor(namespace, narrow);
    const allow = (where: string): Promise<unknown> => plane.admin.applyAll(rolesIn(where, narrow));
    await using open = await Scene.open(plane.admin, 'open');
    await using closed = await Scene.open(plane.admin, 'closed');
    await Promise.all([allow(namespace), allow(open.namespace)]);
    const [one] = await open.furnish(1);
    const [two] = await closed.furnish(1);
    const { rules: hosts, members } = open.balancer.spec as Readonly<Record<string, readonly unknown[]>>;
    const foreign = { service: { name: 'app', namespace: closed.namespace, port: 'http' } };
    const spec = { rules: hosts, members: [...members!, foreign] };
    await plane.admin.apply(balancerNamed(open.namespace, 'app', spec));

    const args = ['--namespaces', `${open.namespace},${closed.namespace}`];
    const narrowConfig = plane.kubeconfig({ token });
    await using evenkeel = await serveCluster(plane, { kubeconfig: narrowConfig, args, deadlineMs: 60_000 });
    await open.untilServedBy(evenkeel, [one!.name]);
    await closed.untilAnswered(evenkeel, 404);
    await open.untilCondition('ResolvedRefs', 'False', 'ServiceNotPermitted', 30_000);

    await allow(closed.namespace);
    await closed.untilServedBy(evenkeel, [two!.name], 30_000);
    await closed.untilCondition('Ready', 'True', undefined, 30_000);
  }, 180_000);
});
