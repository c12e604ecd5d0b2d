import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiClient, createApiClient } from '../../../src/provider/kubernetes/api-client.ts';
import {
  createKubernetesProvider,
  type KubernetesProvider,
  type KubernetesProviderOptions,
} from '../../../src/provider/kubernetes/kubernetes-provider.ts';
import { eventually, within } from '../../helpers/patience.ts';
import { type Asked, FakeApiServer, type Stored } from './fake-api-server.ts';
import { balancer, createMachine, service, slice } from './fixtures.ts';

let server: FakeApiServer;
let client: ApiClient;
let provider: KubernetesProvider;
let machine: ReturnType<typeof createMachine>;
let changes = 0;

function create(options: Partial<KubernetesProviderOptions> = {}): void {
  machine = createMachine();
  client = createApiClient(server.access());
  provider = createKubernetesProvider({ ...machine, client, namespaces: null, isOurs: () => true, ...options });
}

async function start(options: Partial<KubernetesProviderOptions> = {}): Promise<void> {
  create(options);
  const started = provider.start(() => {
    changes += 1;
  });
  await within(started, () => `the start: ${JSON.stringify(machine.lines)}`, 5_000);
}

/** What a Service leads to now. */
function addresses(key: string): readonly string[] {
  const slices = provider.read().resources.endpointSlices.get(key) ?? [];
  return slices.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.addresses[0]!)).sort();
}

/** How many objects are held of each kind that is watched, or was. */
function counts(): Readonly<Record<string, number>> {
  return Object.fromEntries(provider.watches().map(({ kind, objects }) => [kind, objects]));
}

beforeEach(async () => {
  server = await FakeApiServer.start();
  changes = 0;
});

afterEach(async () => {
  await provider.stop();
  client.close();
  await server.stop();
});

