// Two replicas on a real API server, each a user of its own, so that the audit log tells who wrote what: one leads, and the
// other takes over, however the first one ends.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EvenkeelProcess, LogEntry } from '../helpers/evenkeel-process.ts';
import type { KubeObject } from './api-client.ts';
import { Audit, type AuditEntry } from './audit.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { Scene, serveCluster } from './scene.ts';

/** From the death of a leader until another one leads: the Lease's 15 s, a look at it every 2 s, and a busy machine. */
const TAKE_OVER_MS = 30_000;
const HAND_OVER_MS = 10_000;

const isLeading = ({ msg }: LogEntry): boolean => msg?.startsWith('leading:') ?? false;

describe.skipIf(absence !== null)('two replicas', () => {
  let audit: Audit;
  let plane: ControlPlane;

  beforeAll(async () => {
    audit = new Audit();
    plane = await startControlPlane({ apiServerFlags: audit.flags });
    await applyCrds(plane.admin);
    await plane.admin.applyAll(permissions());
  });
  afterAll(async () => {
    await plane?.[Symbol.asyncDispose]();
    audit?.[Symbol.dispose]();
  });

  /** A replica that may do what reading and reporting take, and no more. */
  async function startReplica(name: string, lease: string): Promise<EvenkeelProcess> {
    const token = await plane.admin.tokenFor('default', name);
    const kubeconfig = plane.kubeconfig({ token });
    return serveCluster(plane, { kubeconfig, args: ['--leader-election-name', lease] });
  }

  /** Writes that replicas made, by whom. */
  function writesSince(atMs: number): readonly (AuditEntry & { readonly replica: string })[] {
    return audit.entries().flatMap((entry) => {
      const replica = /^system:serviceaccount:default:(.*)$/.exec(entry.user)?.[1];
      return replica === undefined || entry.atMs < atMs ? [] : [{ ...entry, replica }];
    });
  }

  async function versionOf(scene: Scene): Promise<string | undefined> {
    return (await plane.admin.get(scene.balancer)).metadata.resourceVersion;
  }

  test('agree on one that writes; when it is killed, the other one goes on where it stopped', async () => {
    const startMs = Date.now();
    await using one = await startReplica('one', 'killed');
    await one.waitForLog(isLeading);
    await using two = await startReplica('two', 'killed');
    await using scene = await Scene.open(plane.admin, 'killed');
    const members = await scene.furnish(2);
    await scene.untilCondition('Ready', 'True');
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status)
      .toMatchObject({ members: { total: 2 } });
    const before = await versionOf(scene);

    const killedMs = performance.now();
    await one.kill();
    await two.waitForLog(isLeading, TAKE_OVER_MS);
    console.info(`another replica led ${Math.round(performance.now() - killedMs)} ms after the leader was killed`);
    // What the new leader writes first shows that it has looked at everything.
    await using other = await Scene.open(plane.admin, 'after');
    await other.furnish(1);
    await other.untilCondition('Ready', 'True');
    expect(await versionOf(scene)).toBe(before);
    await scene.write(new Map([[members[0]!, 'Ready']]));
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status)
      .toMatchObject({ members: { total: 1 } });

    const writes = writesSince(startMs).filter(({ resource }) => resource !== 'leases');
    const authors = (namespace: string) =>
      writes.filter((each) => each.namespace === namespace).map(({ replica }) => replica);
    expect(authors(scene.namespace).at(-1)).toBe('two');
    expect(authors(scene.namespace).slice(0, -1)).not.toContain('two');
    expect(new Set(authors(other.namespace))).toEqual(new Set(['two']));
    // A version that was outdated is no fault.
    expect(writes.filter(({ code }) => code >= 300 && code !== 409)).toEqual([]);
    // Both look at the Lease, but only who leads writes it.
    const leases = writesSince(startMs).filter(({ resource, code }) => resource === 'leases' && code < 300);
    expect(leases.map(({ replica }) => replica).join(' ')).toMatch(/^(one ?)+(two ?)+$/);
  });

  test('change the lead within seconds when the leader ends in good order', async () => {
    await using one = await startReplica('one', 'ended');
    await one.waitForLog(isLeading);
    await using two = await startReplica('two', 'ended');
    const endingMs = performance.now();
    const ended = one.stop();
    await two.waitForLog(isLeading, HAND_OVER_MS);
    console.info(`another replica led ${Math.round(performance.now() - endingMs)} ms after the leader was told to end`);
    expect((await ended).code).toBe(0);
    expect(one.log.some(({ msg }) => msg === 'gave the Lease back')).toBe(true);
    const lease = await plane.admin.get(leaseNamed('ended'));
    expect(lease.spec).toMatchObject({ holderIdentity: expect.stringContaining('_'), leaseTransitions: 1 });
  });

  test('are not confused by a leader that was paused and does not know it', async () => {
    await using one = await startReplica('one', 'paused');
    await one.waitForLog(isLeading);
    await using two = await startReplica('two', 'paused');
    await using scene = await Scene.open(plane.admin, 'paused');
    const members = await scene.furnish(2);
    await scene.untilCondition('Ready', 'True');
    one.signal('SIGSTOP');
    try {
      // News that waits for the one that is paused.
      await scene.write(new Map([[members[0]!, 'Ready']]));
      await two.waitForLog(isLeading, TAKE_OVER_MS);
      await expect
        .poll(async () => (await plane.admin.get(scene.balancer)).status)
        .toMatchObject({ members: { total: 1 } });
    } finally {
      one.signal('SIGCONT');
    }
    const resumedMs = Date.now();
    await one.waitForLog(({ msg }) => msg === 'not leading any more');
    await scene.write(new Map(members.map((member) => [member, 'Ready'])));
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status, { timeout: 5_000 })
      .toMatchObject({ members: { total: 2 } });
    const writes = writesSince(resumedMs).filter(({ code, namespace }) => code < 300 && namespace === scene.namespace);
    expect(new Set(writes.map(({ replica }) => replica))).toEqual(new Set(['two']));
  });
});

function leaseNamed(name: string): KubeObject {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace: 'default' } };
}

/** As docs/status.md says, and what reading takes. */
function permissions(): readonly KubeObject[] {
  const api = 'rbac.authorization.k8s.io/v1';
  const read = ['get', 'list', 'watch'];
  const rules = [
    { apiGroups: ['evenkeel.dev'], resources: ['balancers'], verbs: read },
    { apiGroups: ['evenkeel.dev'], resources: ['balancers/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['services'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
    { apiGroups: ['gateway.networking.k8s.io'], resources: ['referencegrants'], verbs: read },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      resourceNames: ['killed', 'ended', 'paused'],
      verbs: ['get', 'update'],
    },
  ];
  const subjects = ['one', 'two'].map((name) => ({ kind: 'ServiceAccount', name, namespace: 'default' }));
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'replica' };
  return [
    { apiVersion: api, kind: 'ClusterRole', metadata: { name: 'replica' }, rules },
    { apiVersion: api, kind: 'ClusterRoleBinding', metadata: { name: 'replica' }, roleRef, subjects },
  ];
}
