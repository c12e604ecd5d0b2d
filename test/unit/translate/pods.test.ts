// What Pods say of themselves: between spec.members and spec.overrides.
import { expect, test, vi } from 'vitest';
import { type Pod, parsePod } from '../../../src/api/pod.ts';
import type { ResourceSet } from '../../../src/api/resource-set.ts';
import * as endpoints from '../../../src/translate/service-endpoints.ts';
import { createTranslator, translate } from '../../../src/translate/translate.ts';
import { balancer, endpoint, service, setOf, slice } from './resources.ts';
import { testOptions } from './test-options.ts';

function pod(number: number, labels: Readonly<Record<string, string>>, uid = `uid-${number}`): Pod {
  return parsePod({ metadata: { name: `app-${number}`, namespace: 'shop', uid, labels } })!;
}

function world(overrides: readonly Record<string, unknown>[] = []): ResourceSet {
  const app = { service: { name: 'app', port: 'http' }, loadFactor: 2, lbSet: 1 };
  return setOf([
    balancer('one', { rules: [{ hosts: ['one.example'] }], members: [app], overrides }),
    service('app'),
    slice('app-1', 'app', [endpoint(1), endpoint(2)]),
    balancer('two', { rules: [{ hosts: ['two.example'] }], members: [{ service: { name: 'b', port: 'http' } }] }),
    service('b'),
    slice('b-1', 'b', [endpoint(3)]),
  ]);
}

function withPods(set: ResourceSet, ...pods: readonly Pod[]): ResourceSet {
  return { ...set, pods: new Map(pods.map((each) => [`${each.namespace}/${each.name}`, each])) };
}

function membersOf(set: ResourceSet) {
  const { unit } = translate(set, testOptions).balancers.get('shop/one')!;
  return unit!.members.map(({ name, factor, lbSet, role, state }) => [name, factor, lbSet, role, state]);
}

test('a Pod sets what it says for the member that it is; the rest is as in spec.members', () => {
  const labels = { 'evenkeel.dev/load-factor': '5', 'evenkeel.dev/role': 'HotSpare' };
  expect(membersOf(withPods(world(), pod(1, labels), pod(2, { 'evenkeel.dev/state': 'Disabled' })))).toEqual([
    ['app-1', 500, 1, 'HotSpare', 'Enabled'],
    ['app-2', 200, 1, 'Active', 'Disabled'],
  ]);
});

test('spec.overrides has the last word', () => {
  const said = pod(1, { 'evenkeel.dev/load-factor': '5', 'evenkeel.dev/state': 'Disabled' });
  const overrides = [{ member: 'app-1', state: 'Draining' }];
  expect(membersOf(withPods(world(overrides), said))[0]).toEqual(['app-1', 500, 1, 'Active', 'Draining']);
});

test('another Pod of the same name has nothing to say', () => {
  const said = pod(1, { 'evenkeel.dev/load-factor': '5' }, 'uid-of-its-predecessor');
  expect(membersOf(withPods(world(), said))[0]).toEqual(['app-1', 200, 1, 'Active', 'Enabled']);
});

test('a wrong value is a problem of each Balancer that has the Pod, and of no condition', () => {
  const set = withPods(world(), pod(1, { 'evenkeel.dev/lb-set': 'x' }), pod(9, { 'evenkeel.dev/lb-set': 'y' }));
  const { balancers } = translate(set, testOptions);
  const { problems, conditions } = balancers.get('shop/one')!;
  expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('of Pod shop/app-1 is "x"')]);
  expect(conditions.accepted.reason).toBe('Accepted');
  expect(balancers.get('shop/two')!.problems).toEqual([]);
});

test('a changed Pod leads to one look at endpoints, and to what a look at everything would find', () => {
  const findEndpoints = vi.spyOn(endpoints, 'findEndpoints');
  const translator = createTranslator(testOptions);
  const set = world();
  const others = [pod(2, {}), pod(3, {})];
  translator.translate(withPods(set, ...others));
  for (const said of [
    pod(1, { 'evenkeel.dev/lb-set': '7' }),
    pod(1, {}),
    pod(1, { 'evenkeel.dev/state': 'Stopped' }),
  ]) {
    const now = withPods(set, said, ...others);
    for (const isWhole of [false, true]) {
      const before = findEndpoints.mock.calls.length;
      const found = isWhole
        ? translator.translate(now).balancers.get('shop/one')
        : translator.translateServices(now, new Set(['shop/app'])).get('shop/one');
      expect(findEndpoints.mock.calls.length - before).toBe(isWhole ? 0 : 1);
      expect(found).toEqual(translate(now, testOptions).balancers.get('shop/one'));
    }
  }
  expect(translator.translate(withPods(set, ...others))).toEqual(translate(withPods(set, ...others), testOptions));
});
