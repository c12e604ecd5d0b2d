// What a Balancer names outside itself, as far as it is acted on. It resolves nothing.
import type { Balancer } from '../../api/balancer.ts';
import { forceOf } from '../../api/in-force.ts';
import { keyOf } from '../../api/resource-set.ts';

export interface References {
  /** Keys, `namespace/name`, each once. */
  readonly services: ReadonlySet<string>;
  /** Names in the Balancer's own namespace. */
  readonly secrets: ReadonlySet<string>;
  /** Other namespaces that it takes Services from. */
  readonly foreignNamespaces: ReadonlySet<string>;
}

export const noReferences: References = {
  services: new Set(),
  secrets: new Set(),
  foreignNamespaces: new Set(),
};

/** Certificates and their keys are not even read while nobody makes use of them. */
const isTlsInForce = forceOf('spec.tls') !== 'not yet';

export function referencesOf({ spec, metadata }: Balancer): References {
  const services = new Set<string>();
  const foreignNamespaces = new Set<string>();
  for (const { service } of spec.members) {
    if (service === undefined) continue;
    const namespace = service.namespace ?? metadata.namespace;
    services.add(keyOf(namespace, service.name));
    if (namespace !== metadata.namespace) foreignNamespaces.add(namespace);
  }
  const secrets = new Set<string>();
  const signing = spec.stickySession?.signing?.secretName;
  if (signing !== undefined) secrets.add(signing);
  if (isTlsInForce) for (const { secretName } of spec.tls) secrets.add(secretName);
  return { services, secrets, foreignNamespaces };
}
