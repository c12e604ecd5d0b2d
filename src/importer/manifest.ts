// What importers write: Balancers as documents of YAML, checked by the schema that the product itself reads them with.
// Fields that hold their default are left out, so that a reader sees what was decided.
import { stringify } from 'yaml';
import { balancerApiVersion } from '../api/balancer.ts';
import { parseResource } from '../api/parse.ts';
import type { Problem } from '../api/problem.ts';

/** A value of YAML. */
export type Field = string | number | boolean | readonly Field[] | Fields;
/** `undefined` is left out, and so are mappings in which nothing is left. */
export interface Fields {
  readonly [name: string]: Field | undefined;
}

/** One Balancer to be. */
export interface BalancerDraft {
  readonly name: string;
  /** Null: none is written, so that `kubectl apply -n` decides. */
  readonly namespace: string | null;
  readonly spec: Fields;
  /** Where it comes from, for the comment above it. */
  readonly origin: string;
}

/** The documents, each with a comment that says where it comes from. */
export function renderManifests(drafts: readonly BalancerDraft[]): string {
  return drafts.map((draft) => `# ${draft.origin}\n${stringify(documentOf(draft), { lineWidth: 110 })}`).join('---\n');
}

/** What is wrong with a draft: a fault of the importer's, or something in what it read that no Balancer can be. */
export function judgeDraft(draft: BalancerDraft): readonly Problem[] {
  return parseResource(documentOf(draft)).problems ?? [];
}

function documentOf({ name, namespace, spec }: BalancerDraft): Fields {
  return {
    apiVersion: balancerApiVersion,
    kind: 'Balancer',
    metadata: compact({ name, namespace: namespace ?? undefined }),
    spec: compact(spec),
  };
}

function compact(fields: Fields): Fields {
  const kept = Object.entries(fields).flatMap(([name, value]): [string, Field][] => {
    if (value === undefined) return [];
    if (!isFields(value)) return [[name, Array.isArray(value) ? value.map(compactItem) : value]];
    const inner = compact(value);
    return Object.keys(inner).length === 0 ? [] : [[name, inner]];
  });
  return Object.fromEntries(kept);
}

function compactItem(item: Field): Field {
  return isFields(item) ? compact(item) : item;
}

function isFields(value: Field): value is Fields {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A name that Kubernetes takes, as near to the text as can be. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, '-')
    .replaceAll(/\.+/g, '-')
    .replaceAll(/-+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '');
  return name === '' ? 'balancer' : name;
}

/** The name, with a number behind it if it is taken. Takes it. */
export function claimName(text: string, taken: Set<string>): string {
  const name = nameFrom(text);
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name.slice(0, 58)}-${number}`;
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
}
