// What can be told of the documents by reading them: links lead somewhere, and YAML is what the product takes.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseResource } from '../../../src/api/parse.ts';
import { codeBlocksOf, documents } from '../../helpers/documents.ts';
import { root } from '../../helpers/evenkeel-process.ts';

test.each([...documents])('links of %s lead to files and headings that are there', (path, text) => {
  const prose = codeBlocksOf(text).reduce((rest, block) => rest.replace(block.text, ''), text);
  const dead: string[] = [];
  for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [file = '', anchor] = target.split('#');
    const absolute = file === '' ? join(root, path) : normalize(join(root, dirname(path), file));
    if (!existsSync(absolute)) dead.push(target);
    else if (anchor !== undefined && absolute.endsWith('.md') && !headingsOf(absolute).includes(anchor))
      dead.push(target);
  }
  expect(dead).toEqual([]);
});

/** As GitHub makes anchors of them. */
function headingsOf(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

const pieces = [...documents].flatMap(([path, text]) =>
  codeBlocksOf(text)
    .filter(({ language, mark }) => language === 'yaml' && !mark.startsWith('a part'))
    .map((block) => ({ path, ...block })),
);

test.each(pieces)('the YAML of $path:$line is what the product takes', ({ text }) => {
  for (const document of parseAllDocuments(text)) {
    expect(document.errors).toEqual([]);
    const value = document.toJS() as Readonly<Record<string, unknown>>;
    if (value.kind !== undefined && !['Balancer', 'Service', 'EndpointSlice', 'Secret'].includes(String(value.kind)))
      continue;
    // A piece without a kind is a part of the spec of a Balancer.
    const whole = value.kind === undefined ? balancerWith(value) : value;
    expect(parseResource(whole).problems ?? []).toEqual([]);
  }
});

function balancerWith(spec: Readonly<Record<string, unknown>>): unknown {
  return {
    apiVersion: 'evenkeel.dev/v1alpha1',
    kind: 'Balancer',
    metadata: { name: 'piece' },
    spec: { members: [{ url: 'http://10.0.0.1' }], ...(value(spec.spec) ?? spec) },
  };
}

function value(spec: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof spec === 'object' && spec !== null ? (spec as Readonly<Record<string, unknown>>) : undefined;
}
