// Every restriction of the CRD, tried on a real API server: it is refused there what our own validation refuses, accepted
// what that accepts, and no rule stands in the CRD that cannot be broken.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseResource } from '../../src/api/parse.ts';
import { type ControlPlane, absence, startControlPlane } from './control-plane.ts';
import { applyCrds, readCrds } from './crds.ts';
import { judge } from './judge.ts';
import { balancerNamed } from './objects.ts';
import { ruleCases } from './rule-cases.ts';
import { mutatedFields, pathsOf, type Schema } from './schema-mutations.ts';
import { wholeSpecs } from './whole-specs.ts';

const schema = specSchema();
const fields = mutatedFields(schema, wholeSpecs);
/** `path: message` of every rule that the API server gave as a reason. */
const broken = new Set<string>();

function specSchema(): Schema {
  const [crd] = readCrds();
  const { versions } = crd!.spec as { versions: readonly { schema: { openAPIV3Schema: Schema } }[] };
  return versions[0]!.schema.openAPIV3Schema.properties!.spec!;
}

function rulesOf({ properties, items, ...node }: Schema, path: string): readonly string[] {
  const own = (node['x-kubernetes-validations'] ?? []).map(({ message }) => `${path}: ${message}`);
  const below = Object.entries(properties ?? {}).flatMap(([name, field]) => rulesOf(field, `${path}.${name}`));
  return [...own, ...below, ...(items === undefined ? [] : rulesOf(items, `${path}[]`))];
}

const rules = rulesOf(schema, 'spec');

/** Notes which rules a refusal names: a rule may point at a field below the object that it belongs to. */
function note(causes: readonly { readonly field?: string; readonly message?: string }[]): void {
  for (const { field = '', message = '' } of causes) {
    const path = field.replaceAll(/\[\d+\]/g, '[]');
    for (const rule of rules) {
      const [owner, text] = [rule.slice(0, rule.indexOf(': ')), rule.slice(rule.indexOf(': ') + 2)];
      if (message.includes(text) && (path === owner || path.startsWith(`${owner}.`))) broken.add(rule);
    }
  }
}

describe.skipIf(absence !== null)('the schema of the CRD on a real API server', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
    await applyCrds(plane.admin);
  });
  afterAll(() => plane?.[Symbol.asyncDispose]());

  test('every field is tried', () => {
    const tried = fields.map(({ path }) => path);
    expect(pathsOf(schema, 'spec').filter((path) => !tried.includes(path))).toEqual([]);
  });

  test.each(wholeSpecs.map((spec, index) => [index, spec] as const))(
    'whole spec %i is accepted, and both fill in the same defaults',
    async (index, spec) => {
      const object = balancerNamed('default', `whole-${index}`, spec);
      const created = await plane.admin.create(object);
      const specOf = (document: unknown): unknown => {
        const { resource, problems } = parseResource({ ...(document as object), metadata: object.metadata });
        expect(problems).toBeUndefined();
        return (resource as { spec?: unknown }).spec;
      };
      expect(specOf(created)).toEqual(specOf(object));
    },
  );

  test.each(fields)('$path', async ({ mutations }) => {
    const found: string[] = [];
    const waiting = [...mutations];
    const work = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { server, own } = await judge(plane.admin, next.spec);
        if (server !== null) note(server.causes);
        if ((server === null) !== (own === null)) {
          found.push(`${next.name}: the API server says ${server?.message ?? 'yes'}; we say ${own ?? 'yes'}`);
        } else if (next.isWrong && server === null) found.push(`${next.name}: both accept it`);
      }
    };
    await Promise.all(Array.from({ length: 4 }, work));
    expect(found).toEqual([]);
  });

  describe.each(ruleCases)('the rule "$message"', ({ message, kept, broken }) => {
    test('is kept', async () => {
      for (const spec of kept) expect(await judge(plane.admin, spec)).toEqual({ server: null, own: null });
    });

    test('is broken', async () => {
      for (const spec of broken) {
        const { server, own } = await judge(plane.admin, spec);
        note(server?.causes ?? []);
        expect((server?.causes ?? []).map((cause) => cause.message).join(), JSON.stringify(spec)).toContain(message);
        expect(own).toContain(message);
      }
    });
  });

  test('no rule of the CRD is left that nothing above broke', () => {
    expect(rules.filter((rule) => !broken.has(rule))).toEqual([]);
  });
});
