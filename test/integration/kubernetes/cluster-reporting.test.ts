// Election, statuses and events of whole replicas, over real sockets and in real time, against an API server that plays
// its part and its faults.
import { describe, expect, test } from 'vitest';
import type { Balancer } from '../../../src/api/balancer.ts';
import { ChangeLog } from '../../../src/lib/change-log.ts';
import { ClusterReporting } from '../../../src/control/status/cluster-reporting.ts';
import type { BalancerFacts } from '../../../src/control/reconcile.ts';
import { createApiClient } from '../../../src/provider/kubernetes/api-client.ts';
import type { PlacedBalancer } from '../../../src/snapshot/lane-protocol.ts';
import { eventually } from '../../helpers/patience.ts';
import { balancer, member } from '../../unit/control/fixtures.ts';
import { balancerObject, LoggedMap, factsOf } from '../../unit/control/status/fixtures.ts';
import { createMachine } from './fixtures.ts';
import { ReportingServer } from './reporting-server.ts';

/** What a replica serves: the same objects for all of them. */
class Served {
  readonly newestChanges = new ChangeLog();
  readonly newest = new LoggedMap<Balancer>(this.newestChanges);
  readonly known = new ChangeLog();
  readonly facts = new LoggedMap<BalancerFacts>(this.known);
  readonly placed = new Map<string, PlacedBalancer>();
  passes = 1;

  add(name: string, changes: Parameters<typeof balancerObject>[1] = {}): void {
    const object = balancerObject(name, changes);
    const unit = balancer(name, [member('1')]);
    this.newest.set(unit.key, object);
    this.facts.set(unit.key, factsOf(object));
    this.placed.set(unit.key, { unit, row: 1, memberRows: [1] });
    this.passes += 1;
  }
}

function startReplica(server: ReportingServer, served: Served, name: string, options: { publish?: boolean } = {}) {
  const machine = createMachine();
  const api = createApiClient(server.access(name));
  const shared = {
    flags: new Int32Array(new SharedArrayBuffer(64)),
    flagTurns: new Int32Array(new SharedArrayBuffer(4)),
  };
  const reporting = new ClusterReporting({
    ...machine,
    api,
    newest: served.newest,
    refused: new Map(),
    newestChanges: served.newestChanges,
    isOurs: ({ spec }) => spec.className === undefined,
    className: 'evenkeel',
    instance: name,
    lease: { namespace: 'edge', name: 'lease' },
    addressOrigin: options.publish ? { service: { namespace: 'edge', name: 'proxy' } } : { addresses: [] },
    reconciler: {
      get passes() {
        return served.passes;
      },
      factsOf: (key) => served.facts.get(key),
      changes: served.known,
    },
    publisher: { placedOf: (key) => served.placed.get(key), acknowledged: 1, changes: new ChangeLog() },
    shared,
  });
  reporting.start();
  return { reporting, shared, api, lines: machine.lines };
}

