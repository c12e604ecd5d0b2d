// What the chart makes of values, whole. UPDATE_GOLDEN=1 writes what is expected: read the difference.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../helpers/evenkeel-process.ts';
import { cases, monitorCases } from './cases.ts';
import { helm, renderText } from './helm.ts';

const folder = join(import.meta.dirname, 'golden');
const isUpdating = process.env.UPDATE_GOLDEN === '1';
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
const all = { ...cases, ...monitorCases };

/** Without what stands in other tests, or changes with each version. */
function goldenOf(text: string): string {
  return text
    .split(/^---\n/m)
    .filter((part) => part.trim() !== '' && !part.includes('kind: CustomResourceDefinition'))
    .map((part) => `---\n${part.trimEnd()}\n`)
    .join('')
    .replaceAll(version, 'VERSION');
}

describe.skipIf(helm === null)('the chart, rendered', () => {
  test.each(Object.entries(all))('%s', (name, values) => {
    const path = join(folder, `${name}.txt`);
    const text = goldenOf(renderText(values));
    if (isUpdating) writeFileSync(path, text);
    expect(existsSync(path), `${path} is missing; run with UPDATE_GOLDEN=1`).toBe(true);
    expect(text).toBe(readFileSync(path, 'utf8'));
  });

  test('there is nothing but that', () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(all)
        .map((name) => `${name}.txt`)
        .sort(),
    );
  });
});