describe('the first reading', () => {
  it('holds Balancers and what they name, and nothing that nobody names', async () => {
    server.put('balancers', balancer('one', ['app']));
    for (const name of ['app', 'other']) {
      server.put('services', service(name));
      server.put('endpointslices', slice(`${name}-1`, name, ['10.1.0.1']));
    }
    server.put('secrets', { metadata: { name: 'not-ours', namespace: 'shop' }, data: {} });
    await start();
    const { resources, problems, changes } = provider.read();
    expect([...resources.balancers.keys()]).toEqual(['shop/one']);
    expect([...resources.services.keys()]).toEqual(['shop/app']);
    expect([...resources.endpointSlices.keys()]).toEqual(['shop/app']);
    expect(addresses('shop/app')).toEqual(['10.1.0.1']);
    expect(resources.balancers.get('shop/one')?.age).toBe(Date.parse('2026-01-01T00:00:00Z'));
    expect(problems).toEqual([]);
    expect(changes).toBeNull();
    expect(counts()).toEqual({ Balancer: 1, Service: 1, EndpointSlice: 1 });
    expect(server.asked.filter(({ plural }) => plural === 'secrets')).toEqual([]);
  });

  it('reads long lists in pages', async () => {
    for (let index = 0; index < 1_203; index += 1) server.put('balancers', balancer(`b${index}`, []));
    await start({ pace: { pageSize: 500 } });
    expect(provider.read().resources.balancers.size).toBe(1_203);
    expect(server.asked.filter(({ plural, isWatch }) => plural === 'balancers' && !isWatch)).toHaveLength(3);
  });

  it('waits for an API server that does not answer yet, and says so once', async () => {
    create();
    server.put('balancers', balancer('one', ['app']));
    let isDown = true;
    server.fault = () => (isDown ? { type: 'reset' } : undefined);
    const started = provider.start(() => undefined);
    await eventually(() => expect(server.asked.length).toBeGreaterThan(3));
    expect(machine.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    isDown = false;
    await within(started, 'the start', 5_000);
    expect(machine.lines.map(({ message }) => message)).toContain('reading from the API server works again');
    expect(provider.read().resources.balancers.size).toBe(1);
  });

  it('is of the named namespaces alone', async () => {
    server.put('balancers', balancer('one', ['app', 'elsewhere/app']));
    server.put('services', service('app'));
    server.put('services', service('app', 'elsewhere'));
    server.put('balancers', { ...balancer('two', []), metadata: { name: 'two', namespace: 'elsewhere' } });
    server.kinds = new Set(['balancers', 'services', 'endpointslices']);
    await start({ namespaces: ['shop', 'more'] });
    expect([...provider.read().resources.balancers.keys()]).toEqual(['shop/one']);
    expect([...provider.read().resources.services.keys()]).toEqual(['shop/app']);
  });

  it('does without one of several namespaces that must not be read, and has it once it may', async () => {
    let isClosed = true;
    server.fault = ({ namespace }) => (isClosed && namespace === 'b' ? { type: 'status', status: 403 } : undefined);
    server.put('balancers', { ...balancer('one', ['a/app', 'b/app']), metadata: { name: 'one', namespace: 'a' } });
    server.put('balancers', { ...balancer('two', ['app']), metadata: { name: 'two', namespace: 'b' } });
    for (const namespace of ['a', 'b']) {
      server.put('services', service('app', namespace));
      server.put('endpointslices', slice('app-1', 'app', ['10.1.0.1'], namespace));
    }
    await start({ namespaces: ['a', 'b'], pace: { patienceMs: 100, retry: { baseMs: 10, maxMs: 50 } } });
    expect([...provider.read().resources.balancers.keys()]).toEqual(['a/one']);
    expect([addresses('a/app'), addresses('b/app')]).toEqual([['10.1.0.1'], []]);
    const { unread } = provider.read().resources;
    expect([...unread!.services]).toEqual([['b/app', expect.stringContaining('no right')]]);
    expect(provider.watches().map(({ kind, isSynced }) => `${kind} ${isSynced}`)).toContain('Balancer false');
    isClosed = false;
    await eventually(() => expect(provider.read().resources.balancers.size).toBe(2));
    await eventually(() => expect(addresses('b/app')).toEqual(['10.1.0.1']));
    await eventually(() => expect(unread!.services.size).toBe(0));
  });

  it('reads nothing for Balancers of other classes', async () => {
    server.put('balancers', balancer('foreign', ['app'], { className: 'other' }));
    server.put('services', service('app'));
    await start({ isOurs: ({ spec }) => spec.className === undefined });
    expect(provider.read().resources.services.size).toBe(0);
    expect(provider.newestBalancers.has('shop/foreign')).toBe(true);
  });
});

describe('a change', () => {
  beforeEach(async () => {
    server.put('balancers', balancer('one', ['app']));
    server.put('services', service('app'));
    server.put('endpointslices', slice('app-1', 'app', ['10.1.0.1']));
    server.put('endpointslices', slice('app-2', 'app', ['10.1.0.2']));
  });

  it('of a slice is told as one of its Service, and leaves all else the same object', async () => {
    await start();
    const before = provider.read();
    const [first] = before.resources.endpointSlices.get('shop/app')!;
    server.put('endpointslices', slice('app-2', 'app', ['10.1.0.3']));
    await eventually(() => expect(addresses('shop/app')).toEqual(['10.1.0.1', '10.1.0.3']));
    const after = provider.read();
    expect(after.version).toBe(before.version + 1);
    expect(after.changes).toEqual({ since: before.version, services: new Set(['shop/app']) });
    expect(after.resources.endpointSlices.get('shop/app')![0]).toBe(first);
    expect(changes).toBe(1);
    expect(provider.read()).toBe(after);
  });

  it('of a slice that nobody names is none', async () => {
    await start();
    const before = provider.read();
    server.put('endpointslices', slice('other-1', 'other', ['10.1.0.9']));
    server.put('endpointslices', slice('app-2', 'app', ['10.1.0.3']));
    await eventually(() => expect(changes).toBe(1));
    expect(provider.read().resources).toBe(before.resources);
    expect(counts().EndpointSlice).toBe(2);
  });

  it('of the status alone is none, but is there to be seen', async () => {
    await start();
    const before = provider.read();
    const status = { conditions: [], observedGeneration: 1 };
    server.put('balancers', {
      ...balancer('one', ['app']),
      metadata: { name: 'one', namespace: 'shop', generation: 1 },
      status,
    });
    await eventually(() => expect(provider.newestBalancers.get('shop/one')?.status).toEqual(status));
    // What is equal is kept once.
    expect(provider.newestBalancers.get('shop/one')!.spec).toBe(
      provider.read().resources.balancers.get('shop/one')!.balancer.spec,
    );
    expect(changes).toBe(0);
    expect(provider.read()).toBe(before);
  });

  it('of the hosts that a status records is one, whichever version is in use, but only a change', async () => {
    await start({ isOurs: ({ spec }) => spec.className !== 'other' });
    const record = { className: 'evenkeel', hosts: ['shop.example.com'] };
    const records = () => Object.fromEntries(provider.read().resources.hostRecords!);
    let writes = 0;
    const put = (generation: number, status: Record<string, unknown>, extra: Record<string, unknown> = {}): void => {
      writes += 1;
      const { metadata, ...rest } = balancer('one', ['app'], extra);
      const written = { observedGeneration: writes, conditions: [], ...status };
      server.put('balancers', { ...rest, metadata: { ...metadata, generation }, status: written });
    };
    const untilSeen = () =>
      eventually(() => expect(provider.newestBalancers.get('shop/one')?.status?.observedGeneration).toBe(writes));

    const before = provider.read().resources.balancers.get('shop/one')!.balancer;
    put(1, record);
    await eventually(() => expect(records()).toEqual({ 'shop/one': record }));
    expect(provider.read().resources.balancers.get('shop/one')!.balancer).toBe(before);
    const { version } = provider.read();
    const kept = provider.read().resources.hostRecords!.get('shop/one');
    put(1, { ...record, members: { total: 1, ready: 1, draining: 0 } });
    await untilSeen();
    expect(provider.read().version).toBe(version);
    expect(provider.read().resources.hostRecords!.get('shop/one')).toBe(kept);

    // A version that does not parse, and one that waits for what it names, change nothing of that.
    const lost = { ...record, hosts: [] };
    put(2, lost, { lbMethod: 'bywish' });
    await eventually(() => expect(records()).toEqual({ 'shop/one': lost }));
    put(1, record);
    await eventually(() => expect(records()).toEqual({ 'shop/one': record }));
    put(3, record, { className: 'other' });
    await eventually(() => expect(records()).toEqual({}));
    put(4, record);
    await eventually(() => expect(records()).toEqual({ 'shop/one': record }));
    server.remove('balancers', 'shop', 'one');
    await eventually(() => expect(records()).toEqual({}));
  });

  it('of the hosts that a status records is none, where it says what is so already', async () => {
    const record = { className: 'evenkeel', hosts: ['shop.example.com'] };
    await start({ hostRecordOf: () => record });
    const put = async (hosts: readonly string[], observedGeneration: number): Promise<void> => {
      const { metadata, ...rest } = balancer('one', ['app']);
      const status = { observedGeneration, conditions: [], className: 'evenkeel', hosts };
      server.put('balancers', { ...rest, metadata: { ...metadata, generation: 1 }, status });
      await eventually(() =>
        expect(provider.newestBalancers.get('shop/one')?.status?.observedGeneration).toBe(observedGeneration),
      );
    };
    await put([], 1);
    const before = provider.read();
    await put(record.hosts, 2);
    expect(provider.read()).toBe(before);
    expect(provider.read().resources.hostRecords!.get('shop/one')).toEqual(record);
    await put([], 3);
    expect(provider.read().version).toBeGreaterThan(before.version);
  });

  it('that does not parse is told of once, leaves the last good version, and can be told to its author', async () => {
    await start();
    const good = provider.read().resources.balancers.get('shop/one');
    const put = (extra: Record<string, unknown>, more: Record<string, unknown> = {}): unknown =>
      server.put('balancers', { ...balancer('one', ['app'], { className: 'mine', ...extra }), ...more });
    put({ lbMethod: 'bywish' });
    await eventually(() => expect(provider.refusedBalancers.size).toBe(1));
    const refused = provider.refusedBalancers.get('shop/one')!;
    expect(refused).toMatchObject({ metadata: { name: 'one', generation: 2 }, spec: { className: 'mine' } });
    expect(refused.problems.map(({ path }) => path)).toEqual(['spec.lbMethod']);
    expect(provider.read().problems.map(({ problem }) => problem.path)).toEqual(['spec.lbMethod']);
    expect(provider.read().resources.balancers.get('shop/one')).toBe(good);
    expect(changes).toBe(1);
    // The write of a status.
    const status = { observedGeneration: 2, conditions: [] };
    const { version } = provider.newestChanges;
    put({ lbMethod: 'bywish' }, { status });
    await eventually(() => expect(provider.refusedBalancers.get('shop/one')?.status).toEqual(status));
    expect([...provider.newestChanges.since(version)!]).toEqual(['shop/one']);
    expect(changes).toBe(1);
    put({});
    await eventually(() => expect(provider.refusedBalancers.size).toBe(0));
    expect(provider.read().problems).toEqual([]);
    put({ members: 7 });
    await eventually(() => expect(provider.refusedBalancers.size).toBe(1));
    server.remove('balancers', 'shop', 'one');
    await eventually(() => expect(provider.refusedBalancers.size).toBe(0));
  });

  it('to another class in a version that does not parse is the end of the last good version', async () => {
    await start({ isOurs: ({ spec }) => spec.className !== 'newer' });
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'bywish' }));
    await eventually(() => expect(provider.read().problems).toHaveLength(1));
    expect(provider.read().resources.balancers.size).toBe(1);
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'bywish', className: 'newer' }));
    await eventually(() => expect(provider.read().resources.balancers.size).toBe(0));
    expect(provider.read().problems).toEqual([]);
    expect(counts()).toMatchObject({ Balancer: 0, Service: 0, EndpointSlice: 0 });
    // Others still see whose it is.
    expect(provider.refusedBalancers.get('shop/one')?.spec).toEqual({ className: 'newer' });
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'bywish' }));
    await eventually(() => expect(provider.read().problems).toHaveLength(1));
    server.put('balancers', balancer('one', ['app'], {}));
    await eventually(() => expect(addresses('shop/app')).toHaveLength(2));
    expect(provider.read().problems).toEqual([]);
  });

  it('of a faulty Balancer of another class is nothing to us', async () => {
    server.put('balancers', balancer('theirs', ['app'], { lbMethod: 'bywish', className: 'newer' }));
    await start({ isOurs: ({ spec }) => spec.className !== 'newer' });
    expect(provider.read().problems).toEqual([]);
    const before = provider.read();
    const theirs = balancer('theirs', ['app'], { lbMethod: 'bywish', className: 'newer' });
    const { version } = provider.newestChanges;
    const status = { observedGeneration: 1, conditions: [], className: 'newer', hosts: ['shop.example.com'] };
    server.put('balancers', { ...theirs, status });
    await eventually(() => expect(provider.newestChanges.version).toBeGreaterThan(version));
    expect(provider.read()).toBe(before);
  });

  it('of the CRD brings fields to generations that were known without them', async () => {
    await start();
    const put = (extra: Record<string, unknown>): unknown =>
      server.put('balancers', {
        ...balancer('one', ['app'], extra),
        metadata: { name: 'one', namespace: 'shop', generation: 7 },
      });
    const specOf = () => provider.read().resources.balancers.get('shop/one')!.balancer.spec;
    put({});
    await eventually(() => expect(provider.newestBalancers.get('shop/one')?.metadata.generation).toBe(7));
    put({ lbMethod: 'bytraffic' });
    await eventually(() => expect(specOf().lbMethod).toBe('bytraffic'));
  });

  it('of the CRD brings fields that no event comes for: watches that end early are followed by a list', async () => {
    await start();
    // Told as the old definition cuts it, though stored as a whole.
    const watch = await eventually(() => {
      const [found] = server.watches('balancers');
      expect(found).toBeDefined();
      return found!;
    });
    watch.silence();
    const stored = server.put('balancers', balancer('one', ['app'], { lbMethod: 'bytraffic' }));
    const { lbMethod: _, ...cut } = stored.spec as { lbMethod: string };
    watch.speak();
    watch.write(`${JSON.stringify({ type: 'MODIFIED', object: { ...stored, spec: cut } })}\n`);
    await eventually(() => expect(provider.newestBalancers.get('shop/one')?.metadata.generation).toBe(2));
    expect(provider.read().resources.balancers.get('shop/one')!.balancer.spec.lbMethod).toBe('byrequests');
    const lists = (plural: string): number =>
      server.asked.filter((asked) => asked.plural === plural && !asked.isWatch).length;
    const before = lists('endpointslices');
    for (const plural of ['balancers', 'endpointslices']) for (const each of server.watches(plural)) each.end();
    await eventually(() => {
      expect(provider.read().resources.balancers.get('shop/one')!.balancer.spec.lbMethod).toBe('bytraffic');
    });
    // Kinds that no CRD defines are watched on.
    expect(lists('endpointslices')).toBe(before);
  });

  it('of a Balancer is taken up only when the Service it names now was looked for', async () => {
    await start();
    server.put('services', service('next'));
    server.put('endpointslices', slice('next-1', 'next', ['10.2.0.1']));
    let isHeld = true;
    server.fault = ({ query }) =>
      isHeld && query.get('labelSelector')?.endsWith('=next') ? { type: 'status', status: 500 } : undefined;
    server.put('balancers', balancer('one', ['next']));
    await eventually(() => expect(provider.newestBalancers.get('shop/one')?.metadata.generation).toBe(2));
    await eventually(() =>
      expect(server.asked.filter(({ query }) => query.has('labelSelector')).length).toBeGreaterThan(1),
    );
    expect(provider.read().resources.balancers.get('shop/one')?.balancer.metadata.generation).toBe(1);
    expect(addresses('shop/app')).toEqual(['10.1.0.1', '10.1.0.2']);
    isHeld = false;
    await eventually(() => {
      expect(provider.read().resources.balancers.get('shop/one')?.balancer.metadata.generation).toBe(2);
    });
    expect(addresses('shop/next')).toEqual(['10.2.0.1']);
    expect(provider.read().resources.services.has('shop/app')).toBe(false);
    expect(addresses('shop/app')).toEqual([]);
    expect(counts()).toMatchObject({ Service: 1, EndpointSlice: 1 });
  });

  describe('of a slice while its Service is looked up', () => {
    let answer: () => void;

    beforeEach(async () => {
      const held = Promise.withResolvers<void>();
      answer = held.resolve;
      await start({ pace: { retry: { baseMs: 10, maxMs: 20 } } });
      server.put('services', service('next'));
      server.put('endpointslices', slice('next-1', 'next', ['10.2.0.1']));
      server.put('endpointslices', slice('next-2', 'next', ['10.2.0.2']));
      // Once this is seen, the watch has nothing more to say of the slices before it.
      server.put('endpointslices', slice('app-2', 'app', ['10.1.0.4']));
      await eventually(() => expect(addresses('shop/app')).toContain('10.1.0.4'));
      server.fault = ({ query }) => (query.has('labelSelector') ? { type: 'held', until: held.promise } : undefined);
      server.put('balancers', balancer('one', ['next']));
      await eventually(() => expect(server.asked.some(({ query }) => query.has('labelSelector'))).toBe(true));
    });

    it('counts, and what was looked up before it does not', async () => {
      server.remove('endpointslices', 'shop', 'next-1');
      server.put('endpointslices', slice('next-2', 'next', ['10.2.0.3']));
      server.put('endpointslices', slice('app-2', 'app', ['10.1.0.5']));
      await eventually(() => expect(addresses('shop/app')).toContain('10.1.0.5'));
      answer();
      await eventually(() => expect(provider.read().resources.services.has('shop/app')).toBe(false));
      expect(addresses('shop/next')).toEqual(['10.2.0.3']);
    });

    it('counts also where it was missed and came with a new list', async () => {
      await eventually(() => expect(server.watches('endpointslices')).toHaveLength(1));
      const watch = server.watches('endpointslices')[0]!;
      watch.silence();
      server.remove('endpointslices', 'shop', 'next-1');
      server.compact();
      watch.cut();
      await eventually(() => expect(provider.read().resources.services.has('shop/app')).toBe(false));
      expect(addresses('shop/next')).toEqual(['10.2.0.2']);
      // The answer has nothing to say any more; requests behind it show that it was read.
      answer();
      await eventually(() => expect(server.heldAnswers).toBeGreaterThan(0));
      for (let index = 0; index < 5; index += 1) await client.request('GET', '/api/v1/services');
      expect(addresses('shop/next')).toEqual(['10.2.0.2']);
    });
  });

  it('of what is named in the middle of a new list finds also what was on pages that are past', async () => {
    server.put('services', service('next'));
    server.put('endpointslices', slice('next-1', 'next', ['10.2.0.1']));
    server.put('endpointslices', slice('other-1', 'other', ['10.3.0.1']));
    await start({ pace: { pageSize: 3, retry: { baseMs: 10, maxMs: 20 } } });
    const isSecondPage = ({ plural, query }: Asked) => plural === 'endpointslices' && query.has('continue');
    const before = server.asked.filter(isSecondPage).length;
    server.fault = (asked) => (isSecondPage(asked) ? { type: 'late', delayMs: 300 } : undefined);
    await eventually(() => expect(server.watches('endpointslices')).toHaveLength(1));
    server.moveOn();
    server.compact();
    server.watches('endpointslices')[0]!.cut();
    await eventually(() => expect(server.asked.filter(isSecondPage)).toHaveLength(before + 1));
    server.put('balancers', balancer('one', ['next']));
    await eventually(() => expect(provider.read().resources.services.has('shop/app')).toBe(false));
    expect(addresses('shop/next')).toEqual(['10.2.0.1']);
  });

  it('that is overtaken by another one before it is taken up leaves nothing behind', async () => {
    await start({ pace: { retry: { baseMs: 10, maxMs: 20 } } });
    server.put('services', service('next'));
    server.fault = ({ query }) => (query.has('labelSelector') ? { type: 'status', status: 500 } : undefined);
    server.put('balancers', balancer('one', ['next']));
    await eventually(() => expect(counts().Service).toBe(2));
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'bytraffic' }));
    await eventually(() => {
      expect(provider.read().resources.balancers.get('shop/one')?.balancer.spec.lbMethod).toBe('bytraffic');
    });
    expect(counts()).toMatchObject({ Service: 1, EndpointSlice: 2 });
    expect(addresses('shop/app')).toEqual(['10.1.0.1', '10.1.0.2']);
  });

  it('of the label of a slice moves it from one Service to the other', async () => {
    server.put('balancers', balancer('two', ['more']));
    await start();
    server.put('endpointslices', slice('app-2', 'more', ['10.1.0.2']));
    await eventually(() => expect(addresses('shop/more')).toEqual(['10.1.0.2']));
    expect(addresses('shop/app')).toEqual(['10.1.0.1']);
    expect(counts().EndpointSlice).toBe(2);
  });

  it('of a Service that did not exist is seen when it comes', async () => {
    server.put('balancers', balancer('early', ['late']));
    await start();
    expect(provider.read().resources.services.has('shop/late')).toBe(false);
    server.put('services', service('late'));
    await eventually(() => expect(provider.read().resources.services.has('shop/late')).toBe(true));
  });

  it('that does not parse leaves the last good version and becomes a problem', async () => {
    await start();
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'from-the-future' }));
    await eventually(() => expect(provider.read().problems).toHaveLength(1));
    const { problems, resources } = provider.read();
    expect(problems[0]!.problem.resource).toEqual({ kind: 'Balancer', namespace: 'shop', name: 'one' });
    expect(resources.balancers.get('shop/one')?.balancer.spec.lbMethod).toBe('byrequests');
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'bytraffic', fromTheFuture: { a: 1 } }));
    await eventually(() => expect(provider.read().problems).toEqual([]));
    expect(provider.read().resources.balancers.get('shop/one')?.balancer.spec.lbMethod).toBe('bytraffic');
  });

  it('of the uid brings no last good version of another object', async () => {
    await start();
    server.remove('balancers', 'shop', 'one');
    server.put('balancers', balancer('one', ['app'], { lbMethod: 'from-the-future' }));
    await eventually(() => expect(provider.read().problems).toHaveLength(1));
    expect(provider.read().resources.balancers.size).toBe(0);
  });

  it('by deletion lets go of everything', async () => {
    await start();
    server.remove('balancers', 'shop', 'one');
    await eventually(() => expect(counts()).toEqual({ Balancer: 0, Service: 0, EndpointSlice: 0 }));
    expect(provider.read().resources.services.size).toBe(0);
    expect(provider.read().resources.endpointSlices.size).toBe(0);
  });
});

