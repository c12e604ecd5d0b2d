// The schema of a resource as a plain tree, made from zod: what the CRD, the reference page, the messages and the
// notices are all derived from. It holds no functions, and it must not be changed by those who read it.
import { z } from 'zod';

/** One field: the subset of OpenAPI 3.0 that Kubernetes calls structural, and `x-allowed` of our own. */
export interface SchemaNode {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode;
  readonly 'x-allowed'?: string;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fieldPath?: string;
  }[];
  /** Not structural: only in the trees of kinds that are not ours, and refused by the check of the CRD. */
  readonly anyOf?: readonly SchemaNode[];
}

const trees = new WeakMap<z.ZodType, SchemaNode>();

/** The tree of what a user may write for a schema. Made once per schema. */
export function schemaTree(schema: z.ZodType): SchemaNode {
  let tree = trees.get(schema);
  if (tree === undefined) {
    const json: unknown = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' });
    tree = toNode(json as JsonSchema);
    trees.set(schema, tree);
  }
  return tree;
}

/** What zod emits, as far as it differs from a node. */
interface JsonSchema extends Omit<SchemaNode, 'additionalProperties' | 'properties' | 'items' | 'anyOf'> {
  readonly additionalProperties?: JsonSchema | boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

const maxInt32 = 2 ** 31 - 1;

/** Turns what zod emits into a structural node; the order of the keys is the order they are printed in. */
function toNode(json: JsonSchema): SchemaNode {
  const { description, type, properties, items, additionalProperties, anyOf, ...rest } = json;
  if (rest['x-kubernetes-int-or-string']) return toIntOrString(json);
  return {
    ...(description === undefined ? {} : { description }),
    ...toType(json),
    ...withoutNoise(rest),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(toNode) }),
    ...(items === undefined ? {} : { items: toNode(items) }),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, toNode(field)])) }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: toNode(additionalProperties) } : {}),
  };
}

/** zod calls a literal number a number; Kubernetes wants to know how wide integers are. */
function toType(json: JsonSchema): Pick<SchemaNode, 'type' | 'format'> {
  const isInteger = json.type === 'integer' || (json.type === 'number' && json.enum?.every(Number.isInteger));
  if (!isInteger) return json.type === undefined ? {} : { type: json.type };
  const largest = json.maximum ?? Math.max(...(json.enum ?? [Number.MAX_SAFE_INTEGER]).map(Number));
  return { type: 'integer', format: largest <= maxInt32 ? 'int32' : 'int64' };
}

/** The bounds of both halves side by side: those of the number do not bear on a text, nor the other way round. */
function toIntOrString(json: JsonSchema): SchemaNode {
  const { description, anyOf = [], ...rest } = json;
  const [number = {}, text = {}] = [
    anyOf.find((half) => half.type !== 'string'),
    anyOf.find((h) => h.type === 'string'),
  ];
  return {
    ...(description === undefined ? {} : { description }),
    ...withoutNoise(rest),
    ...(number.minimum === undefined ? {} : { minimum: number.minimum }),
    ...(number.maximum === undefined ? {} : { maximum: number.maximum }),
    ...withoutNoise({
      ...(text.maxLength === undefined ? {} : { maxLength: text.maxLength }),
      ...(text.pattern === undefined ? {} : { pattern: text.pattern }),
    }),
  };
}

/** Drops bounds that say nothing, the pattern of a format that Kubernetes knows, and the escapes of slashes that JavaScript puts into the source of a pattern. */
function withoutNoise(node: JsonSchema): SchemaNode {
  const { minItems, minLength, pattern, additionalProperties, properties, items, anyOf, ...rest } = node;
  return {
    ...rest,
    ...(minItems ? { minItems } : {}),
    ...(minLength ? { minLength } : {}),
    ...(pattern === undefined || rest.format === 'date-time' ? {} : { pattern: pattern.replaceAll('\\/', '/') }),
  };
}

/** The node of a field such as `['spec', 'members', 2, 'url']`; undefined where the schema knows none. */
export function nodeAt(tree: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = tree;
  for (const key of path) {
    if (typeof key === 'number') node = node?.items;
    else
      node =
        (Object.hasOwn(node?.properties ?? {}, key) ? node?.properties?.[String(key)] : undefined) ??
        node?.additionalProperties;
  }
  return node;
}

/** A field and where it stands; lists are marked, as in `spec.members[].url`. */
export interface Leaf {
  readonly path: string;
  readonly node: SchemaNode;
}

/** All fields that hold a value and not further fields: scalars and lists of scalars, in the order of the schema. */
export function leavesOf(node: SchemaNode, path: string): readonly Leaf[] {
  if (node.items?.properties !== undefined) return leavesOf(node.items, `${path}[]`);
  if (node.properties === undefined) return [{ path, node }];
  return Object.entries(node.properties).flatMap(([name, field]) => leavesOf(field, `${path}.${name}`));
}

/** The value the API server and zod give to a field that is left out; undefined where it stays left out. */
export function defaultOf(node: SchemaNode): unknown {
  return node.default === undefined ? undefined : fillDefaults(node, node.default);
}

function fillDefaults(node: SchemaNode, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => (node.items ? fillDefaults(node.items, entry) : entry));
  if (typeof value !== 'object' || value === null || node.properties === undefined) return value;
  const given = value as Readonly<Record<string, unknown>>;
  const filled: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(node.properties)) {
    const entry = name in given ? fillDefaults(field, given[name]) : defaultOf(field);
    if (entry !== undefined) filled[name] = entry;
  }
  return filled;
}

/** What a field takes, in words that complete "it must be …". */
export function describeAllowed(node: SchemaNode): string {
  if (node['x-allowed'] !== undefined) return node['x-allowed'];
  if (node.enum !== undefined)
    return node.enum.length === 1 ? `${node.enum[0]}` : `one of ${joinWords(node.enum, 'or')}`;
  switch (node.type) {
    case 'integer':
      return describeInteger(node);
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'string':
      return node.maxLength === undefined ? 'a text' : `a text of at most ${node.maxLength} characters`;
    case 'array':
      return describeList(node);
    case 'object':
      return node.properties === undefined
        ? 'a mapping'
        : `a mapping with fields out of ${joinWords(Object.keys(node.properties), 'and')}`;
    case undefined:
      return 'a number or a text';
    default:
      return node.type satisfies never;
  }
}

function describeInteger({ minimum, maximum }: SchemaNode): string {
  if (minimum === undefined || maximum === undefined) return 'a whole number';
  if (maximum === Number.MAX_SAFE_INTEGER) return `a whole number, ${minimum} or greater`;
  return `a whole number from ${minimum} to ${maximum}`;
}

function describeList({ minItems = 0, maxItems }: SchemaNode): string {
  if (maxItems === undefined) return minItems === 0 ? 'a list' : `a list of at least ${minItems}`;
  return minItems === 0 ? `a list of at most ${maxItems} entries` : `a list of ${minItems} to ${maxItems} entries`;
}

/** `a, b and c`. */
export function joinWords(words: readonly (string | number)[], last: 'and' | 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}