describe('a replica', () => {
  test('leads, writes statuses and events, and gives the Lease back', async () => {
    await using server = await new ReportingServer().listen();
    const served = new Served();
    for (const name of ['a', 'b', 'c']) {
      server.addBalancer(name);
      served.add(name);
    }
    const { reporting, api } = startReplica(server, served, 'one');
    await eventually(() => expect(server.written('events')).toHaveLength(3));
    expect(reporting.isLeading()).toBe(true);
    expect(server.leaseOf('lease')).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(server.leaseOf('lease')!.holderIdentity).toMatch(/^one_[0-9a-f]{12}$/);
    expect(server.statusOf('a', 'evenkeel')).toMatchObject({ members: { total: 1, ready: 1, draining: 0 } });
    expect(server.written('status')).toHaveLength(3);
    await eventually(() => expect(reporting.statusWrites.written).toBe(3));
    await reporting.stop();
    expect(server.leaseOf('lease')!.holderIdentity).toBeNull();
    expect(reporting.isLeading()).toBe(false);
    api.close();
  });

  test('publishes the addresses of the Service in front of it, and waits for them', async () => {
    await using server = await new ReportingServer().listen();
    const served = new Served();
    server.addBalancer('a');
    served.add('a');
    server.fault = ({ path }) => (path.includes('/services/') ? { status: 503 } : null);
    const { reporting, api } = startReplica(server, served, 'one', { publish: true });
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toBeDefined());
    expect(server.statusOf('a', 'evenkeel')).not.toHaveProperty('addresses');
    server.service = { spec: { type: 'LoadBalancer' }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } } };
    server.fault = () => null;
    const addresses = [{ type: 'IPAddress', value: '192.0.2.7' }];
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toMatchObject({ addresses }), 5_000);
    await reporting.stop();
    api.close();
  });

  test('goes on with the others when one Balancer cannot be written', async () => {
    await using server = await new ReportingServer().listen();
    const served = new Served();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const name of names) {
      server.addBalancer(name);
      served.add(name);
    }
    // Made anew under the same name, and deleted: the watch has not said so yet.
    server.addBalancer('b', 'another');
    server.deleteBalancer('c');
    let refusals = 0;
    server.fault = ({ path, method }) => {
      if (method !== 'PATCH') return null;
      if (path.includes('/a/')) return { status: 500 };
      if (!path.includes('/d/') || refusals > 0) return null;
      refusals += 1;
      return { status: 429, retryAfterS: 1 };
    };
    const { reporting, api, lines } = startReplica(server, served, 'one');
    await eventually(() => {
      for (const name of ['d', 'e', 'f']) expect(server.statusOf(name, 'evenkeel')).toBeDefined();
    }, 10_000);
    expect(server.statusOf('b', 'evenkeel')).toBeUndefined();
    await eventually(() => {
      const { written, conflict, gone, failed } = reporting.statusWrites;
      expect(written).toBe(3);
      expect(Math.min(conflict, gone)).toBeGreaterThan(0);
      expect(failed).toBeGreaterThan(1);
    });
    expect(refusals).toBe(1);
    expect(lines.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(2);
    server.fault = () => null;
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toBeDefined(), 20_000);
    await reporting.stop();
    api.close();
  });

  test('writes as soon as the API server answers again, however long it was to wait', async () => {
    await using server = await new ReportingServer().listen();
    const served = new Served();
    for (const name of ['a', 'b']) server.addBalancer(name);
    served.add('a');
    const { reporting, api } = startReplica(server, served, 'one');
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toBeDefined());
    const refused = { lease: 0, status: 0 };
    server.fault = ({ method }) => {
      if (method === 'PUT') refused.lease += 1;
      if (method === 'PATCH') refused.status += 1;
      return { status: 503, retryAfterS: 600 };
    };
    served.add('b');
    await eventually(() => expect(Math.min(refused.lease, refused.status)).toBeGreaterThan(0));
    server.fault = () => null;
    await eventually(() => expect(server.statusOf('b', 'evenkeel')).toBeDefined(), 5_000);
    await reporting.stop();
    api.close();
  });

  test('takes its words back from a Balancer of another class, and leaves those of others', async () => {
    await using server = await new ReportingServer().listen();
    const served = new Served();
    server.addBalancer('a');
    served.add('a');
    const { reporting, api } = startReplica(server, served, 'one');
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toBeDefined());
    const status = served.newest.get('shop/a')!.status ?? server.statusOf('a', 'evenkeel');
    served.facts.delete('shop/a');
    served.newest.set(
      'shop/a',
      balancerObject('a', { className: 'other', resourceVersion: '9', status: status as never }),
    );
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toBeUndefined());
    // This one is of another controller that says the same things.
    server.addBalancer('b');
    served.newest.set('shop/b', balancerObject('b', { className: 'other', status: status as never }));
    await eventually(() =>
      expect(server.asked.some(({ method, path }) => method === 'GET' && path.endsWith('/b'))).toBe(true),
    );
    expect(server.asked.filter(({ method, path }) => method === 'PATCH' && path.includes('/b/'))).toEqual([]);
    await reporting.stop();
    api.close();
  });
});

describe('two replicas', () => {
  test('agree on one that writes; the next one takes over at once, and writes nothing that is there already', async () => {
    await using server = await new ReportingServer().listen();
    const served = new Served();
    server.addBalancer('a');
    served.add('a');
    const one = startReplica(server, served, 'one');
    await eventually(() => expect(server.statusOf('a', 'evenkeel')).toBeDefined());
    const two = startReplica(server, served, 'two');
    // What the watch would show them both.
    const status = server.statusOf('a', 'evenkeel') as never;
    served.add('a', { status, resourceVersion: String(server.versionOf('a')) });
    await eventually(() => expect(server.asked.some(({ client }) => client === 'two')).toBe(true));
    expect(two.reporting.isLeading()).toBe(false);
    const writes = server.written('status').length;
    await one.reporting.stop();
    await eventually(() => expect(two.reporting.isLeading()).toBe(true), 5_000);
    // It looks at everything at once when it leads; another Balancer tells that it has.
    server.addBalancer('b');
    served.add('b');
    await eventually(() => expect(server.statusOf('b', 'evenkeel')).toBeDefined(), 5_000);
    expect(
      server
        .written('status')
        .slice(writes)
        .map(({ path, client }) => [path.split('/').at(-2), client]),
    ).toEqual([['b', 'two']]);
    expect(server.versionOf('a')).toBe(2);
    await two.reporting.stop();
    one.api.close();
    two.api.close();
  });
});
