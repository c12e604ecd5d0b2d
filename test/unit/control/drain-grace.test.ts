import { expect, test } from 'vitest';
import type { Balancer } from '../../../src/api/balancer.ts';
import { findShortGraces } from '../../../src/control/drain-grace.ts';
import type { DrainUnit } from '../../../src/snapshot/snapshot.ts';
import { member } from './fixtures.ts';

const resource = {
  kind: 'Balancer',
  metadata: { namespace: 'shop', name: 'app' },
  spec: { drain: { timeout: '10m' } },
} as unknown as Balancer;
const members = ['a', 'b', 'c', 'd'].map((name) => member(name, { pod: name === 'd' ? null : `shop/${name}` }));
const graces = new Map([
  ['shop/a', 600],
  ['shop/b', 30],
]);

function find(timeoutMs: DrainUnit['timeoutMs']) {
  const drain: DrainUnit = { timeoutMs, onTimeout: 'Redispatch', unreadyGraceMs: 0 };
  return findShortGraces(resource, { drain, members }, (pod) => graces.get(pod) ?? null);
}

test('a grace period shorter than the timeout is told of, once, with the shortest', () => {
  graces.set('shop/c', 29);
  expect(find(600_000)).toEqual([
    {
      resource: { kind: 'Balancer', namespace: 'shop', name: 'app' },
      path: 'spec.drain.timeout',
      message: expect.stringMatching(/is 10m, but Kubernetes kills 2 of 3 pods earlier, such as shop\/c after 29s;/),
      severity: 'notice',
    },
  ]);
});

test('one as long as the timeout is not, nor any where there is no timeout or nothing is known', () => {
  expect(find(29_000)).toEqual([]);
  expect(find(null)).toEqual([]);
  graces.clear();
  expect(find(600_000)).toEqual([]);
});
