// What must hold for any input: order of slices and documents plays no part, translating twice gives the same, one
// bad Balancer never changes another one's unit, and whatever comes out passes the check before publication.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../src/api/parse.ts';
import { checkSnapshot } from '../../../src/snapshot/check.ts';
import { translate } from '../../../src/translate/translate.ts';
import { balancer, conditionsOf, endpoint, secret, service, setOf, slice } from './resources.ts';
import { testOptions } from './test-options.ts';

const arbitraryEndpoint = fc
  .tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.record({ ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() }, { requiredKeys: [] }),
    fc.constantFrom('all', 'no-uid', 'no-pod', 'other-address'),
  )
  .map(([number, conditions, shape]) => {
    const whole = endpoint(number, conditions);
    if (shape === 'no-uid') return { ...whole, targetRef: { name: `app-${number}` } };
    if (shape === 'no-pod') return { ...whole, targetRef: undefined };
    if (shape === 'other-address') return { ...whole, addresses: [`10.9.9.${number}`] };
    return whole;
  });

const arbitrarySlices = fc
  .array(fc.tuple(fc.array(arbitraryEndpoint, { maxLength: 8 }), fc.constantFrom('IPv4', 'FQDN')), { maxLength: 5 })
  .map((lists) =>
    lists.map(([endpoints, addressType], index) => slice(`app-${index}`, 'app', endpoints, { addressType })),
  );

const hosts = ['a.example.com', 'b.example.com', '*.example.com', 'A.example.com'];
const arbitraryRule = fc.record(
  {
    hosts: fc.array(fc.constantFrom(...hosts), { maxLength: 3 }),
    paths: fc.array(
      fc.record({ type: fc.constantFrom('Prefix', 'Exact'), value: fc.constantFrom('/', '/a', '/a/', '/é') }),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { requiredKeys: [] },
);
const arbitraryMember = fc.oneof(
  fc.record(
    { url: fc.constantFrom('http://a', 'http://A:80', 'http://b'), route: fc.constantFrom('r1', 'r2', 'app-1') },
    { requiredKeys: ['url'] },
  ),
  fc.record({
    service: fc.record({ name: fc.constantFrom('app', 'missing'), port: fc.constantFrom('http', 80, 81) }),
    routeFrom: fc.constantFrom('PodUID', 'PodName'),
  }),
);
const arbitrarySession = fc.constantFrom(
  undefined,
  { cookie: 'S', urlParameter: 's' },
  { header: 'S', strategy: 'Suffix', signing: { secretName: 'keys' } },
  { cookie: 'S', strategy: 'Insert', signing: { secretName: 'missing', mode: 'Prefer' } },
);
const arbitraryOverrides = fc.uniqueArray(
  fc.record({ member: fc.constantFrom('app-1', 'app-2', 'r1', 'gone'), lbSet: fc.nat(3) }),
  { selector: ({ member }) => member },
);
const keys = secret('keys', { stringData: { keys: Buffer.alloc(32).toString('base64') } });
const arbitraryBalancers = fc
  .array(
    fc.tuple(
      fc.constantFrom('shop', 'other'),
      fc.array(arbitraryRule, { minLength: 1, maxLength: 3 }),
      fc.array(arbitraryMember, { minLength: 1, maxLength: 4 }),
      arbitrarySession,
      arbitraryOverrides,
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) =>
    list.map(([namespace, rules, members, stickySession, overrides], index) =>
      balancer(`b${index}`, { rules, members, stickySession, overrides }, namespace),
    ),
  );

function shuffled<T>(list: readonly T[], seed: number): T[] {
  return list
    .map((item, index) => ({ item, rank: (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b)) >>> 0 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

function textOf(resources: readonly Resource[]): string {
  const { snapshot, balancers } = translate(setOf(resources), testOptions);
  return JSON.stringify([[...snapshot.balancers], snapshot.rules, [...balancers]]);
}

describe('translate', () => {
  test('members do not depend on the order of slices, endpoints or documents', () => {
    fc.assert(
      fc.property(arbitrarySlices, fc.integer(), (slices, seed) => {
        const app = balancer('app', { members: [{ service: { name: 'app', port: 'http' } }] });
        const reordered = shuffled(slices, seed).map((resource) =>
          resource.kind === 'EndpointSlice' ? { ...resource, endpoints: shuffled(resource.endpoints, seed) } : resource,
        );
        expect(textOf([...reordered, service('app'), app])).toBe(textOf([app, service('app'), ...slices]));
      }),
    );
  });

  test('the same input gives the same text, and a snapshot that may be published', () => {
    fc.assert(
      fc.property(arbitraryBalancers, arbitrarySlices, (balancers, slices) => {
        const resources = [...balancers, service('app'), ...slices, keys];
        expect(textOf(resources)).toBe(textOf(resources));
        expect(checkSnapshot(translate(setOf(resources), testOptions).snapshot)).toEqual([]);
      }),
    );
  });

  test('a younger Balancer never changes the unit or the rules of an older one', () => {
    fc.assert(
      fc.property(arbitraryBalancers, arbitrarySlices, (balancers, slices) => {
        const rest = [service('app'), ...slices, keys];
        const before = translate(setOf([...balancers.slice(0, -1), ...rest]), testOptions);
        const after = translate(setOf([...balancers, ...rest]), testOptions);
        for (const [key, unit] of before.snapshot.balancers) {
          expect(after.snapshot.balancers.get(key)).toEqual(unit);
          expect(conditionsOf(after, key)).toEqual(conditionsOf(before, key));
        }
        expect(after.snapshot.rules).toEqual(expect.arrayContaining([...before.snapshot.rules]));
      }),
    );
  });

  test('every Balancer of ours has conditions, and is served exactly if it is accepted', () => {
    fc.assert(
      fc.property(arbitraryBalancers, (balancers) => {
        const translation = translate(setOf(balancers), testOptions);
        expect(translation.balancers.size).toBe(balancers.length);
        for (const [key, { conditions }] of translation.balancers) {
          expect(translation.snapshot.balancers.has(key)).toBe(conditions.accepted.isTrue);
        }
      }),
    );
  });
});
