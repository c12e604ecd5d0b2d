// Statuses and events as a real API server keeps them: what is ours and what is not, what is written when nothing changes
// and when everything does, where others find the proxy.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventRecorder } from '../../src/provider/kubernetes/event-recorder.ts';
import { createApiClient } from '../../src/provider/kubernetes/api-client.ts';
import { findCluster } from '../../src/provider/kubernetes/cluster-access.ts';
import { createStatusClient } from '../../src/provider/kubernetes/status-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemTimers } from '../../src/lib/hold-off.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { RecordedLog } from '../unit/control/fixtures.ts';
import { get } from '../integration/product/client.ts';
import type { KubeObject } from './api-client.ts';
import { Audit } from './audit.ts';
import { absence, type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { balancerNamed, newNamespace, serviceNamed } from './objects.ts';
import { Scene, serveCluster } from './scene.ts';

/** How long nothing must happen. */
const QUIET_MS = 30_000;
const WRITES_MS = 6_000;

interface Managed {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
}

describe.skipIf(absence !== null)('the status of a Balancer on a real API server', () => {
  let audit: Audit;
  let plane: ControlPlane;

  beforeAll(async () => {
    audit = new Audit();
    plane = await startControlPlane({ apiServerFlags: audit.flags });
    await applyCrds(plane.admin);
  });
  afterAll(async () => {
    await plane?.[Symbol.asyncDispose]();
    audit?.[Symbol.dispose]();
  });

  const statusWrites = (namespace: string) =>
    audit.entries().filter((entry) => entry.resource === 'balancers/status' && entry.namespace === namespace);
  const openApi = async () =>
    createApiClient(await findCluster({ kubeconfig: plane.kubeconfig(), env: {}, clock: systemClock }));

  test('is not written again while nothing changes, though requests are served', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'still');
    await scene.furnish(2);
    await scene.untilCondition('Ready', 'True');
    await scene.untilAnswered(evenkeel, 200);
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status)
      .toMatchObject({ members: { total: 2 } });
    const before = (await plane.admin.get(scene.balancer)).metadata.resourceVersion;
    const requests = statusWrites(scene.namespace).length;
    const endMs = performance.now() + QUIET_MS;
    while (performance.now() < endMs) {
      await get(evenkeel.httpPort, { headers: { host: scene.host } });
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    expect((await plane.admin.get(scene.balancer)).metadata.resourceVersion).toBe(before);
    expect(statusWrites(scene.namespace)).toHaveLength(requests);
  });

  test('is written at most once a second, however often its Balancer changes, and is right in the end', async () => {
    await using evenkeel = await serveCluster(plane);
    const { metadata } = await plane.admin.apply(newNamespace('busy'));
    const names = Array.from({ length: 10 }, (_, index) => `b${index}`);
    const write = (name: string, count: number) =>
      plane.admin.apply(
        balancerNamed(metadata.name, name, {
          rules: [{ hosts: [`${name}.busy.example`] }],
          members: Array.from({ length: (count % 5) + 1 }, (_, index) => ({ url: `http://10.77.9.${index + 1}:80` })),
        }),
      );
    const endMs = performance.now() + WRITES_MS;
    let count = 0;
    for (; performance.now() < endMs; count += 1) await Promise.all(names.map((name) => write(name, count)));
    for (const name of names) {
      const reference = balancerNamed(metadata.name, name, {});
      await expect
        .poll(async () => (await plane.admin.get(reference)).status, { timeout: 10_000 })
        .toMatchObject({ observedGeneration: count, members: { total: ((count - 1) % 5) + 1 } });
    }
    for (const name of names) {
      const times = statusWrites(metadata.name).flatMap((entry) =>
        entry.name === name && entry.code < 300 ? [entry.atMs] : [],
      );
      // All but the last may have come too late for their version.
      expect(times.length).toBeGreaterThan(0);
      // When a request comes in is the machine's business too; how many there are is not.
      expect(times.length).toBeLessThanOrEqual((times.at(-1)! - times[0]!) / 1_000 + 1.5);
    }
    console.info(
      `${count} versions of each of ${names.length} Balancers, ${statusWrites(metadata.name).length} writes`,
    );
    await evenkeel.stop();
  });

  test('leaves the conditions of others, and goes when the Balancer goes to another class', async () => {
    await using evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'shared');
    const condition = {
      type: 'example.com/Audited',
      status: 'True',
      reason: 'Seen',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await scene.furnish(1);
    await scene.untilCondition('Ready', 'True');
    const { apiVersion, kind, metadata } = scene.balancer;
    const path = `/apis/${apiVersion}/namespaces/${metadata.namespace}/balancers/${metadata.name}/status`;
    await plane.admin.send(`${path}?fieldManager=auditor`, {
      method: 'PATCH',
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion, kind, metadata, status: { conditions: [condition] } },
    });
    await scene.write(new Map());
    await scene.untilCondition('Ready', 'False', 'NoMembers');
    expect(typesOf(await plane.admin.get(scene.balancer))).toEqual([
      'Accepted',
      'Programmed',
      'Ready',
      'ResolvedRefs',
      'example.com/Audited',
    ]);
    await plane.admin.merge(scene.balancer, { spec: { className: 'another' } });
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status, { timeout: 5_000 })
      .toEqual({ conditions: [condition] });
    const { managedFields } = (await plane.admin.get(scene.balancer)).metadata as {
      managedFields?: readonly Managed[];
    };
    expect(managedFields!.map(({ manager }) => manager)).not.toContain('evenkeel');
    // And comes back with it.
    await plane.admin.merge(scene.balancer, { spec: { className: null } });
    await scene.untilCondition('Ready', 'False', 'NoMembers');
    expect(evenkeel.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('loses its old words also when the class changed while nobody led', async () => {
    await using scene = await Scene.open(plane.admin, 'absent');
    const first = await serveCluster(plane);
    await scene.furnish(1);
    await scene.untilCondition('Ready', 'True');
    await first.stop();
    await plane.admin.merge(scene.balancer, { spec: { className: 'another' } });
    await using _second = await serveCluster(plane);
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status ?? {}, { timeout: 10_000 })
      .toEqual({});
  });

  test('has the addresses of the Service in front of the proxy', async () => {
    await using scene = await Scene.open(plane.admin, 'address');
    const proxy = serviceNamed(scene.namespace, 'proxy');
    await plane.admin.apply({ ...proxy, spec: { ...(proxy.spec as object), type: 'LoadBalancer' } });
    await using _evenkeel = await serveCluster(plane, { args: ['--publish-service', `${scene.namespace}/proxy`] });
    await scene.furnish(1);
    await scene.untilCondition('Ready', 'True');
    expect((await plane.admin.get(scene.balancer)).status).not.toHaveProperty('addresses');
    await plane.admin.send(`/api/v1/namespaces/${scene.namespace}/services/proxy/status`, {
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example.com' }] } } },
    });
    await expect
      .poll(async () => (await plane.admin.get(scene.balancer)).status, { timeout: 20_000 })
      .toMatchObject({
        addresses: [
          { type: 'IPAddress', value: '192.0.2.1' },
          { type: 'Hostname', value: 'lb.example.com' },
        ],
      });
  });

  test('is written only over the version that was seen', async () => {
    const { metadata } = await plane.admin.apply(newNamespace('anew'));
    const object = balancerNamed(metadata.name, 'b', { members: [{ url: 'http://10.77.9.1' }] });
    const { uid, resourceVersion } = (await plane.admin.apply(object)).metadata as Required<KubeObject['metadata']>;
    const api = await openApi();
    const client = createStatusClient({ api, fieldManager: 'evenkeel', timeoutMs: 5_000 });
    const target = { namespace: metadata.name, name: 'b', uid };
    const status = { members: { total: 1, ready: 1, draining: 0 } };
    const { signal } = new AbortController();
    expect(await client.read(target, signal)).toEqual({ uid, resourceVersion, isOurs: false });
    const version = await client.apply(target, status, resourceVersion, signal);
    expect(version).not.toBe(resourceVersion);
    expect(await client.read(target, signal)).toEqual({ uid, resourceVersion: version, isOurs: true });
    // The same again changes nothing.
    expect(await client.apply(target, status, version, signal)).toBe(version);
    await expect(client.apply(target, null, resourceVersion, signal)).rejects.toMatchObject({ status: 409 });
    await expect(client.apply({ ...target, name: 'gone' }, status, version, signal)).rejects.toMatchObject({
      status: 404,
    });
    const after = await client.apply(target, null, version, signal);
    expect(await client.read(target, signal)).toEqual({ uid, resourceVersion: after, isOurs: false });
    expect((await plane.admin.get(object)).status ?? {}).toEqual({});
    // Made anew, it is another one.
    await plane.admin.delete(object);
    await plane.admin.apply(object);
    await expect(client.apply(target, status, after, signal)).rejects.toMatchObject({ status: 409 });
    expect((await client.read(target, signal)).uid).not.toBe(uid);
    api.close();
  });

  test('is told of in events, which become series', async () => {
    await using _evenkeel = await serveCluster(plane);
    await using scene = await Scene.open(plane.admin, 'events');
    await scene.furnish(1);
    await scene.untilCondition('Ready', 'True');
    await scene.write(new Map());
    await scene.untilCondition('Ready', 'False');
    const events = async () =>
      (await plane.admin.list('events.k8s.io/v1', 'Event', scene.namespace)) as readonly EventObject[];
    await expect
      .poll(async () => (await events()).map(({ reason }) => reason), { timeout: 5_000 })
      .toContain('NoMembers');
    const event = (await events()).find(({ reason }) => reason === 'NoMembers')!;
    const { uid } = (await plane.admin.get(scene.balancer)).metadata;
    expect(event).toMatchObject({
      type: 'Warning',
      action: 'SetReady',
      reportingController: 'evenkeel.dev/controller',
      regarding: { kind: 'Balancer', namespace: scene.namespace, name: 'app', uid },
      note: expect.stringContaining('There are no members'),
    });
    // Two of the same, more than a minute apart.
    const api = await openApi();
    const log = new RecordedLog();
    let offMs = 0;
    const recorder = new EventRecorder({
      api,
      reportingController: 'evenkeel.dev/controller',
      reportingInstance: 'test',
      isLeading: () => true,
      clock: { nowMs: () => systemClock.nowMs() + offMs, wallMs: () => systemClock.wallMs() + offMs },
      timers: systemTimers,
      random: systemRandom,
      log,
      timeoutMs: 5_000,
    });
    const regarding = {
      apiVersion: scene.balancer.apiVersion,
      kind: 'Balancer',
      namespace: scene.namespace,
      name: 'app',
      uid: uid!,
    };
    const report = { regarding, type: 'Normal', reason: 'Again', action: 'Look', note: 'Twice.' } as const;
    recorder.report(report);
    await expect.poll(() => recorder.counts.created).toBe(1);
    offMs = 61_000;
    recorder.report(report);
    await expect
      .poll(async () => (await events()).find(({ reason }) => reason === 'Again')?.series, { timeout: 5_000 })
      .toMatchObject({ count: 2 });
    expect(log.take()).toEqual([]);
    await recorder.stop();
    api.close();
  });
});

type EventObject = KubeObject & { readonly reason: string; readonly series?: { readonly count: number } };

function typesOf({ status }: KubeObject): readonly string[] {
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly { type: string }[] };
  return conditions.map(({ type }) => type).sort();
}
