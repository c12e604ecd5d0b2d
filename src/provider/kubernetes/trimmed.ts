// What is left of an object before it is parsed: lists do not say the kind of their items, and much of the metadata, such as
// managedFields, is large and read by nobody.
import { serviceNameLabel } from '../../api/endpoint-slice.ts';
import type { KubeObject } from './kube-object.ts';

/** The object as a document of that kind, with the metadata that matters and no more. */
export function trimmed(object: KubeObject, apiVersion: string, kind: string): Readonly<Record<string, unknown>> {
  const { name, namespace, uid, resourceVersion, labels } = object.metadata;
  const { generation, creationTimestamp } = object.metadata as Readonly<Record<string, unknown>>;
  const serviceName = labels?.[serviceNameLabel];
  const kept = { name, namespace, uid, resourceVersion, generation, creationTimestamp };
  const metadata = serviceName === undefined ? kept : { ...kept, labels: { [serviceNameLabel]: serviceName } };
  return { ...object, apiVersion, kind, metadata: withoutUndefined(metadata) };
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
