// The CustomResourceDefinition of the Balancer, made from its schemas. It writes no file and prints nothing.
import { balancerSchema } from './balancer.ts';
import type { SchemaNode } from './schema/tree.ts';
import { schemaTree } from './schema/tree.ts';
import { statusSchema } from './spec/status.ts';

/** The schema of a Balancer as the API server is told it: structural, without what is ours alone. */
export function balancerStructuralSchema(): SchemaNode {
  const spec = schemaTree(balancerSchema.shape.spec);
  const status = schemaTree(statusSchema);
  return {
    description: 'A named group of members, the requests they take, and the rules by which one is elected for each.',
    type: 'object',
    required: ['spec'],
    properties: {
      // What the API server itself knows about every object; it fills these three in from its own definitions.
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: withoutOurKeywords(spec),
      status: withoutOurKeywords(status),
    },
  };
}

/** The whole definition as plain data. */
export function customResourceDefinition(): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'balancers.evenkeel.dev' },
    spec: {
      group: 'evenkeel.dev',
      scope: 'Namespaced',
      names: {
        kind: 'Balancer',
        listKind: 'BalancerList',
        plural: 'balancers',
        singular: 'balancer',
        shortNames: ['bal'],
        categories: ['evenkeel'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          additionalPrinterColumns: [
            { name: 'Class', type: 'string', jsonPath: '.spec.className' },
            { name: 'Method', type: 'string', jsonPath: '.spec.lbMethod' },
            { name: 'Members', type: 'integer', jsonPath: '.status.members.total' },
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          subresources: { status: {} },
          schema: { openAPIV3Schema: balancerStructuralSchema() },
        },
      ],
    },
  };
}

/** The definition as YAML; the caller brings the writer of YAML. */
export function renderCrd(stringify: (value: unknown) => string): string {
  return `# Generated from src/api by \`node src/api/generate.ts\`. Do not edit.\n${stringify(customResourceDefinition())}`;
}

function withoutOurKeywords(node: SchemaNode): SchemaNode {
  const { 'x-allowed': _allowed, properties, items, ...rest } = node;
  return {
    ...rest,
    ...(items === undefined ? {} : { items: withoutOurKeywords(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, field]) => [name, withoutOurKeywords(field)]),
          ),
        }),
  };
}
