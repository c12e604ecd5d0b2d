// Judges a schema as the API server will when a CRD is created, and by our own rule that everything is bounded, so that
// a schema that it would refuse never leaves the house. It knows the keywords that we use, and refuses all others.
import type { SchemaNode } from './tree.ts';

const knownKeywords = new Set([
  'description',
  'type',
  'format',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
  'properties',
  'items',
  'additionalProperties',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
]);

const knownFormats = new Set([undefined, 'int32', 'int64', 'date-time']);

/** Lookaround and back references: what JavaScript has and RE2 refuses. */
const notInRe2 = /\(\?(?:[=!]|<[=!])|\\[1-9]|\\k</;

/** Everything that makes a schema unfit for a CRD, one sentence each; empty if it is fit. */
export function findStructuralFaults(node: SchemaNode, path = ''): readonly string[] {
  const faults = [...judgeShape(node), ...judgeBounds(node), ...judgeLists(node)].map(
    (fault) => `${path === '' ? 'the root' : path} ${fault}`,
  );
  for (const [name, field] of Object.entries(node.properties ?? {})) {
    faults.push(...findStructuralFaults(field, path === '' ? name : `${path}.${name}`));
  }
  if (node.items !== undefined) faults.push(...findStructuralFaults(node.items, `${path}[]`));
  if (typeof node.additionalProperties === 'object') {
    faults.push(...findStructuralFaults(node.additionalProperties, `${path}{}`));
  }
  return faults;
}

function* judgeShape(node: SchemaNode): Generator<string> {
  const isTypeless = node['x-kubernetes-int-or-string'] || node['x-kubernetes-preserve-unknown-fields'];
  if (node.type === undefined && !isTypeless) yield 'has no type';
  if (node.type !== undefined && node['x-kubernetes-int-or-string']) yield 'has a type beside int-or-string';
  if (node.description === undefined) yield 'has no description';
  for (const keyword of Object.keys(node)) {
    if (!knownKeywords.has(keyword)) yield `has the keyword ${keyword}`;
  }
  if (!knownFormats.has(node.format)) yield `has the format ${node.format}`;
  if (node.pattern !== undefined && notInRe2.test(node.pattern))
    yield `has a pattern that RE2 refuses: ${node.pattern}`;
  if (node.properties !== undefined && node.additionalProperties !== undefined) {
    yield 'has additionalProperties beside properties';
  }
  for (const name of node.required ?? []) {
    const field = node.properties?.[name];
    if (field === undefined) yield `requires ${name}, which it does not have`;
    else if (field.default !== undefined) yield `requires ${name}, which has a default`;
  }
  for (const { message, fieldPath } of node['x-kubernetes-validations'] ?? []) {
    if (message === '' || message.includes('\n')) yield 'has a rule whose message is not one line';
    if (fieldPath !== undefined && node.properties?.[fieldPath.slice(1)] === undefined) {
      yield `has a rule that blames ${fieldPath}, which it does not have`;
    }
  }
}

function* judgeBounds(node: SchemaNode): Generator<string> {
  if (node.enum !== undefined) return;
  const takesText = node.type === 'string' || node['x-kubernetes-int-or-string'];
  const takesNumber = node.type === 'integer' || node.type === 'number' || node['x-kubernetes-int-or-string'];
  if (takesText && node.maxLength === undefined) yield 'has no maxLength';
  if (takesNumber && (node.minimum === undefined || node.maximum === undefined)) yield 'has no minimum or maximum';
  if (node.type === 'array' && node.maxItems === undefined) yield 'has no maxItems';
  if (node.additionalProperties !== undefined && node.maxProperties === undefined) yield 'has no maxProperties';
  if (node.type === 'number') yield 'is a floating point number';
}

function* judgeLists(node: SchemaNode): Generator<string> {
  if (node.type !== 'array') return;
  if (node.items === undefined) yield 'has no items';
  const listType = node['x-kubernetes-list-type'];
  if (listType === undefined) yield 'has no list type';
  const keys = node['x-kubernetes-list-map-keys'] ?? [];
  if (listType === 'map' && keys.length === 0) yield 'is a list-map without keys';
  for (const key of keys) {
    if (!node.items?.required?.includes(key)) yield `is a list-map whose key ${key} is not required`;
  }
}
