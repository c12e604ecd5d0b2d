// Every way in which a field of the CRD can be given wrongly, derived from the CRD's own schema: so a field that comes
// later is tried without a line here, as long as some spec has it. Pure; judges nothing itself.

/** A node of the CRD's schema, as far as it restricts values. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

export interface Mutation {
  readonly name: string;
  readonly spec: unknown;
  /** True: must be refused. False: the two judges need only be of one mind. */
  readonly isWrong: boolean;
}

/** All that can be done to one field of the schema. */
export interface MutatedField {
  /** Such as `spec.members[].url`. */
  readonly path: string;
  readonly schema: Schema;
  readonly mutations: readonly Mutation[];
}

type Keys = readonly (string | number)[];

/** Text that breaks many a pattern, or just does not. */
const oddTexts = [
  ...['', ' ', 'a', 'A', 'a b', 'é', 'a\n', '\t', '/', '//', '/a/../b', '/a;b', '/%41', '/é', '-', '-a', 'a-', '.'],
  ...[
    'a.',
    '.a',
    'a..b',
    '*',
    '*.',
    '*.a',
    '*.*.a',
    'a_b',
    'a:b',
    'a:0',
    'a:65536',
    'a=b',
    '"',
    "'",
    '\u0000',
    '0',
    '00',
  ],
  ...['1', '80', '80a', '1.', '1.5', '1.50', '1.505', '0.5', '100', '100.00', '100.01', '101', '1e1', '+1', '-1', '٣'],
  ...['http://', 'http://a', 'https://a', 'http://a/', 'http://a:0', 'http://a:65535', 'http://a:65536', 'http://a b'],
  ...['http://[::1]', 'http://[::1]:80', 'http://[:]', 'http://u:p@a', 'HTTP://a', 'http://a?b', 'http://10.0.0.1'],
  ...['200', '99', '600', '200-', '200-200', '300-200', '200-399', '2xx', '🙂', '🙂🙂'],
];

const oddDurations = [
  ...['0s', '0ms', '0', '1ms', '999ms', '1s', '59s', '60s', '10m', '601s', '1h', '61m', '24h', '25h', '168h', '169h'],
  ...[
    '9600h',
    '9601h',
    '99999h',
    '99999h99999h',
    '1h1h',
    '1m30s',
    '30s1m',
    '1.5s',
    '-1s',
    '1d',
    ' 1s',
    '1s ',
    '1 s',
    's',
  ],
  ...['000001s', '00001s', '1h1m1s1ms', '1h1m1s1ms1s', '1us', '1µs', '1S'],
];

const oddNumbers = [0, -0, -1, 1, 1.5, 2, 99, 100, 101, 1e10, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e21, 1e308];
const otherTypes: readonly unknown[] = ['text', 5, true, [], {}, ['a'], { a: 1 }, null];

/** Every field of the schema that one of the specs has, with what can be done to it there. */
export function mutatedFields(specSchema: Schema, specs: readonly unknown[]): readonly MutatedField[] {
  const fields = new Map<string, MutatedField>();
  const visit = (schema: Schema, path: string, keys: Keys, whole: unknown): void => {
    const value = valueAt(whole, keys);
    if (value === undefined) return;
    if (!fields.has(path)) fields.set(path, { path, schema, mutations: mutationsOf(schema, keys, whole) });
    for (const [name, below] of Object.entries(schema.properties ?? {})) {
      visit(below, `${path}.${name}`, [...keys, name], whole);
    }
    if (schema.items !== undefined) visit(schema.items, `${path}[]`, [...keys, 0], whole);
  };
  for (const spec of specs) visit(specSchema, 'spec', [], spec);
  return [...fields.values()];
}

/** The paths of all fields of a schema. */
export function pathsOf(schema: Schema, path: string): readonly string[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => pathsOf(field, `${path}.${name}`));
  return [path, ...below, ...(schema.items === undefined ? [] : pathsOf(schema.items, `${path}[]`))];
}

function mutationsOf(schema: Schema, keys: Keys, whole: unknown): readonly Mutation[] {
  const value = valueAt(whole, keys);
  const found: Mutation[] = [];
  const add = (name: string, changed: unknown, isWrong: boolean, at: Keys = keys): void => {
    found.push({ name, spec: withValue(whole, at, changed), isWrong });
  };
  for (const other of otherTypes) add(`is ${JSON.stringify(other)}`, other, false);
  if (schema.type === 'object') {
    add('has an unknown field', { ...(value as object), unknownField: 1 }, true);
    for (const name of schema.required ?? []) add(`lacks ${name}`, undefined, true, [...keys, name]);
  }
  if (schema.type === 'array') {
    const items = value as readonly unknown[];
    if (schema.minItems !== undefined) add('has too few', items.slice(0, schema.minItems - 1), true);
    if (schema.maxItems !== undefined) {
      add(
        'has too many',
        Array.from({ length: schema.maxItems + 1 }, (_, index) => numbered(items[0], index)),
        true,
      );
      add(
        'has all that it may',
        Array.from({ length: schema.maxItems }, (_, index) => numbered(items[0], index)),
        false,
      );
    }
    add('has one twice', [items[0], items[0]], schema['x-kubernetes-list-map-keys'] !== undefined);
  }
  if (schema.enum !== undefined) {
    for (const allowed of schema.enum) add(`is ${allowed}`, allowed, false);
    add('is of no known kind', schema.type === 'integer' ? 12_345 : 'Nonsense', true);
    if (schema.type === 'string') add('is in the wrong case', String(schema.enum[0]).toUpperCase(), false);
  }
  const isNumber = schema.minimum !== undefined || schema.maximum !== undefined;
  // The API server knows no fractions where text is allowed too ("1.5"); files are taken with them, on purpose.
  const numbers = schema['x-kubernetes-int-or-string'] ? oddNumbers.filter(Number.isInteger) : oddNumbers;
  if (isNumber) for (const number of numbers) add(`is ${number}`, number, false);
  if (schema.minimum !== undefined) add('is too small', schema.minimum - 1, true);
  if (schema.maximum !== undefined) add('is too great', schema.maximum + 1, true);
  if (schema.maxLength !== undefined) {
    add('is too long', 'a'.repeat(schema.maxLength + 1), true);
    add('is as long as it may be', 'a'.repeat(schema.maxLength), false);
    add('is a long path', `/${'a'.repeat(schema.maxLength - 1)}`, false);
    add('is long in bytes, not in characters', 'é'.repeat(schema.maxLength), false);
  }
  if (schema.pattern !== undefined) for (const text of oddTexts) add(`is ${JSON.stringify(text)}`, text, false);
  if (schema.pattern?.includes('ms')) for (const text of oddDurations) add(`is ${JSON.stringify(text)}`, text, false);
  return found;
}

/** A copy of an item that differs from the others where items must. */
function numbered(item: unknown, index: number): unknown {
  if (typeof item !== 'object' || item === null || !('member' in item)) return item;
  return { ...item, member: `member-${index}` };
}

function valueAt(root: unknown, keys: Keys): unknown {
  return keys.reduce((value, key) => (value as Record<string | number, unknown> | undefined)?.[key], root);
}

function withValue(root: unknown, [key, ...rest]: Keys, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(root) as Record<string | number, unknown>;
  copy[key] = withValue(copy[key], rest, value);
  return copy;
}
