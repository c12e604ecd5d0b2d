// What a translator re-uses from one call to the next, and that it never re-uses too much.
import { expect, test, vi } from 'vitest';
import type { Resource } from '../../../src/api/parse.ts';
import * as endpoints from '../../../src/translate/service-endpoints.ts';
import { createTranslator, translate } from '../../../src/translate/translate.ts';
import { balancer, conditionsOf, endpoint, service, setOf, slice } from './resources.ts';
import { testOptions } from './test-options.ts';

function world(count: number): Resource[] {
  return Array.from({ length: count }, (_, index) => [
    balancer(`b${index}`, {
      rules: [{ hosts: [`h${index}.example.com`] }],
      members: [{ service: { name: `s${index}`, port: 'http' } }],
    }),
    service(`s${index}`),
    slice(`s${index}-1`, `s${index}`, [endpoint(index)]),
  ]).flat();
}

test('unchanged inputs give the same units and the same table of rules', () => {
  const translator = createTranslator(testOptions);
  const resources = world(3);
  const first = translator.translate(setOf(resources));
  const second = translator.translate(setOf(resources));
  expect(second.snapshot.rules).toBe(first.snapshot.rules);
  for (const [key, unit] of first.snapshot.balancers) expect(second.snapshot.balancers.get(key)).toBe(unit);
  for (const [key] of first.balancers) expect(conditionsOf(second, key)).toBe(conditionsOf(first, key));
});

test('one changed slice leads to one look at endpoints, however many Balancers there are', () => {
  const findEndpoints = vi.spyOn(endpoints, 'findEndpoints');
  const looks = [3, 300].map((count) => {
    const translator = createTranslator(testOptions);
    const resources = world(count);
    translator.translate(setOf(resources));
    resources[2] = slice('s0-1', 's0', [endpoint(7), endpoint(8)]);
    const before = findEndpoints.mock.calls.length;
    const { snapshot } = translator.translate(setOf(resources));
    expect(snapshot.balancers.get('shop/b0')?.members.map(({ name }) => name)).toEqual(['app-7', 'app-8']);
    return findEndpoints.mock.calls.length - before;
  });
  expect(looks).toEqual([1, 1]);
});

test('a change of Services looks at their Balancers only, and says of them what a look at everything would', () => {
  const findEndpoints = vi.spyOn(endpoints, 'findEndpoints');
  const shared = balancer('z', {
    rules: [{ hosts: ['z.example.com'] }],
    members: [{ service: { name: 's1', port: 'http' } }, { service: { name: 's2', port: 'http' } }],
  });
  // Its rules are all taken by an older one.
  const late = balancer('late', {
    rules: [{ hosts: ['h1.example.com'] }],
    members: [{ service: { name: 's1', port: 'http' } }],
  });
  const translator = createTranslator(testOptions);
  const resources = [...world(50), shared, late];
  translator.translate(setOf(resources));
  for (const [at, name, numbers] of [
    [5, 's1', [7, 8]],
    [8, 's2', []],
    [5, 's1', []],
    [5, 's1', [1]],
  ] as const) {
    resources[at] = slice(
      `${name}-1`,
      name,
      numbers.map((number) => endpoint(number)),
    );
    const before = findEndpoints.mock.calls.length;
    const changed = translator.translateServices(setOf(resources), new Set([`shop/${name}`, 'shop/nobodys']));
    expect(findEndpoints.mock.calls.length - before).toBeLessThanOrEqual(4);
    const whole = translate(setOf(resources), testOptions);
    const users = name === 's1' ? ['shop/b1', 'shop/late', 'shop/z'] : ['shop/b2', 'shop/z'];
    expect([...changed.keys()].sort()).toEqual(users);
    for (const [key, translated] of changed) expect(translated).toEqual(whole.balancers.get(key));
  }
  expect(translator.translate(setOf(resources))).toEqual(translate(setOf(resources), testOptions));
});

test('a slice or a Service that comes, goes or is replaced is noticed', () => {
  const translator = createTranslator(testOptions);
  const app = balancer('app', {
    members: [{ service: { name: 'app', port: 'http' } }, { service: { name: 'b', port: 'http' } }],
  });
  const steps: Resource[][] = [
    [app],
    [app, service('app')],
    [app, service('app'), slice('app-1', 'app', [endpoint(1)])],
    [app, service('app'), slice('app-1', 'app', [endpoint(1)]), slice('app-2', 'app', [endpoint(2)])],
    [app, service('b'), slice('b-1', 'b', [endpoint(1)])],
    [app, service('app', { ports: [{ name: 'http', port: 80 }], type: 'ExternalName', externalName: 'x.example.com' })],
    [],
  ];
  for (const resources of steps) {
    const set = setOf(resources);
    expect(translator.translate(set)).toEqual(translate(set, testOptions));
  }
});

test('rules are settled anew when a Balancer grows older or younger than another', () => {
  const translator = createTranslator(testOptions);
  const a = balancer('a', { members: [{ url: 'http://a' }] });
  const b = balancer('b', { members: [{ url: 'http://b' }] });
  expect(translator.translate(setOf([a, b])).snapshot.rules[0]?.balancer).toBe('shop/a');
  expect(translator.translate(setOf([b, a])).snapshot.rules[0]?.balancer).toBe('shop/b');
});

test('rules are settled anew when a status records a host for its class, and units and members stay as they are', () => {
  const findEndpoints = vi.spyOn(endpoints, 'findEndpoints');
  const translator = createTranslator(testOptions);
  const rules = [{ hosts: ['Shop.example.com'] }];
  const members = [{ service: { name: 'app', port: 'http' } }];
  const set = setOf([
    balancer('old', { rules, members }, 'b'),
    balancer('young', { rules, members }),
    service('app'),
    slice('app-1', 'app', [endpoint(1)]),
  ]);
  const hosts = ['shop.example.com'];
  const withRecord = (className: string) =>
    translator.translate({ ...set, hostRecords: new Map([['shop/young', { className, hosts }]]) });

  const before = translator.translate(set);
  expect(before.snapshot.rules[0]?.balancer).toBe('b/old');
  expect(before.balancers.get('b/old')?.hostRecord).toEqual({ className: 'evenkeel', hosts });
  expect(before.balancers.get('shop/young')?.hostRecord).toBeNull();
  // Another class's controller knows nothing of the Balancers of this one.
  expect(withRecord('other').snapshot.rules).toBe(before.snapshot.rules);

  const looks = findEndpoints.mock.calls.length;
  const first = withRecord('evenkeel');
  expect(first.snapshot.rules[0]?.balancer).toBe('shop/young');
  expect(first.balancers.get('shop/young')?.hostRecord).toEqual({ className: 'evenkeel', hosts });
  expect(first.balancers.get('b/old')?.hostRecord).toBeNull();
  expect(conditionsOf(first, 'b/old').accepted.reason).toBe('NoRulesLeft');
  expect(translator.translate(set).snapshot.balancers.get('b/old')).toBe(before.snapshot.balancers.get('b/old'));
  expect(findEndpoints.mock.calls.length).toBe(looks);
});
