// Everything users and the cluster wrote that a snapshot is built from, typed and whole. It is rebuilt for each
// reconciliation; it must not be changed once built, and it holds only resources that parsed.
import type { Balancer } from './balancer.ts';
import type { EndpointSlice } from './endpoint-slice.ts';
import { serviceNameLabel, serviceNameOf } from './endpoint-slice.ts';
import { type Resource, refOf } from './parse.ts';
import { createProblem, formatRef, type Problem } from './problem.ts';
import type { Pod } from './pod.ts';
import type { ReferenceGrant } from './reference-grant.ts';
import type { Secret } from './secret.ts';
import type { Service } from './service.ts';

/** A Balancer and its rank among those that claim the same host. */
export interface AgedBalancer {
  readonly balancer: Balancer;
  /** Smaller is older: the document's place in file mode, the creation time in milliseconds in a cluster. */
  readonly age: number;
}

/** Hosts that belong to the namespace of a Balancer, as its status keeps it. */
export interface HostRecord {
  /** The class that it holds for: another one's controllers know nothing of the claims of this one's. */
  readonly className: string;
  /** Normalised. */
  readonly hosts: readonly string[];
}

/** Keys are `namespace/name` (see keyOf); the order of each map is the order of insertion. */
export interface ResourceSet {
  readonly balancers: ReadonlyMap<string, AgedBalancer>;
  readonly services: ReadonlyMap<string, Service>;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** Grouped under `namespace/serviceName`. */
  readonly endpointSlices: ReadonlyMap<string, readonly EndpointSlice[]>;
  /** By namespace: who may refer to what is in there. Left out where that is not asked, as in files. */
  readonly referenceGrants?: ReadonlyMap<string, readonly ReferenceGrant[]>;
  /** By Balancer, also before the version that is here was written. Left out where there are no statuses, as in files. */
  readonly hostRecords?: ReadonlyMap<string, HostRecord>;
  /** Pods behind endpoints, as far as they are known. Left out where they are not asked. */
  readonly pods?: ReadonlyMap<string, Pod>;
  /** What is not here although it may well exist. Left out where everything can be read, as in files. */
  readonly unread?: Unread;
}

/** Why something is not known, for people, as the end of a sentence: `the API server answers 500 InternalError`. */
export interface Unread {
  /** By key: of the Service itself or its EndpointSlices. */
  readonly services: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, string>;
  /** By namespace; null: of all. */
  readonly referenceGrants: ReadonlyMap<string | null, string>;
}

export interface ResourceSetBuilder {
  /**
   * Adds a resource; age matters for Balancers only. Returns a problem, and leaves the resource out, if one of that
   * kind, namespace and name is there already, or if an EndpointSlice names no Service.
   */
  add(resource: Resource, age: number): Problem | undefined;
  /** The set so far. The builder must not be used afterwards. */
  build(): ResourceSet;
}

/** The key of a resource in a ResourceSet: `namespace/name`. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

export function createResourceSetBuilder(): ResourceSetBuilder {
  const balancers = new Map<string, AgedBalancer>();
  const services = new Map<string, Service>();
  const secrets = new Map<string, Secret>();
  const endpointSlices = new Map<string, EndpointSlice[]>();
  const known = new Set<string>();

  return {
    add(resource, age) {
      const ref = refOf(resource);
      const key = keyOf(ref.namespace, ref.name);
      if (known.has(`${ref.kind} ${key}`)) {
        return createProblem(ref, '', `${formatRef(ref)} is defined twice; the first definition is used`);
      }
      if (resource.kind === 'EndpointSlice' && serviceNameOf(resource) === undefined) {
        const path = 'metadata.labels';
        return createProblem(ref, path, `${path} lacks ${serviceNameLabel}; it must name the Service of the slice`);
      }
      known.add(`${ref.kind} ${key}`);
      switch (resource.kind) {
        case 'Balancer':
          balancers.set(key, { balancer: resource, age });
          break;
        case 'Service':
          services.set(key, resource);
          break;
        case 'Secret':
          secrets.set(key, resource);
          break;
        case 'EndpointSlice': {
          const serviceKey = keyOf(ref.namespace, serviceNameOf(resource) ?? '');
          const group = endpointSlices.get(serviceKey);
          if (group === undefined) endpointSlices.set(serviceKey, [resource]);
          else group.push(resource);
          break;
        }
        default:
          resource satisfies never;
      }
      return undefined;
    },
    build: () => ({ balancers, services, secrets, endpointSlices }),
  };
}
