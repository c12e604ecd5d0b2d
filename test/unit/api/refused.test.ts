// What a Balancer may not say, and the words in which it is told so.
import { describe, expect, test } from 'vitest';
import { parseResource } from '../../../src/api/parse.ts';
import { balancerDocument, specWith, specWithMember } from './documents.ts';

const urlAllowed =
  'it must be http://HOST or http://HOST:PORT, where HOST is a name or an IP address (an IPv6 address in brackets), ' +
  'without a path, a query or credentials';
const hostAllowed = 'it must be a host name without a port, such as shop.example.com, which may begin with "*."';
const pathAllowed =
  'it must be a path that begins with "/", without "?", "#", ";", "%", "\\", empty segments and the segments "." and ".."';
const portAllowed = 'it must be a port number from 1 to 65535 without quotes, or the name of a port';

describe('refused', () => {
  test.each<[unknown, string, string]>([
    [{}, 'spec.members', 'is missing; it must be a list of 1 to 256 entries'],
    [{ members: [] }, 'spec.members', 'has 0 entries; it must be a list of 1 to 256 entries'],
    [{ members: {} }, 'spec.members', 'is {}; it must be a list of 1 to 256 entries'],
    [
      { members: Array(257).fill({ url: 'http://a' }) },
      'spec.members',
      'has 257 entries; it must be a list of 1 to 256 entries',
    ],
    [specWith({ rules: [] }), 'spec.rules', 'has 0 entries; it must be a list of 1 to 64 entries'],
    [
      specWith({ limits: [] }),
      'spec.limits',
      'is a list; it must be a mapping with fields out of maxBodyBytes, maxConnectionsPerMember and maxWaiting',
    ],
    [
      specWith({ className: 'Big' }),
      'spec.className',
      'is "Big"; it must be the name of a class: at most 253 lower-case letters, digits, "-" and "."',
    ],
    [
      specWith({ lbMethod: 'ByTraffic' }),
      'spec.lbMethod',
      'is "ByTraffic"; it must be one of byrequests, bytraffic, bybusyness, heartbeat, leasttime or hash (did you mean bytraffic?)',
    ],
    [
      specWithMember({ url: 'http://a', lbSet: 100 }),
      'spec.members[0].lbSet',
      'is 100; it must be a whole number from 0 to 99',
    ],
    [
      specWithMember({ url: 'http://a', lbSet: 1.5 }),
      'spec.members[0].lbSet',
      'is 1.5; it must be a whole number from 0 to 99',
    ],
    [
      specWithMember({ url: 'http://a', lbSet: '1' }),
      'spec.members[0].lbSet',
      'is "1"; it must be a whole number from 0 to 99',
    ],
    [
      specWithMember({ url: 'http://a', role: 'Spare' }),
      'spec.members[0].role',
      'is "Spare"; it must be one of Active, HotSpare or HotStandby',
    ],
    [
      specWithMember({ url: 'http://a', ignoreErrors: 'yes' }),
      'spec.members[0].ignoreErrors',
      'is "yes"; it must be true or false',
    ],
    [
      specWithMember({ url: 'http://a', route: 'a b' }),
      'spec.members[0].route',
      'is "a b"; it must be at most 63 letters, digits and signs of ". _ ~ - : @ ! * +"',
    ],
    [
      specWithMember({ url: 'http://a', lbset: 1 }),
      'spec.members[0].lbset',
      'is not a known field; did you mean lbSet?',
    ],
    [
      specWithMember({ url: 'http://a', colour: 1 }),
      'spec.members[0].colour',
      'is not a known field; the fields there are service, url, loadFactor, lbSet, role, state, routeFrom, route, redirect and ignoreErrors',
    ],
    [
      specWithMember('http://a'),
      'spec.members[0]',
      'is "http://a"; it must be a mapping with fields out of service, url, loadFactor, lbSet, role, state, routeFrom, route, redirect and ignoreErrors',
    ],
    [specWithMember({ service: { name: 'app' } }), 'spec.members[0].service.port', `is missing; ${portAllowed}`],
    [
      specWithMember({ service: { name: 'app', port: '8080' } }),
      'spec.members[0].service.port',
      `is "8080"; ${portAllowed}`,
    ],
    [specWithMember({ service: { name: 'app', port: 0 } }), 'spec.members[0].service.port', `is 0; ${portAllowed}`],
    [
      specWithMember({ service: { name: 'app', port: 65_536 } }),
      'spec.members[0].service.port',
      `is 65536; ${portAllowed}`,
    ],
    [
      specWithMember({ service: { name: 'app', port: 'HTTP' } }),
      'spec.members[0].service.port',
      `is "HTTP"; ${portAllowed}`,
    ],
    [specWithMember({ url: 'https://a' }), 'spec.members[0].url', `is "https://a"; ${urlAllowed}`],
    [specWithMember({ url: 'a:80' }), 'spec.members[0].url', `is "a:80"; ${urlAllowed}`],
    [specWithMember({ url: 'http://a/' }), 'spec.members[0].url', `is "http://a/"; ${urlAllowed}`],
    [specWithMember({ url: 'http://a?b' }), 'spec.members[0].url', `is "http://a?b"; ${urlAllowed}`],
    [specWithMember({ url: 'http://a:0' }), 'spec.members[0].url', `is "http://a:0"; ${urlAllowed}`],
    [specWithMember({ url: 'http://a:65536' }), 'spec.members[0].url', `is "http://a:65536"; ${urlAllowed}`],
    [specWithMember({ url: 'http://fd00::1' }), 'spec.members[0].url', `is "http://fd00::1"; ${urlAllowed}`],
    [specWithMember({ url: 'http://[:::]' }), 'spec.members[0].url', `is "http://[:::]"; ${urlAllowed}`],
    [specWithMember({ url: 'http://999.1.1.1' }), 'spec.members[0].url', `is "http://999.1.1.1"; ${urlAllowed}`],
    [specWithMember({ url: 'http://user:word@a' }), 'spec.members[0].url', `is "http://***@a"; ${urlAllowed}`],
    [specWith({ rules: [{ hosts: ['a.com:80'] }] }), 'spec.rules[0].hosts[0]', `is "a.com:80"; ${hostAllowed}`],
    [specWith({ rules: [{ hosts: ['*'] }] }), 'spec.rules[0].hosts[0]', `is "*"; ${hostAllowed}`],
    [specWith({ rules: [{ hosts: ['a.*.com'] }] }), 'spec.rules[0].hosts[0]', `is "a.*.com"; ${hostAllowed}`],
    [specWith({ rules: [{ hosts: ['a..com'] }] }), 'spec.rules[0].hosts[0]', `is "a..com"; ${hostAllowed}`],
    [specWith({ rules: [{ hosts: [''] }] }), 'spec.rules[0].hosts[0]', `is ""; ${hostAllowed}`],
    [specWith({ rules: [{ paths: [{ value: 'app' }] }] }), 'spec.rules[0].paths[0].value', `is "app"; ${pathAllowed}`],
    [
      specWith({ rules: [{ paths: [{ value: '/a?b' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a?b"; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/a#b' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a#b"; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/a;b' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a;b"; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/a%20b' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a%20b"; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/a//b' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a//b"; ${pathAllowed}`,
    ],
    [specWith({ rules: [{ paths: [{ value: '//' }] }] }), 'spec.rules[0].paths[0].value', `is "//"; ${pathAllowed}`],
    [
      specWith({ rules: [{ paths: [{ value: '/a/./b' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a/./b"; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/a/..' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a/.."; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/../' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/../"; ${pathAllowed}`,
    ],
    [
      specWith({ rules: [{ paths: [{ value: '/a\nb' }] }] }),
      'spec.rules[0].paths[0].value',
      `is "/a\\nb"; ${pathAllowed}`,
    ],
    [
      specWith({ timeouts: { connect: '0s' } }),
      'spec.timeouts.connect',
      'is "0s"; it must be a duration from 1ms to 10m, such as 500ms, 10s or 1m30s',
    ],
    [
      specWith({ timeouts: { connect: '601s' } }),
      'spec.timeouts.connect',
      'is "601s"; it must be a duration from 1ms to 10m, such as 500ms, 10s or 1m30s',
    ],
    [
      specWith({ timeouts: { connect: 5 } }),
      'spec.timeouts.connect',
      'is 5; it must be a duration from 1ms to 10m, such as 500ms, 10s or 1m30s',
    ],
    [
      specWith({ failover: { failOnStatus: [99] } }),
      'spec.failover.failOnStatus[0]',
      'is 99; it must be a whole number from 100 to 599',
    ],
    [
      specWith({ limits: { maxBodyBytes: -1 } }),
      'spec.limits.maxBodyBytes',
      'is -1; it must be a whole number, 0 or greater',
    ],
    [
      specWith({ tls: [{ hosts: ['a.com'] }] }),
      'spec.tls[0].secretName',
      'is missing; it must be the name of a Secret in the same namespace',
    ],
    [
      specWith({ stickySession: { cookie: 'A', rejectStatus: 500 } }),
      'spec.stickySession.rejectStatus',
      'is 500; it must be one of 503, 404 or 410',
    ],
    [
      specWith({ stickySession: { cookie: 'A=B' } }),
      'spec.stickySession.cookie',
      'is "A=B"; it must be a name of at most 63 letters, digits and the signs of an HTTP token',
    ],
    [
      specWith({ stickySession: { cookie: 'A', separator: 'x' } }),
      'spec.stickySession.separator',
      'is "x"; it must be one sign of "! # $ & * + . / : @ ^ _ | ~ -", or empty',
    ],
    [
      specWith({ healthCheck: { expect: { statuses: ['300-200'] } } }),
      'spec.healthCheck.expect.statuses[0]',
      'is "300-200"; it must be a status such as 204, or a range such as 200-399 whose first status is not the greater one',
    ],
    [
      specWith({ overrides: [{ member: 'a' }, { member: 'a' }] }),
      'spec.overrides[1].member',
      'is "a"; each member may be named only once',
    ],
  ])('%j', (spec, path, rest) => {
    const { problems } = parseResource(balancerDocument(spec));
    expect(problems?.map((problem) => [problem.path, problem.message])).toEqual([[path, `${path} ${rest}`]]);
    expect(problems?.[0]?.resource).toEqual({ kind: 'Balancer', namespace: 'web', name: 'shop' });
    expect(problems?.[0]?.severity).toBe('error');
  });

  test('a Balancer with a wrong name or an unknown field beside spec', () => {
    const document = { ...balancerDocument(specWith({})), metadata: { name: 'A_b' }, specs: {} };
    expect(parseResource(document).problems?.map(({ message }) => message)).toEqual([
      'metadata.name is "A_b"; it must be a name of at most 253 lower-case letters, digits, "-" and "."',
      'specs is not a known field; did you mean spec?',
    ]);
  });

  test('every fault is reported, not only the first, also rules between fields beside faults of other fields', () => {
    const { problems } = parseResource(
      balancerDocument({
        lbMethod: 'random',
        members: [{ url: 5, role: 'active' }, { lbset: 1 }],
        stickySession: { strategy: 'Suffix', separator: '', rejectStatus: 1 },
        timeouts: { connect: 'soon' },
      }),
    );
    expect(problems?.map(({ path }) => path)).toEqual([
      'spec.lbMethod',
      'spec.members[0].url',
      'spec.members[0].role',
      'spec.members[1].lbset',
      'spec.members[1]',
      'spec.stickySession.rejectStatus',
      'spec.stickySession',
      'spec.stickySession.separator',
      'spec.timeouts.connect',
    ]);
  });

  test('a problem carries the value it speaks of, without credentials', () => {
    const first = (spec: unknown) => parseResource(balancerDocument(spec)).problems?.[0]?.value;
    expect(first(specWithMember({ url: 'http://a', lbSet: 100 }))).toBe(100);
    expect(first(specWithMember({ url: 'http://user:word@a' }))).toBe('http://***@a');
    expect(first({})).toBeUndefined();
  });
});
