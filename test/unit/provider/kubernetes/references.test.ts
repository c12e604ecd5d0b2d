import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../../src/api/balancer.ts';
import { forceOf } from '../../../../src/api/in-force.ts';
import { parseResource } from '../../../../src/api/parse.ts';
import { referencesOf } from '../../../../src/provider/kubernetes/references.ts';

function balancer(spec: Record<string, unknown>): Balancer {
  const metadata = { name: 'one', namespace: 'shop' };
  const document = { apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata, spec };
  return parseResource(document).resource as Balancer;
}

describe('what a Balancer names', () => {
  it('is its Services, and where they are elsewhere the namespaces', () => {
    const members = [
      { service: { name: 'app', port: 80 } },
      { service: { name: 'app', port: 81 } },
      { service: { name: 'app', namespace: 'more', port: 80 } },
    ];
    const { services, foreignNamespaces } = referencesOf(balancer({ members }));
    expect([...services]).toEqual(['shop/app', 'more/app']);
    expect([...foreignNamespaces]).toEqual(['more']);
  });

  it('is the Secret of its session keys', () => {
    const signing = { secretName: 'keys' };
    const stickySession = { cookie: 'S', strategy: 'Suffix', signing };
    const { secrets } = referencesOf(balancer({ members: [{ url: 'http://10.0.0.1' }], stickySession }));
    expect([...secrets]).toEqual(['keys']);
  });

  it('is the Secrets of its certificates only once TLS is in force', () => {
    const tls = [{ hosts: ['shop.example.com'], secretName: 'certificate' }];
    const { secrets } = referencesOf(balancer({ members: [{ url: 'http://10.0.0.1' }], tls }));
    expect(secrets.has('certificate')).toBe(forceOf('spec.tls') !== 'not yet');
  });
});
