// The reference page of the Balancer in Markdown, made from its schemas. It writes no file.
import { balancerApiVersion, balancerSchema } from './balancer.ts';
import { forceOf } from './in-force.ts';
import { describeAllowed, type SchemaNode, schemaTree } from './schema/tree.ts';
import { statusSchema } from './spec/status.ts';

const introduction = `# Balancer

<!-- Generated from src/api by \`node src/api/generate.ts\`. Do not edit. -->

\`apiVersion: ${balancerApiVersion}\`, \`kind: Balancer\`, namespaced; \`kubectl get bal\` lists them.

The smallest Balancer takes every request and has one member:

\`\`\`yaml
apiVersion: ${balancerApiVersion}
kind: Balancer
metadata:
  name: first
spec:
  members:
    - url: http://127.0.0.1:8081
\`\`\`

- A name followed by \`[]\` is a list. A field without a default may be left out unless it is marked *required*.
- Durations are those of the Gateway API: \`500ms\`, \`10s\`, \`1m30s\`.
- "In force" says whether this version acts on the field. One that is not in force yet is checked and kept, and
  \`check\` and \`serve\` name it.
- An unknown field is refused in files; the API server drops it.
`;

/** The whole page. */
export function renderReference(): string {
  const sections = [
    ...renderSections('spec', schemaTree(balancerSchema.shape.spec)),
    ...renderSections('status', schemaTree(statusSchema)),
  ];
  return `${introduction}\n${sections.join('\n')}`;
}

/** One section for a mapping, and one for each mapping in it. */
function renderSections(path: string, node: SchemaNode): readonly string[] {
  const properties = Object.entries(node.properties ?? {});
  const rules = node['x-kubernetes-validations'] ?? [];
  const isSpec = path.startsWith('spec');
  const lines = [
    `## ${path}`,
    '',
    node.description ?? '',
    '',
    `| Field | Type | Default | Allowed |${isSpec ? ' In force |' : ''} Meaning |`,
    `|---|---|---|---|${isSpec ? '---|' : ''}---|`,
    ...properties.map(([name, field]) => renderRow(`${path}.${name}`, name, field, node, isSpec)),
    '',
  ];
  if (rules.length > 0) lines.push('Rules:', '', ...rules.map(({ message }) => `- ${escapeCell(message)}`), '');
  const nested = properties.flatMap(([name, field]) => {
    if (field.properties !== undefined) return renderSections(`${path}.${name}`, field);
    return field.items?.properties === undefined ? [] : renderSections(`${path}.${name}[]`, field.items);
  });
  return [lines.join('\n'), ...nested];
}

function renderRow(path: string, name: string, field: SchemaNode, parent: SchemaNode, isSpec: boolean): string {
  const cells = [
    `\`${name}${field.type === 'array' ? '[]' : ''}\``,
    describeType(field),
    describeDefault(field, parent.required?.includes(name) ?? false),
    escapeCell(describeBounds(field)),
    ...(isSpec ? [forceOf(path)] : []),
    escapeCell(field.description ?? ''),
  ];
  return `| ${cells.join(' | ')} |`;
}

function describeType(field: SchemaNode): string {
  if (field['x-kubernetes-int-or-string']) return 'number or text';
  if (field.type === 'array')
    return field.items?.properties === undefined ? `list of ${field.items?.type}s` : 'list of mappings';
  return field.type === 'object' ? 'mapping' : (field.type ?? '');
}

function describeDefault(field: SchemaNode, isRequired: boolean): string {
  if (isRequired) return '*required*';
  const value = field.default;
  if (value === undefined || isEmptyMapping(value)) return '';
  if (Array.isArray(value) && value.every(isEmptyMapping))
    return value.length === 0 ? 'none' : 'one, with its defaults';
  return `\`${JSON.stringify(value)}\``;
}

function isEmptyMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function describeBounds(field: SchemaNode): string {
  if (field.type === 'object') return '';
  const own = describeAllowed(field);
  const isListOfScalars = field.items !== undefined && field.items.properties === undefined;
  return isListOfScalars ? `${own}, each ${describeAllowed(field.items)}` : own;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('<', '&lt;');
}
