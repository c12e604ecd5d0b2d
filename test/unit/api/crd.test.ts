// The CRD, its check, and the committed files made from the schemas.
import { describe, expect, test } from 'vitest';
import { balancerSchema } from '../../../src/api/balancer.ts';
import { balancerStructuralSchema, customResourceDefinition } from '../../../src/api/crd.ts';
import { findStaleFiles, generateFiles } from '../../../src/api/generate.ts';
import { parseResource } from '../../../src/api/parse.ts';
import { findStructuralFaults } from '../../../src/api/schema/structural-check.ts';
import { defaultOf, leavesOf, type SchemaNode, schemaTree } from '../../../src/api/schema/tree.ts';
import { balancerDocument, specWith } from './documents.ts';

test('the committed CRD and reference page are what the schemas make', () => {
  expect(generateFiles().map(({ path }) => path)).toEqual([
    'crds/evenkeel.dev_balancers.yaml',
    'docs/reference/balancer.md',
  ]);
  expect(findStaleFiles(), 'run node src/api/generate.ts').toEqual([]);
});

describe('the CRD', () => {
  const root = balancerStructuralSchema();

  test('is structural and bounded throughout', () => {
    expect(findStructuralFaults(root.properties!.spec!, 'spec')).toEqual([]);
    expect(findStructuralFaults(root.properties!.status!, 'status')).toEqual([]);
  });

  test('has names, columns and the status subresource', () => {
    expect(customResourceDefinition()).toMatchObject({
      metadata: { name: 'balancers.evenkeel.dev' },
      spec: {
        group: 'evenkeel.dev',
        scope: 'Namespaced',
        names: { kind: 'Balancer', plural: 'balancers', shortNames: ['bal'], categories: ['evenkeel'] },
        versions: [
          {
            name: 'v1alpha1',
            subresources: { status: {} },
            additionalPrinterColumns: ['Class', 'Method', 'Members', 'Ready', 'Age'].map((name) => ({ name })),
          },
        ],
      },
    });
  });

  test('merges overrides and conditions by their keys and replaces other lists', () => {
    const spec = root.properties!.spec!.properties!;
    expect(spec.overrides).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['member'],
    });
    expect(root.properties!.status!.properties!.conditions).toMatchObject({ 'x-kubernetes-list-map-keys': ['type'] });
    expect(spec.members).toMatchObject({ 'x-kubernetes-list-type': 'atomic', maxItems: 256, minItems: 1 });
  });

  test('takes numbers and texts for load factors and ports', () => {
    const member = root.properties!.spec!.properties!.members!.items!.properties!;
    expect(member.loadFactor).toMatchObject({
      'x-kubernetes-int-or-string': true,
      default: 1,
      minimum: 1,
      maximum: 100,
      maxLength: 6,
    });
    expect(member.loadFactor).not.toHaveProperty('type');
    expect(member.loadFactor).not.toHaveProperty('anyOf');
  });

  test('gives the same defaults as parsing does', () => {
    const { resource } = parseResource(balancerDocument(specWith({ healthCheck: {} })));
    const spec = schemaTree(balancerSchema.shape.spec);
    for (const name of ['rules', 'tls', 'lbMethod', 'overrides', 'drain', 'failover', 'timeouts', 'limits']) {
      expect(resource).toHaveProperty(`spec.${name}`, defaultOf(spec.properties![name]!));
    }
    for (const { path, node } of leavesOf(spec.properties!.healthCheck!, 'spec.healthCheck')) {
      if (node.default !== undefined) expect(resource).toHaveProperty(path, defaultOf(node));
    }
  });
});

describe('the check of structural schemas', () => {
  const text = { description: 'a', type: 'string', maxLength: 5 } as const;

  test.each<[string, object, string]>([
    ['no type', { description: 'a' }, 'the root has no type'],
    ['no description', { type: 'boolean' }, 'the root has no description'],
    ['a text without bound', { ...text, maxLength: undefined }, 'the root has no maxLength'],
    ['a number without bound', { description: 'a', type: 'integer' }, 'the root has no minimum or maximum'],
    [
      'a map without bound',
      { description: 'a', type: 'object', additionalProperties: text },
      'the root has no maxProperties',
    ],
    [
      'a list without bound',
      { description: 'a', type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' },
      'the root has no maxItems',
    ],
    ['a union', { ...text, anyOf: [text] }, 'the root has the keyword anyOf'],
    ['a reference', { ...text, $ref: '#' }, 'the root has the keyword $ref'],
    ['an unknown format', { ...text, format: 'cidrv4' }, 'the root has the format cidrv4'],
    ['a pattern with lookahead', { ...text, pattern: '^(?=a)' }, 'the root has a pattern that RE2 refuses: ^(?=a)'],
    [
      'a pattern with a back reference',
      { ...text, pattern: '(a)\\1' },
      'the root has a pattern that RE2 refuses: (a)\\1',
    ],
    [
      'a type beside int-or-string',
      { ...text, minimum: 0, maximum: 1, 'x-kubernetes-int-or-string': true },
      'the root has a type beside int-or-string',
    ],
    [
      'a default that is required',
      { description: 'a', type: 'object', required: ['b'], properties: { b: { ...text, default: '' } } },
      'the root requires b, which has a default',
    ],
    [
      'a fault deep inside',
      {
        description: 'a',
        type: 'object',
        properties: {
          b: {
            description: 'a',
            type: 'array',
            maxItems: 1,
            'x-kubernetes-list-type': 'atomic',
            items: { type: 'boolean' },
          },
        },
      },
      'b[] has no description',
    ],
    [
      'a rule that blames nobody',
      {
        description: 'a',
        type: 'object',
        'x-kubernetes-validations': [{ rule: 'true', message: 'a', fieldPath: '.b' }],
      },
      'the root has a rule that blames .b, which it does not have',
    ],
    [
      'a list-map whose key may be missing',
      {
        description: 'a',
        type: 'array',
        maxItems: 1,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['b'],
        items: { description: 'a', type: 'object', properties: { b: text } },
      },
      'the root is a list-map whose key b is not required',
    ],
  ])('finds %s', (_, node, fault) => {
    expect(findStructuralFaults(node as SchemaNode)).toEqual([fault]);
  });
});
