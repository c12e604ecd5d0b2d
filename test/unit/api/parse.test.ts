// How a document becomes a resource: its defaults, what is accepted, and what is not a resource of ours at all.
import { describe, expect, test } from 'vitest';
import { parseResource } from '../../../src/api/parse.ts';
import { balancerDocument, specWith, specWithMember } from './documents.ts';

describe('a Balancer', () => {
  test('needs one member only and has defaults for the rest', () => {
    const { resource } = parseResource({
      apiVersion: 'evenkeel.dev/v1alpha1',
      kind: 'Balancer',
      metadata: { name: 'first' },
      spec: { members: [{ url: 'http://a' }, { service: { name: 'app', port: 'http' } }] },
    });
    expect(resource).toEqual({
      apiVersion: 'evenkeel.dev/v1alpha1',
      kind: 'Balancer',
      metadata: { name: 'first', namespace: 'default', labels: {}, annotations: {} },
      spec: {
        rules: [{ hosts: [], paths: [{ type: 'Prefix', value: '/' }] }],
        tls: [],
        lbMethod: 'byrequests',
        members: [
          { url: 'http://a', loadFactor: 1, lbSet: 0, role: 'Active', state: 'Enabled', ignoreErrors: false },
          {
            service: { name: 'app', port: 'http' },
            routeFrom: 'PodUID',
            loadFactor: 1,
            lbSet: 0,
            role: 'Active',
            state: 'Enabled',
            ignoreErrors: false,
          },
        ],
        overrides: [],
        drain: { onTimeout: 'Redispatch', unreadyGrace: '0s' },
        failover: { retryAfter: '60s', forceRecovery: true, failOnStatus: [], failOnTimeout: false },
        timeouts: { connect: '5s', response: '60s', body: '60s', keepAlive: '60s', tunnel: '1h', wait: '0s' },
        forwarding: { host: 'Keep' },
        limits: { maxBodyBytes: 0, maxConnectionsPerMember: 0, maxWaiting: 0 },
      },
    });
  });

  test('has all that belongs to the cookie under Insert, and nothing of it under the other strategies', () => {
    const insert = parseResource(
      balancerDocument(specWith({ stickySession: { cookie: 'ROUTE', strategy: 'Insert' } })),
    );
    expect(insert.resource).toHaveProperty('spec.stickySession.attributes', {
      path: '/',
      domain: '',
      sameSite: 'Lax',
      secure: 'Auto',
      httpOnly: true,
      partitioned: false,
    });
    expect(insert.resource).toHaveProperty('spec.stickySession.cacheControl', 'Private');
    const route = parseResource(balancerDocument(specWith({ stickySession: { cookie: 'JSESSIONID' } })));
    expect(route.resource).toHaveProperty('spec.stickySession.strategy', 'Route');
    expect(route.resource).toHaveProperty('spec.stickySession.attributes', undefined);
    expect(route.resource).toHaveProperty('spec.stickySession.cacheControl', undefined);
  });

  test('may have fields that are null: they count as left out', () => {
    const document = balancerDocument({ members: [{ url: 'http://a', route: null }], tls: null });
    document.metadata = { name: 'a', creationTimestamp: null };
    expect(parseResource(document).resource).toHaveProperty('spec.tls', []);
  });

  test('is not refused for a status that somebody else wrote', () => {
    const document = { ...balancerDocument(specWith({})), status: { conditions: 'from the future' } };
    expect(parseResource(document).resource).toHaveProperty('status.conditions', undefined);
    expect(parseResource({ ...document, status: 7 }).resource).toHaveProperty('status', undefined);
  });

  test('keeps what can be read of a status of which some cannot', () => {
    const ready = {
      type: 'Ready',
      status: 'True',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'R',
      message: '',
    };
    const status = {
      observedGeneration: 3,
      members: { total: 'all' },
      addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
      conditions: [{ ...ready, type: 'New', status: 'Perhaps' }, ready],
      later: true,
    };
    expect(parseResource({ ...balancerDocument(specWith({})), status }).resource).toMatchObject({
      status: {
        observedGeneration: 3,
        members: undefined,
        addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
        conditions: [ready],
      },
    });
  });

  test('keeps its status and drops metadata that is not read', () => {
    const record = { className: 'evenkeel', hosts: ['*', '*.example.com', 'shop.example.com'] };
    const metadata = { name: 'a', managedFields: [{}] };
    const document = { ...balancerDocument(specWith({})), metadata, status: { observedGeneration: 3, ...record } };
    const { resource } = parseResource(document);
    expect(resource).toHaveProperty('status', { observedGeneration: 3, ...record });
    expect(resource).not.toHaveProperty('metadata.managedFields');
  });
});

