// For any sequence of changes and faults the provider ends up with what the server has, and only with what is named.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createApiClient } from '../../../src/provider/kubernetes/api-client.ts';
import { createKubernetesProvider } from '../../../src/provider/kubernetes/kubernetes-provider.ts';
import { eventually, within } from '../../helpers/patience.ts';
import { FakeApiServer, type Fault, type Stored } from './fake-api-server.ts';
import { balancer, createMachine, service, slice } from './fixtures.ts';

let server: FakeApiServer;

beforeEach(async () => {
  server = await FakeApiServer.start();
});

afterEach(() => server.stop());

const names = ['a', 'b', 'c'] as const;
const name = fc.constantFrom(...names);
const addresses = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { maxLength: 3 });
const faultTypes = fc.constantFrom<Fault>(
  { type: 'status', status: 500 },
  { type: 'status', status: 410 },
  { type: 'status', status: 403 },
  { type: 'reset' },
  { type: 'slow', delayMs: 8 },
  { type: 'late', delayMs: 8 },
  { type: 'late', delayMs: 30 },
  { type: 'raw', text: '{"type":"ERROR","object":{"code":410,"reason":"Gone"}}\n', end: 'end' },
  { type: 'raw', text: '{"type":"MODI', end: 'cut' },
);
const anyStep = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('balancer'), name, services: fc.uniqueArray(name), signs: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('remove'),
      kind: fc.constantFrom('balancers', 'services', 'secrets'),
      name,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('service', 'secret'), name }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('slice'), name, service: name, addresses }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove-slice'), name, service: name }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('compact', 'bookmark', 'cut', 'end', 'breathe') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('faults'), faults: fc.array(faultTypes, { maxLength: 4 }) }) },
);

type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function play(step: Step): void {
  if ('faults' in step) {
    const left = [...step.faults];
    server.fault = () => left.shift();
  } else if ('signs' in step) {
    const signing = { stickySession: { cookie: 'S', strategy: 'Suffix', signing: { secretName: step.name } } };
    server.put('balancers', balancer(step.name, step.services, step.signs ? signing : {}));
  } else if ('addresses' in step) {
    const list = step.addresses.map((number) => `10.0.0.${number}`);
    server.put('endpointslices', slice(`${step.service}-${step.name}`, step.service, list));
  } else if ('service' in step) {
    server.remove('endpointslices', 'shop', `${step.service}-${step.name}`);
  } else if ('kind' in step) {
    server.remove(step.kind, 'shop', step.name);
  } else if ('name' in step) {
    if (step.type === 'service') server.put('services', service(step.name));
    else server.put('secrets', { metadata: { name: step.name, namespace: 'shop' }, data: { keys: btoa(step.name) } });
  } else if (step.type === 'compact') {
    server.compact();
  } else if (step.type === 'bookmark') {
    server.bookmark();
  } else if (step.type !== 'breathe') {
    for (const plural of ['balancers', 'services', 'endpointslices', 'secrets']) {
      for (const watch of server.watches(plural))
        if (step.type === 'cut') watch.cut();
        else watch.end();
    }
  }
}

const keyOf = ({ metadata }: Stored) => `shop/${metadata.name}`;

/** What a provider should hold: uids and resource versions, and the addresses behind each Service that is named. */
function expected(): unknown {
  const balancers = server.objects('balancers');
  const specs = balancers.map(
    ({ spec }) => spec as { members: { service?: { name: string } }[]; stickySession?: object },
  );
  const named = new Set(
    specs.flatMap(({ members }) =>
      members.flatMap(({ service }) => (service === undefined ? [] : [`shop/${service.name}`])),
    ),
  );
  const signing = new Set(balancers.filter((_, index) => specs[index]!.stickySession !== undefined).map(keyOf));
  const slices = new Map<string, string[]>();
  for (const { metadata, endpoints } of server.objects('endpointslices')) {
    const key = `shop/${metadata.labels?.['kubernetes.io/service-name']}`;
    if (!named.has(key)) continue;
    const found = (endpoints as { addresses: string[] }[]).map(({ addresses }) => `${metadata.name} ${addresses[0]}`);
    slices.set(key, [...(slices.get(key) ?? []), metadata.name, ...found].sort());
  }
  return {
    balancers: new Set(
      balancers.map((object) => `${keyOf(object)} ${object.metadata.uid} ${object.metadata.generation}`),
    ),
    services: new Set(
      server
        .objects('services')
        .map(keyOf)
        .filter((key) => named.has(key)),
    ),
    secrets: new Set(
      server
        .objects('secrets')
        .map(keyOf)
        .filter((key) => signing.has(key)),
    ),
    slices,
  };
}

it('whatever happens, the provider ends up with what the server has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 40 }), async (steps) => {
      const machine = createMachine();
      const client = createApiClient(server.access());
      const pace = { pageSize: 2, idleTimeoutMs: 300, listTimeoutMs: 300, retry: { baseMs: 2, maxMs: 8 } };
      const provider = createKubernetesProvider({ ...machine, client, pace, namespaces: null, isOurs: () => true });
      /** What someone knows who looks at nothing but what changes name. */
      const follower = new Map<string, readonly string[]>();
      const actual = () => {
        const { resources, changes } = provider.read();
        for (const key of changes?.services ?? new Set([...follower.keys(), ...resources.endpointSlices.keys()])) {
          const found = (resources.endpointSlices.get(key) ?? []).flatMap(({ metadata, endpoints }) => [
            metadata.name,
            ...endpoints.map(({ addresses }) => `${metadata.name} ${addresses[0]}`),
          ]);
          if (found.length === 0) follower.delete(key);
          else follower.set(key, found.sort());
        }
        return {
          balancers: new Set(
            [...resources.balancers].map(
              ([key, { balancer }]) => `${key} ${balancer.metadata.uid} ${balancer.metadata.generation}`,
            ),
          ),
          services: new Set(resources.services.keys()),
          secrets: new Set(resources.secrets.keys()),
          slices: new Map(follower),
        };
      };
      try {
        const started = provider.start(() => undefined);
        for (const [index, step] of steps.entries()) {
          play(step);
          // The first changes and faults meet a provider that starts.
          if (index === 5) await within(started, 'the start', 10_000);
          if (step.type === 'breathe') await new Promise((resolve) => setTimeout(resolve, 4));
          else await new Promise((resolve) => setImmediate(resolve));
          if (index > 5) actual();
        }
        server.fault = () => undefined;
        await within(started, 'the start', 10_000);
        await eventually(() => expect(actual()).toEqual(expected()), 5_000);
        expect(provider.watches().find(({ kind }) => kind === 'Service')?.objects ?? 0).toBe(
          provider.read().resources.services.size,
        );
        expect(machine.lines.filter(({ level }) => level === 'error')).toEqual([]);
      } finally {
        await provider.stop();
        client.close();
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);
