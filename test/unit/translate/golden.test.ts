// Golden pairs: each golden/NAME.in.yaml is read and translated, and what comes out must equal NAME.out.yaml.
// Adding a case is adding a file; UPDATE_GOLDEN=1 writes the outputs: format them, and read the difference.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Document, isMap, isScalar, isSeq, parse, visit } from 'yaml';
import { formatProblem } from '../../../src/api/problem.ts';
import { composeReading } from '../../../src/provider/file/file-reading.ts';
import type { LocatedProblem } from '../../../src/provider/provider.ts';
import { checkSnapshot } from '../../../src/snapshot/check.ts';
import type { TranslateOptions } from '../../../src/translate/options.ts';
import { translate } from '../../../src/translate/translate.ts';
import { testOptions } from './test-options.ts';

const folder = join(import.meta.dirname, 'golden');
const isUpdating = process.env.UPDATE_GOLDEN === '1';
const cases = readdirSync(folder)
  .filter((name) => name.endsWith('.in.yaml'))
  .map((name) => name.slice(0, -'.in.yaml'.length));

test.each(cases)('%s', (name) => {
  const text = readFileSync(join(folder, `${name}.in.yaml`), 'utf8');
  const actual = resultOf(text, `${name}.in.yaml`);
  const outPath = join(folder, `${name}.out.yaml`);
  if (isUpdating) writeFileSync(outPath, render(actual));
  expect(existsSync(outPath), `${outPath} is missing; run with UPDATE_GOLDEN=1`).toBe(true);
  expect(actual).toEqual(parse(readFileSync(outPath, 'utf8')));
});

test('every output has its input', () => {
  const outputs = readdirSync(folder).filter((name) => name.endsWith('.out.yaml'));
  expect(outputs.map((name) => name.slice(0, -'.out.yaml'.length)).sort()).toEqual(cases.toSorted());
});

function resultOf(text: string, file: string): unknown {
  const reading = composeReading([{ type: 'text', path: file, text }], null);
  const { snapshot, balancers } = translate(reading.resources, optionsOf(text));
  expect(checkSnapshot(snapshot)).toEqual([]);
  const translated = [...balancers];
  const later = translated
    .flatMap(([, { problems }]) => problems)
    .map((problem) => ({ problem, location: reading.locate(problem) }));
  return {
    rules: snapshot.rules,
    balancers: [...snapshot.balancers.values()],
    conditions: Object.fromEntries(translated.map(([key, { conditions }]) => [key, conditions])),
    problems: [...reading.problems, ...later].map(formatLocated),
  };
}

function formatLocated({ problem, location }: LocatedProblem): string {
  const place = location === null ? 'nowhere' : `${location.file}:${location.line}:${location.column}`;
  return `${place}: ${formatProblem(problem)}`;
}

/** As YAML that the formatter leaves alone, nearly: what fits on a line stands on one. */
function render(result: unknown): string {
  const document = new Document(result);
  visit(document, {
    Map(_, node) {
      const isShort = JSON.stringify(node).length < 120 && node.items.every(({ value }) => isLeaf(value));
      if (isShort && node.items.length > 0) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}

function isLeaf(node: unknown): boolean {
  return !isMap(node) && (!isSeq(node) || node.items.every(isScalar));
}

/** The first line of a case may say `# options: {…}` in JSON, with lists where sets are meant. */
function optionsOf(text: string): TranslateOptions {
  const [, json] = /^# options: (\{.*\})$/m.exec(text) ?? [];
  const given = JSON.parse(json ?? '{}') as Record<string, unknown>;
  const entries = Object.entries(given).map(([key, value]) => [key, Array.isArray(value) ? new Set(value) : value]);
  return { ...testOptions, ...Object.fromEntries(entries) };
}
