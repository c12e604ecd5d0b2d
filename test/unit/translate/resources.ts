// Builders of parsed resources: a test states what it is about, the rest is filled in as a user's document would be.
import { parseResource, type Resource } from '../../../src/api/parse.ts';
import type { Problem } from '../../../src/api/problem.ts';
import { createResourceSetBuilder, type ResourceSet } from '../../../src/api/resource-set.ts';
import type { BalancerConditions } from '../../../src/translate/conditions.ts';
import type { Translation } from '../../../src/translate/translate.ts';

type Fields = Readonly<Record<string, unknown>>;

export function balancer(name: string, spec: Fields, namespace = 'shop'): Resource {
  return parsed({ apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata: { name, namespace }, spec });
}

export function service(
  name: string,
  spec: Fields = { ports: [{ name: 'http', port: 80 }] },
  namespace = 'shop',
): Resource {
  return parsed({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec });
}

export function secret(name: string, content: Fields, namespace = 'shop'): Resource {
  return parsed({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, ...content });
}

export function slice(name: string, ofService: string, endpoints: readonly Fields[], fields: Fields = {}): Resource {
  return parsed({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': ofService } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints,
    ...fields,
  });
}

/** An endpoint of the pod `app-N`, ready unless said otherwise. */
export function endpoint(number: number, conditions: Fields = {}): Fields {
  return {
    addresses: [`10.0.${number >> 8}.${number & 255}`],
    conditions,
    targetRef: { kind: 'Pod', name: `app-${number}`, uid: `uid-${number}` },
  };
}

/** A set of the resources in this order; the earlier, the older. */
export function setOf(resources: readonly Resource[]): ResourceSet {
  const builder = createResourceSetBuilder();
  for (const [place, resource] of resources.entries()) {
    const problem = builder.add(resource, place);
    if (problem !== undefined) throw new Error(problem.message);
  }
  return builder.build();
}

/** The problems of all Balancers, in order of keys. */
export function problemsOf({ balancers }: Translation): readonly Problem[] {
  return [...balancers.values()].flatMap(({ problems }) => problems);
}

/** What is said of one Balancer, by key. */
export function conditionsOf({ balancers }: Translation, key: string): BalancerConditions {
  const translated = balancers.get(key);
  if (translated === undefined) throw new Error(`no Balancer ${key} was translated`);
  return translated.conditions;
}

function parsed(document: Fields): Resource {
  const { resource, problems } = parseResource(document);
  if (resource === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  return resource;
}
