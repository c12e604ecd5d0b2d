// How a kind is asked for, and its objects are understood.
import { parseResource, type Resource } from '../../api/parse.ts';
import type { KubeObject } from './kube-object.ts';
import { trimmed } from './trimmed.ts';

/** Where a kind is listed and watched; null: in all namespaces. */
export function collection(api: string, namespace: string | null, plural: string): string {
  return namespace === null ? `${api}/${plural}` : `${api}/namespaces/${namespace}/${plural}`;
}

export function parseAs<T extends Resource>(object: KubeObject, apiVersion: string, kind: T['kind']) {
  const parsed = parseResource(trimmed(object, apiVersion, kind), 'dropped');
  return parsed.problems === undefined ? { resource: parsed.resource as T } : parsed;
}
