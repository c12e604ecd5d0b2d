// The check before publication finds each broken promise on its own.
import { expect, test } from 'vitest';
import { checkSnapshot } from '../../../src/snapshot/check.ts';
import type { SessionCookieUnit, SessionSigningUnit, SessionUnit } from '../../../src/snapshot/session-unit.ts';
import type { BalancerUnit, MemberUnit, RuleUnit, Snapshot } from '../../../src/snapshot/snapshot.ts';
import { translate } from '../../../src/translate/translate.ts';
import { balancer, secret, setOf } from './resources.ts';
import { testOptions } from './test-options.ts';

const good = translate(
  setOf([
    balancer('app', {
      lbMethod: 'hash',
      hash: { source: 'Cookie', name: 'user' },
      members: [
        { url: 'http://a', redirect: 'r2' },
        { url: 'http://b', route: 'r2' },
      ],
      stickySession: { cookie: 'S', strategy: 'Insert', signing: { secretName: 'keys', maxAge: '1h' } },
    }),
    secret('keys', { stringData: { keys: Buffer.alloc(32).toString('base64') } }),
  ]),
  testOptions,
).snapshot;
const goodUnit = good.balancers.get('shop/app')!;

function withUnit(change: Partial<BalancerUnit>): Snapshot {
  return { ...good, balancers: new Map([['shop/app', { ...goodUnit, ...change }]]) };
}

function withMember(change: Partial<MemberUnit>): Snapshot {
  return withUnit({ members: [{ ...goodUnit.members[0]!, ...change }, goodUnit.members[1]!] });
}

const goodSession = goodUnit.session!;

function withSession(change: Partial<SessionUnit>): Snapshot {
  return withUnit({ session: { ...goodSession, ...change } });
}

function withCookie(change: Partial<SessionCookieUnit>): Snapshot {
  return withSession({ attributes: { ...goodSession.attributes!, ...change } });
}

function withSigning(change: Partial<SessionSigningUnit>): Snapshot {
  return withSession({ signing: { ...goodSession.signing!, ...change } });
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
  ['redirect', withMember({ redirect: '' }), 'redirect'],
  ['hash without the method', withUnit({ lbMethod: 'byrequests' }), 'go together'],
  ['the method without hash', withUnit({ hash: null }), 'go together'],
  ['hash of an address with a name', withUnit({ hash: { source: 'ClientAddress', name: 'x' } }), 'hash.name'],
  ['hash of a header without a name', withUnit({ hash: { source: 'Header', name: '' } }), 'hash.name'],
  [
    'drain timeout',
    withUnit({ drain: { timeoutMs: -1, onTimeout: 'Reject', unreadyGraceMs: 0 } }),
    'drain.timeoutMs is -1',
  ],
  ['session without a value', withSession({ cookie: null, strategy: 'Suffix', attributes: null }), 'no value is read'],
  ['session cookie', withSession({ cookie: 'a;b' }), 'cookie is'],
  ['session header', withSession({ header: 'a\r\nb' }), 'header is'],
  ['session parameter', withSession({ urlParameter: '' }), 'urlParameter is'],
  ['separator of two', withSession({ separator: '..' }), 'separator'],
  ['separator of none', withSession({ separator: '' }), 'separator'],
  ['separator that ends cookies', withSession({ separator: ';' }), 'separator'],
  ['attributes without Insert', withSession({ strategy: 'Suffix' }), 'attributes'],
  ['Insert without attributes', withSession({ attributes: null }), 'attributes'],
  ['Insert without a cookie', withSession({ cookie: null, header: 'x' }), 'no cookie to insert'],
  ['cookie path', withCookie({ path: '/; Secure' }), 'attributes.path'],
  ['cookie domain', withCookie({ domain: 'a\r\n' }), 'attributes.domain'],
  ['cookie age', withCookie({ maxAgeMs: 0.5 }), 'attributes.maxAgeMs'],
  ['signing under Route', withSession({ strategy: 'Route', attributes: null }), 'signs nothing'],
  ['signing key too short', withSigning({ keys: [Buffer.alloc(31).toString('base64')] }), 'signing.keys[0]'],
  ['too many signing keys', withSigning({ keys: Array(17).fill(goodSession.signing!.keys[0]) }), '17 signing keys'],
  ['signing age', withSigning({ maxAgeMs: Number.NaN }), 'signing.maxAgeMs'],
  ['rejectStatus', withSession({ rejectStatus: 200 }), 'rejectStatus'],
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
