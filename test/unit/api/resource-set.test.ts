// How resources are gathered, grouped and told apart.
import { describe, expect, test } from 'vitest';
import { parseResource, type Resource } from '../../../src/api/parse.ts';
import { createResourceSetBuilder, keyOf } from '../../../src/api/resource-set.ts';
import { balancerDocument, specWith } from './documents.ts';

function resourceOf(document: unknown): Resource {
  const { resource, problems } = parseResource(document);
  if (resource === undefined) throw new Error(JSON.stringify(problems));
  return resource;
}

function balancerNamed(name: string): Resource {
  return resourceOf({ ...balancerDocument(specWith({})), metadata: { name, namespace: 'web' } });
}

function sliceOf(name: string, labels: Readonly<Record<string, string>>): Resource {
  return resourceOf({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'web', labels },
    addressType: 'IPv4',
  });
}

describe('a set of resources', () => {
  test('keeps the order in which they came, and the age of Balancers', () => {
    const builder = createResourceSetBuilder();
    builder.add(balancerNamed('z'), 1);
    builder.add(balancerNamed('a'), 2);
    const { balancers } = builder.build();
    expect([...balancers.keys()]).toEqual(['web/z', 'web/a']);
    expect(balancers.get(keyOf('web', 'a'))).toMatchObject({ age: 2, balancer: { metadata: { name: 'a' } } });
  });

  test('groups EndpointSlices by the Service they belong to', () => {
    const builder = createResourceSetBuilder();
    for (const name of ['app-1', 'app-2']) builder.add(sliceOf(name, { 'kubernetes.io/service-name': 'app' }), 0);
    builder.add(sliceOf('db-1', { 'kubernetes.io/service-name': 'db' }), 0);
    const { endpointSlices } = builder.build();
    expect([...endpointSlices].map(([key, slices]) => [key, slices.map(({ metadata }) => metadata.name)])).toEqual([
      ['web/app', ['app-1', 'app-2']],
      ['web/db', ['db-1']],
    ]);
  });

  test('tells Services and Secrets of one name apart', () => {
    const builder = createResourceSetBuilder();
    const metadata = { name: 'app' };
    expect(builder.add(resourceOf({ apiVersion: 'v1', kind: 'Service', metadata, spec: {} }), 0)).toBeUndefined();
    expect(builder.add(resourceOf({ apiVersion: 'v1', kind: 'Secret', metadata }), 0)).toBeUndefined();
    const set = builder.build();
    expect([set.services.has('default/app'), set.secrets.has('default/app')]).toEqual([true, true]);
  });

  test('uses the first of two definitions and reports the second', () => {
    const builder = createResourceSetBuilder();
    builder.add(balancerNamed('a'), 1);
    const problem = builder.add(balancerNamed('a'), 2);
    expect(problem?.message).toBe('Balancer web/a is defined twice; the first definition is used');
    expect(builder.build().balancers.get('web/a')?.age).toBe(1);
  });

  test('reports an EndpointSlice that belongs to no Service', () => {
    const problem = createResourceSetBuilder().add(sliceOf('lost', {}), 0);
    expect(problem).toMatchObject({
      path: 'metadata.labels',
      message: 'metadata.labels lacks kubernetes.io/service-name; it must name the Service of the slice',
    });
  });
});