describe('Secrets', () => {
  const signing = { stickySession: { cookie: 'S', strategy: 'Suffix', signing: { secretName: 'keys' } } };
  const data = { keys: btoa('x') };

  it('are watched by name, one by one, and followed', async () => {
    server.put('balancers', balancer('one', [], signing));
    server.put('secrets', { metadata: { name: 'keys', namespace: 'shop' }, data });
    server.put('secrets', { metadata: { name: 'others', namespace: 'shop' }, data });
    await start();
    expect([...provider.read().resources.secrets.keys()]).toEqual(['shop/keys']);
    for (const { query } of server.asked.filter(({ plural }) => plural === 'secrets')) {
      expect(query.get('fieldSelector')).toBe('metadata.name=keys');
    }
    server.remove('secrets', 'shop', 'keys');
    await eventually(() => expect(provider.read().resources.secrets.size).toBe(0));
  });

  it('that must not be read do not hold their Balancer up', async () => {
    server.put('balancers', balancer('one', [], signing));
    server.fault = ({ plural }) => (plural === 'secrets' ? { type: 'status', status: 403 } : undefined);
    await start();
    expect(provider.read().resources.balancers.size).toBe(1);
    expect(machine.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('that the server cannot give hold up neither the start nor what changes later', async () => {
    const isKeys = ({ query }: Asked): boolean => query.get('fieldSelector') === 'metadata.name=keys';
    let isBroken = true;
    server.fault = (asked) => (isBroken && isKeys(asked) ? { type: 'status', status: 500 } : undefined);
    server.put('balancers', balancer('one', [], signing));
    server.put('balancers', balancer('two', []));
    server.put('secrets', { metadata: { name: 'keys', namespace: 'shop' }, data });
    await start({ pace: { patienceMs: 100, retry: { baseMs: 10, maxMs: 50 } } });
    const read = () => provider.read().resources;
    expect([...read().balancers.keys()].sort()).toEqual(['shop/one', 'shop/two']);
    expect([...read().unread!.secrets]).toEqual([['shop/keys', expect.stringContaining('500')]]);
    server.put('balancers', balancer('two', [], signing));
    await eventually(() => expect(read().balancers.get('shop/two')?.balancer.spec.stickySession).toBeDefined());
    isBroken = false;
    await eventually(() => expect(read().secrets.has('shop/keys')).toBe(true));
    expect(read().unread!.secrets.size).toBe(0);
  });

  it('of certificates are not read while TLS is not in force', async () => {
    const tls = [{ hosts: ['shop.example.com'], secretName: 'certificate' }];
    server.put('balancers', balancer('one', [], { tls }));
    await start();
    expect(server.asked.filter(({ plural }) => plural === 'secrets')).toEqual([]);
  });

  it('are not watched when nobody names them any more', async () => {
    server.put('balancers', balancer('one', [], signing));
    await start();
    expect(server.watches('secrets').length + 1).toBeGreaterThan(0);
    await eventually(() => expect(server.watches('secrets')).toHaveLength(1));
    server.put('balancers', balancer('one', []));
    await eventually(() => expect(server.watches('secrets')).toHaveLength(0));
  });
});

describe('ReferenceGrants', () => {
  const grant = {
    metadata: { name: 'g', namespace: 'elsewhere' },
    spec: {
      from: [{ group: 'evenkeel.dev', kind: 'Balancer', namespace: 'shop' }],
      to: [{ group: '', kind: 'Service' }],
    },
  };

  it('are not asked for while no Balancer refers to another namespace', async () => {
    server.put('balancers', balancer('one', ['app']));
    await start();
    expect(server.asked.filter(({ plural }) => plural.startsWith('v1'))).toEqual([]);
  });

  it('may be missing as a kind', async () => {
    server.put('balancers', balancer('one', ['elsewhere/app']));
    server.kinds = new Set(['balancers', 'services', 'endpointslices']);
    await start();
    expect(provider.read().resources.referenceGrants?.size).toBe(0);
  });

  it('that the server cannot give do not hold the start up', async () => {
    server.put('balancers', balancer('one', ['elsewhere/app']));
    server.fault = ({ plural }) => (plural.startsWith('v1') ? { type: 'status', status: 500 } : undefined);
    await start({ pace: { patienceMs: 1_000 } });
    expect(provider.read().resources.balancers.size).toBe(1);
    expect(provider.read().resources.unread!.referenceGrants.get(null)).toContain('500');
  });

  it('that the server cannot give have the newest reason for it', async () => {
    server.put('balancers', balancer('one', ['elsewhere/app']));
    let status = 500;
    server.fault = ({ plural }) => (plural.startsWith('v1') ? { type: 'status', status } : undefined);
    await start({ pace: { patienceMs: 1_000 } });
    const why = () => provider.read().resources.unread!.referenceGrants.get(null);
    expect(why()).toContain('500');
    const before = changes;
    status = 502;
    await eventually(() => expect(why()).toContain('502'));
    expect(changes).toBe(before + 1);
    server.fault = () => undefined;
    await eventually(() => expect(why()).toBeUndefined());
  });

  it('come and go as another list of their namespace, and leave Balancers the same objects', async () => {
    server.put('balancers', balancer('one', ['elsewhere/app']));
    server.put('balancers', balancer('two', ['app']));
    const fault = { type: 'status', status: 200, body: { resources: [{ name: 'referencegrants' }] } } as const;
    server.fault = ({ plural }) => (plural === 'v1' ? fault : undefined);
    await start();
    const read = () => provider.read().resources;
    const one = read().balancers.get('shop/one');
    const { version } = provider.read();
    server.put('referencegrants', grant);
    await eventually(() => expect(read().referenceGrants?.get('elsewhere')).toHaveLength(1));
    expect(provider.read()).toMatchObject({ version: version + 1, changes: null });
    const list = read().referenceGrants?.get('elsewhere');
    server.remove('referencegrants', 'elsewhere', 'g');
    await eventually(() => expect(read().referenceGrants?.get('elsewhere')).toEqual([]));
    expect(read().referenceGrants?.get('elsewhere')).not.toBe(list);
    expect(read().balancers.get('shop/one')).toBe(one);
  });
});

describe('what is told of the watches', () => {
  const told = (kind: string) => provider.watches().find((watch) => watch.kind === kind);

  it('is of kinds that were needed, and says when the server was heard', async () => {
    server.put('balancers', balancer('one', ['app']));
    server.put('services', service('app'));
    let nowMs = 1_000;
    await start({ clock: { ...createMachine().clock, nowMs: () => nowMs } });
    expect(provider.watches().map(({ kind }) => kind)).toEqual(['Balancer', 'Service', 'EndpointSlice']);
    await eventually(() => expect(server.watches('services')).toHaveLength(1));
    nowMs = 31_000;
    expect(told('Service')).toEqual({
      kind: 'Service',
      isSynced: true,
      silentMs: 30_000,
      relists: 0,
      faults: 0,
      objects: 1,
    });
    server.bookmark();
    await eventually(() => expect(told('Service')!.silentMs).toBe(0));
  });

  it('counts lists that were made anew, and faults, but no watch that was merely too far behind', async () => {
    server.put('balancers', balancer('one', ['app']));
    await start({ pace: { retry: { baseMs: 5, maxMs: 20 } } });
    for (const kind of ['balancers', 'services']) {
      await eventually(() => expect(server.watches(kind)).toHaveLength(1));
    }
    server.moveOn();
    server.compact();
    server.watches('services')[0]!.end();
    await eventually(() => expect(told('Service')!.relists).toBe(1));
    expect(told('Service')!.faults).toBe(0);
    await eventually(() => expect(server.watches('services')).toHaveLength(1));
    server.watches('services')[0]!.cut();
    await eventually(() => expect(told('Service')!.faults).toBe(1));
    expect(told('Balancer')).toMatchObject({ relists: 0, faults: 0 });
  });

  it('does not forget what it counted of a Secret that nobody names any more', async () => {
    const signing = { stickySession: { cookie: 'S', strategy: 'Suffix', signing: { secretName: 'keys' } } };
    let left = 2;
    server.fault = ({ plural }) => (plural === 'secrets' && left-- > 0 ? { type: 'status', status: 500 } : undefined);
    server.put('balancers', balancer('one', [], signing));
    await start({ pace: { retry: { baseMs: 5, maxMs: 20 } } });
    expect(told('Secret')).toMatchObject({ isSynced: true, faults: 2 });
    server.put('balancers', balancer('one', []));
    await eventually(() => expect(told('Secret')).toMatchObject({ silentMs: null, faults: 2 }));
  });
});

describe('Pods', () => {
  /** The pod of the address 10.1.0.N, as `slice` names it. */
  function pod(
    number: number,
    labels: Readonly<Record<string, string>> = {},
    more: Record<string, unknown> = {},
  ): Stored {
    const name = `pod-10-1-0-${number}`;
    return { metadata: { name, namespace: 'shop', uid: `pod-10.1.0.${number}`, labels }, spec: {}, ...more };
  }

  const keyOfPod = (number: number): string => `shop/pod-10-1-0-${number}`;
  const settings = (number: number) => provider.read().resources.pods?.get(keyOfPod(number))?.settings;
  const asked = (): readonly Asked[] => server.asked.filter(({ plural }) => plural === 'pods');

  beforeEach(() => {
    server.put('balancers', balancer('one', ['app']));
    for (const name of ['app', 'other']) server.put('services', service(name));
    server.put('endpointslices', slice('app-1', 'app', ['10.1.0.1', '10.1.0.2']));
    server.put('endpointslices', slice('other-1', 'other', ['10.1.0.3']));
    server.put('pods', pod(1, { 'evenkeel.dev/lb-set': '1' }));
    for (const number of [2, 3, 4]) server.put('pods', pod(number));
  });

  it('are not asked for unless that is wanted', async () => {
    await start();
    expect(asked()).toEqual([]);
    expect(provider.read().resources.pods).toBeUndefined();
  });

  it('are there from the first reading on, those behind endpoints alone', async () => {
    await start({ readsPods: true });
    expect([...provider.read().resources.pods!.keys()]).toEqual([keyOfPod(1), keyOfPod(2)]);
    expect(settings(1)).toEqual({ lbSet: 1 });
    expect(counts().Pod).toBe(2);
    await eventually(() => expect(asked().map(({ isWatch }) => isWatch)).toEqual([false, true]));
  });

  it('that change are told of as a change of their Services, those that only say something else are not', async () => {
    await start({ readsPods: true });
    const { version } = provider.read();
    server.put('pods', pod(2, {}, { status: { phase: 'Running' } }));
    server.put('pods', pod(4, { 'evenkeel.dev/lb-set': '4' }));
    server.put('pods', pod(1, { 'evenkeel.dev/lb-set': '2' }));
    await eventually(() => expect(settings(1)).toEqual({ lbSet: 2 }));
    expect(changes).toBe(1);
    expect(provider.read().changes).toEqual({ since: version, services: new Set(['shop/app']) });
    server.remove('pods', 'shop', 'pod-10-1-0-1');
    await eventually(() => expect(settings(1)).toBeUndefined());
    expect(changes).toBe(2);
  });

  it('are looked up when they become members, and forgotten when they are none any more', async () => {
    await start({ readsPods: true });
    server.put('pods', pod(4, { 'evenkeel.dev/lb-set': '4' }));
    server.put('endpointslices', slice('app-1', 'app', ['10.1.0.2', '10.1.0.4']));
    await eventually(() => expect(settings(4)).toEqual({ lbSet: 4 }));
    expect([...provider.read().resources.pods!.keys()].sort()).toEqual([keyOfPod(2), keyOfPod(4)]);
    server.remove('balancers', 'shop', 'one');
    await eventually(() => expect(provider.read().resources.pods!.size).toBe(0));
    expect(counts().Pod).toBe(0);
  });

  it('behind two Services are kept until both have let them go', async () => {
    server.put('balancers', balancer('two', ['other']));
    server.put('endpointslices', slice('other-1', 'other', ['10.1.0.1']));
    await start({ readsPods: true });
    server.remove('balancers', 'shop', 'one');
    await eventually(() => expect(provider.read().resources.pods!.size).toBe(1));
    server.put('pods', pod(1, { 'evenkeel.dev/lb-set': '9' }));
    await eventually(() => expect(settings(1)).toEqual({ lbSet: 9 }));
    expect([...provider.read().changes!.services]).toEqual(['shop/other']);
  });

  it('that must not be read hold nobody up', async () => {
    server.fault = ({ plural }) => (plural === 'pods' ? { type: 'status', status: 403 } : undefined);
    await start({ readsPods: true });
    expect(addresses('shop/app')).toHaveLength(2);
    expect(provider.read().resources.pods!.size).toBe(0);
    server.fault = () => undefined;
    await eventually(() => expect(settings(1)).toEqual({ lbSet: 1 }));
  });
});

describe('stop', () => {
  it.each(['reset', 'hang'] as const)('ends at once while the server answers with %s', async (type) => {
    create();
    server.put('balancers', balancer('one', ['app']));
    server.fault = () => ({ type });
    void provider.start(() => undefined);
    await eventually(() => expect(server.asked.length).toBeGreaterThan(0));
    await within(provider.stop(), 'the stop', 3_000);
  });

  it('ends while Services are looked up, and tells nothing afterwards', async () => {
    server.put('balancers', balancer('one', ['app']));
    await start();
    server.fault = ({ query }) => (query.has('labelSelector') ? { type: 'hang' } : undefined);
    server.put('balancers', balancer('one', ['next']));
    await eventually(() => expect(server.asked.some(({ query }) => query.has('labelSelector'))).toBe(true));
    const before = changes;
    await within(provider.stop(), 'the stop', 3_000);
    server.put('balancers', balancer('one', []));
    await within(provider.stop(), 'the second stop', 3_000);
    expect(changes).toBe(before);
  });
});