describe('accepted', () => {
  test.each([
    ['a host', { rules: [{ hosts: ['shop.example.com'] }] }],
    ['a wildcard host', { rules: [{ hosts: ['*.shop.example.com'] }] }],
    ['a host in capitals', { rules: [{ hosts: ['Shop.Example.COM'] }] }],
    ['an address as host', { rules: [{ hosts: ['127.0.0.1'] }] }],
    ['the longest label', { rules: [{ hosts: [`${'a'.repeat(63)}.com`] }] }],
    ['a path with a slash at its end', { rules: [{ paths: [{ value: '/app/' }] }] }],
    ['an exact path', { rules: [{ paths: [{ type: 'Exact', value: '/a/b' }] }] }],
    ['segments that begin with dots', { rules: [{ paths: [{ value: '/.well-known/..a/...' }] }] }],
    ['a path with letters beyond ASCII', { rules: [{ paths: [{ value: '/café au lait' }] }] }],
    ['a member with a port', specWithMember({ url: 'http://backend1.example.com:8080' })],
    ['a member with the highest port', specWithMember({ url: 'http://a:65535' })],
    ['a member with an IPv4 address', specWithMember({ url: 'http://10.0.0.1:80' })],
    ['a member with an IPv6 address', specWithMember({ url: 'http://[fd00::1]:80' })],
    ['a port by number', specWithMember({ service: { name: 'app', port: 8080 } })],
    ['a port by name', specWithMember({ service: { name: 'app', namespace: 'other', port: 'http' } })],
    ['a port whose name begins with a digit', specWithMember({ service: { name: 'app', port: '9p-http' } })],
    ['a route with dots', specWithMember({ url: 'http://a', route: 'node.1', redirect: 'node.2' })],
    ['a redirect for a Service', specWithMember({ service: { name: 'app', port: 1 }, redirect: 'spare' })],
    ['all other methods', { lbMethod: 'bybusyness' }],
    ['a hash of the address', { lbMethod: 'hash', hash: {} }],
    ['a hash of a header', { lbMethod: 'hash', hash: { source: 'Header', name: 'X-User' } }],
    ['the whole value as route', { stickySession: { cookie: 'R', separator: '' } }],
    ['a session in a header', { stickySession: { header: 'Mcp-Session-Id', strategy: 'Suffix' } }],
    ['statuses of failure', { failover: { failOnStatus: [503, 500], maxAttempts: 0 } }],
    ['a health check with defaults', { healthCheck: {} }],
    ['statuses of health', { healthCheck: { expect: { statuses: ['204', '200-200', '300-399'] } } }],
  ])('%s', (_, fields) => {
    expect(parseResource(balancerDocument(specWith(fields))).problems).toBeUndefined();
  });
});

describe('a document that is none of ours', () => {
  test.each<[unknown, string, string]>([
    [5, '', 'the document is 5; it must be a mapping with apiVersion, kind and metadata'],
    [null, '', 'the document is null; it must be a mapping with apiVersion, kind and metadata'],
    [[], '', 'the document is []; it must be a mapping with apiVersion, kind and metadata'],
    [{}, 'kind', 'kind is missing; it must be one of Balancer, Service, EndpointSlice and Secret'],
    [
      { kind: 7 },
      'kind',
      'kind is 7, which is not read; the kinds that are read are Balancer, Service, EndpointSlice and Secret',
    ],
    [
      { kind: 'Ingress' },
      'kind',
      'kind is "Ingress", which is not read; the kinds that are read are Balancer, Service, EndpointSlice and Secret',
    ],
    [{ kind: 'balancer' }, 'kind', 'kind is "balancer", which is not read; did you mean Balancer?'],
    [
      { kind: 'toString' },
      'kind',
      'kind is "toString", which is not read; the kinds that are read are Balancer, Service, EndpointSlice and Secret',
    ],
    [{ kind: 'Balancer' }, 'apiVersion', 'apiVersion is missing; for kind Balancer it must be evenkeel.dev/v1alpha1'],
    [
      { kind: 'Service', apiVersion: 'serving.knative.dev/v1' },
      'apiVersion',
      'apiVersion is "serving.knative.dev/v1"; for kind Service it must be v1',
    ],
  ])('%j is named as such', (document, path, message) => {
    const { problems } = parseResource(document);
    expect(problems?.map((problem) => [problem.path, problem.message])).toEqual([[path, message]]);
  });

  test('may contain itself without harm', () => {
    const spec: Record<string, unknown> = {};
    spec.members = [spec, spec, spec];
    expect(parseResource(balancerDocument(spec)).problems?.[0]?.message).toBe(
      'the document is nested more than 64 levels deep, or contains itself',
    );
  });

  test('is named by its kind and name as far as it has them', () => {
    const { problems } = parseResource({ kind: 'Ingress', metadata: { name: 'a', namespace: 'b' } });
    expect(problems?.[0]?.resource).toEqual({ kind: 'Ingress', namespace: 'b', name: 'a' });
    expect(parseResource(5).problems?.[0]?.resource).toEqual({ kind: 'document', namespace: 'default', name: '' });
  });
});
