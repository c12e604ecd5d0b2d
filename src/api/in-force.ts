// Which fields the product acts on today. A field that is taken but not acted on yet is named to whoever uses it:
// nothing a user writes is silently ignored. To bring a field into force, move its line from one list to the other.
import { type Balancer, balancerSchema } from './balancer.ts';
import { refOf } from './parse.ts';
import { createNotice, type Problem } from './problem.ts';
import { defaultOf, nodeAt, type SchemaNode, schemaTree } from './schema/tree.ts';

/** Fields that are acted on. A path stands for the field and everything below it; `[]` is every entry of a list. */
export const fieldsInForce: readonly string[] = [
  'spec.className',
  'spec.rules',
  'spec.lbMethod',
  'spec.hash',
  'spec.members[].service',
  'spec.members[].url',
  'spec.members[].loadFactor',
  'spec.members[].lbSet',
  'spec.members[].role',
  'spec.members[].state',
  'spec.members[].routeFrom',
  'spec.members[].route',
  'spec.members[].redirect',
  'spec.members[].ignoreErrors',
  'spec.overrides',
  'spec.stickySession',
  'spec.drain',
  'spec.failover',
  'spec.timeouts',
  'spec.limits',
  'spec.forwarding',
];

/** Fields that are not acted on yet, and what happens instead. */
export const fieldsNotYet: Readonly<Record<string, string>> = {
  'spec.tls': 'its hosts are served without TLS',
  'spec.healthCheck': 'members are not probed; only requests tell whether a member is well',
};

/** Values that are not acted on yet, of fields that are, and what happens instead. */
export const valuesNotYet: Readonly<Record<string, { readonly values: readonly unknown[]; readonly instead: string }>> =
  {};

/**
 * A notice for each field that the user set and that has no effect yet. A field that holds its default is not named:
 * what it asks for is what happens, and the API server writes defaults out where the user wrote none.
 */
export function noticesFor(balancer: Balancer): readonly Problem[] {
  const resource = refOf(balancer);
  const notices: Problem[] = [];
  for (const [pattern, instead] of Object.entries(fieldsNotYet)) {
    const quietValue = JSON.stringify(defaultOf(nodeFor(pattern)));
    for (const { path, value } of occurrences(balancer, pattern)) {
      if (JSON.stringify(value) === quietValue) continue;
      notices.push(createNotice(resource, path, `${path} is not in force yet: ${instead}`));
    }
  }
  for (const [pattern, { values, instead }] of Object.entries(valuesNotYet)) {
    for (const { path, value } of occurrences(balancer, pattern)) {
      if (!values.includes(value)) continue;
      notices.push(createNotice(resource, path, `${path} ${String(value)} is not in force yet: ${instead}`));
    }
  }
  return notices;
}

/** Whether a field such as `spec.members[].url` is acted on: all of it, a part of it, or nothing. */
export function forceOf(path: string): 'yes' | 'partly' | 'not yet' {
  const inForce = fieldsInForce.some((entry) => overlaps(path, entry));
  const notYet = [...Object.keys(fieldsNotYet), ...Object.keys(valuesNotYet)].some((entry) => overlaps(path, entry));
  if (inForce && notYet) return 'partly';
  return inForce ? 'yes' : 'not yet';
}

/** True if one path is the other or lies within it. */
function overlaps(one: string, other: string): boolean {
  return isWithin(one, other) || isWithin(other, one);
}

/** True for `spec.tls[].hosts` within `spec.tls`. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}.`) || path.startsWith(`${ancestor}[`);
}

function nodeFor(pattern: string): SchemaNode {
  const keys = pattern.split('.').flatMap((key) => (key.endsWith('[]') ? [key.slice(0, -2), 0] : [key]));
  const node = nodeAt(schemaTree(balancerSchema), keys);
  if (node === undefined) throw new Error(`the schema has no field ${pattern}`);
  return node;
}

interface Occurrence {
  readonly path: string;
  readonly value: unknown;
}

/** Every place of a resource that a pattern such as `spec.members[].url` names, and that is not left out. */
function occurrences(root: unknown, pattern: string): readonly Occurrence[] {
  let found: readonly Occurrence[] = [{ path: '', value: root }];
  for (const key of pattern.split('.')) {
    const isList = key.endsWith('[]');
    const name = isList ? key.slice(0, -2) : key;
    found = found.flatMap(({ path, value }) => {
      const field = (value as Readonly<Record<string, unknown>>)[name];
      const fieldPath = path === '' ? name : `${path}.${name}`;
      if (field === undefined) return [];
      if (!isList) return [{ path: fieldPath, value: field }];
      return (field as readonly unknown[]).map((entry, index) => ({ path: `${fieldPath}[${index}]`, value: entry }));
    });
  }
  return found;
}
