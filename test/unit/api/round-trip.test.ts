// Properties of parsing over drawn documents.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseResource } from '../../../src/api/parse.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const host = fc.tuple(fc.boolean(), name, name).map(([wild, one, two]) => `${wild ? '*.' : ''}${one}.${two}`);
const path = fc.array(name, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const seconds = fc.integer({ min: 1, max: 600 }).map((count) => `${count}s`);
const loadFactor = fc.oneof(
  fc.integer({ min: 1, max: 100 }),
  fc.integer({ min: 100, max: 10_000 }).map((hundredths) => (hundredths / 100).toFixed(2)),
  fc.integer({ min: 100, max: 10_000 }).map((hundredths) => hundredths / 100),
);
const role = fc.constantFrom('Active', 'HotSpare', 'HotStandby');
const state = fc.constantFrom('Enabled', 'Draining', 'Disabled', 'Stopped');
const some = <Shape extends Record<string, fc.Arbitrary<unknown>>>(shape: Shape) =>
  fc.record(shape, { requiredKeys: [] });

const common = { loadFactor, lbSet: fc.integer({ min: 0, max: 99 }), role, state, ignoreErrors: fc.boolean() };
const urlMember = fc
  .tuple(name, some({ ...common, route: name, redirect: name }))
  .map(([target, fields]) => ({ url: `http://${target}:8080`, ...fields }));
const serviceMember = fc
  .tuple(
    fc.record({ name, port: fc.oneof(fc.integer({ min: 1, max: 65_535 }), name) }),
    some({ ...common, redirect: name, routeFrom: fc.constantFrom('PodUID', 'PodName') }),
  )
  .map(([service, fields]) => ({ service, ...fields }));

const onMemberDown = fc.constantFrom('Redispatch', 'Reject');
const stickySession = fc.oneof(
  fc.record({ cookie: name, onMemberDown }),
  fc.record({ header: name, strategy: fc.constant('Suffix'), separator: fc.constantFrom('.', '!', '~') }),
  fc.record({
    cookie: name,
    strategy: fc.constant('Insert'),
    attributes: some({ path, sameSite: fc.constantFrom('Lax', 'None'), partitioned: fc.boolean(), maxAge: seconds }),
    cacheControl: fc.constantFrom('Private', 'Unchanged'),
    signing: fc.record({ secretName: name }),
  }),
);

const spec = fc
  .tuple(
    fc.array(fc.oneof(urlMember, serviceMember), { minLength: 1, maxLength: 4 }),
    some({
      className: name,
      rules: fc.array(
        some({
          hosts: fc.array(host, { maxLength: 3 }),
          paths: fc.array(some({ type: fc.constantFrom('Prefix', 'Exact'), value: path }), {
            minLength: 1,
            maxLength: 3,
          }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      tls: fc.array(fc.record({ hosts: fc.array(host, { minLength: 1, maxLength: 2 }), secretName: name }), {
        maxLength: 2,
      }),
      lbMethod: fc.constantFrom('byrequests', 'bytraffic', 'hash'),
      overrides: fc.uniqueArray(fc.record({ member: name, state, loadFactor }), {
        maxLength: 3,
        selector: ({ member }) => member,
      }),
      stickySession,
      drain: some({ timeout: seconds, onTimeout: onMemberDown }),
      failover: some({ maxAttempts: fc.nat(5), retryAfter: seconds, failOnStatus: fc.constant([503]) }),
      timeouts: some({ connect: seconds, response: seconds, wait: seconds }),
      limits: some({ maxBodyBytes: fc.nat() }),
      healthCheck: some({ path, interval: seconds, expect: fc.constant({ statuses: ['200-299', '404'] }) }),
    }),
  )
  .map(([members, fields]) => ({ members, ...fields }));

test('a valid Balancer that is parsed, written down and parsed again is the same', () => {
  fc.assert(
    fc.property(spec, (drawn) => {
      const document = { apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata: { name: 'a' }, spec: drawn };
      const once = parseResource(document);
      expect(once.problems).toBeUndefined();
      const twice = parseResource(JSON.parse(JSON.stringify(once.resource)));
      expect(JSON.stringify(twice.resource)).toBe(JSON.stringify(once.resource));
    }),
  );
});

test('whatever the document is, parsing it throws nothing', () => {
  fc.assert(
    fc.property(fc.anything(), fc.jsonValue(), (anything, json) => {
      for (const drawn of [anything, json]) {
        parseResource(drawn);
        parseResource({ apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata: drawn, spec: drawn });
        parseResource({
          apiVersion: 'evenkeel.dev/v1alpha1',
          kind: 'Balancer',
          metadata: { name: 'a' },
          spec: { members: [drawn, { service: drawn }], rules: [drawn], overrides: [drawn], stickySession: drawn },
        });
      }
    }),
  );
});
