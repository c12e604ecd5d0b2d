// The check before publication finds each broken promise on its own.
import { expect, test } from 'vitest';
import { checkSnapshot } from '../../../src/snapshot/check.ts';
import type { BalancerUnit, MemberUnit, RuleUnit, Snapshot } from '../../../src/snapshot/snapshot.ts';
import { translate } from '../../../src/translate/translate.ts';
import { balancer, setOf } from './resources.ts';
import { testOptions } from './test-options.ts';

const good = translate(
  setOf([balancer('app', { members: [{ url: 'http://a' }, { url: 'http://b' }] })]),
  testOptions,
).snapshot;
const goodUnit = good.balancers.get('shop/app')!;

function withUnit(change: Partial<BalancerUnit>): Snapshot {
  return { ...good, balancers: new Map([['shop/app', { ...goodUnit, ...change }]]) };
}

function withMember(change: Partial<MemberUnit>): Snapshot {
  return withUnit({ members: [{ ...goodUnit.members[0]!, ...change }, goodUnit.members[1]!] });
}

function withRule(change: Partial<RuleUnit>): Snapshot {
  return { ...good, rules: [{ ...good.rules[0]!, ...change }] };
}

test('a good snapshot has no findings', () => {
  expect(checkSnapshot(good)).toEqual([]);
});

const second = goodUnit.members[1]!;
test.each<[string, Snapshot, string]>([
  ['key', withUnit({ name: 'other' }), 'key'],
  ['identity', withMember({ identity: second.identity }), 'identity'],
  ['name', withMember({ name: second.name }), 'name'],
  ['session route', withMember({ sessionRoute: second.sessionRoute }), 'session route'],
  ['session route with a separator of cookies', withMember({ sessionRoute: 'a;b' }), 'session route'],
  ['host', withMember({ host: 'a b\r\n' }), 'host'],
  ['port', withMember({ port: 0 }), 'port'],
  ['factor', withMember({ factor: 99 }), 'factor'],
  ['lbSet', withMember({ lbSet: 100 }), 'lbSet'],
  ['maxAttempts', withUnit({ failover: { ...goodUnit.failover, maxAttempts: 256 } }), 'maxAttempts'],
  ['failOnStatus', withUnit({ failover: { ...goodUnit.failover, failOnStatus: [99] } }), 'failOnStatus'],
  ['timeouts', withUnit({ timeouts: { ...goodUnit.timeouts, connectMs: Number.NaN } }), 'connectMs'],
  ['limits', withUnit({ limits: { ...goodUnit.limits, maxWaiting: -1 } }), 'maxWaiting'],
  ['rule host', withRule({ host: 'Shop.example.com' }), 'normal form'],
  ['rule path', withRule({ path: 'x' }), 'begin with /'],
  ['rule path bytes', withRule({ path: '/\u20ac' }), 'no bytes'],
  ['rule path end', withRule({ path: '/x/' }), 'ends in /'],
  ['rule to nobody', withRule({ balancer: 'shop/gone' }), 'no balancer'],
  ['rule twice', { ...good, rules: [...good.rules, ...good.rules] }, 'twice'],
])('finds a fault in: %s', (_, snapshot, expected) => {
  const findings = checkSnapshot(snapshot);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toContain(expected);
});
