// Splitting a file into documents must never change what it says, nor the line at which it says it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judgeChunk, splitText } from '../../../src/provider/file/judged-text.ts';
import { parseYamlText } from '../../../src/provider/file/yaml-text.ts';

/** Value and line of each document, by chunks and at once. */
function bothWays(text: string): [unknown[], unknown[]] {
  const whole = parseYamlText(text).documents.map(({ fingerprint, place }) => [fingerprint, place.line]);
  const split = splitText(text).flatMap((chunk) =>
    parseYamlText(chunk.text).documents.map(({ fingerprint, place }) => [
      fingerprint,
      chunk.firstLine - 1 + place.line,
    ]),
  );
  return [split, whole];
}

test.each([
  ['nothing', ''],
  ['one document', 'a: 1\n'],
  ['a marker in front', '---\na: 1\n'],
  ['a value on the line of the marker', '--- { a: 1 }\n--- [2]\n'],
  ['empty documents', 'a: 1\n---\n---\n# x\n---\nb: 2\n---'],
  ['Windows line ends', 'a: 1\r\n---\r\nb: 2\r\n'],
  ['what only looks like a marker', 'a: 1\n----\n --- \nb: "x\n ---\n y"\n'],
  ['a marker in a block of text, indented', 'a: |\n  ---\n  x\n---\nb: 2\n'],
  ['ends of documents and directives', '%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n'],
  ['a byte order mark', '\ufeffa: 1\n---\nb: 2\n'],
])('%s', (_, text) => {
  const [split, whole] = bothWays(text);
  expect(split).toEqual(whole);
});

test('the inputs of the golden pairs', () => {
  const folder = join(import.meta.dirname, '../translate/golden');
  for (const name of readdirSync(folder)) {
    const [split, whole] = bothWays(readFileSync(join(folder, name), 'utf8'));
    expect(split).toEqual(whole);
  }
});

test('a long text splits in time that grows with its length', () => {
  const chunks = splitText('---\na: 1\n'.repeat(200_000));
  expect(chunks).toHaveLength(200_000);
  expect(chunks.at(-1)?.firstLine).toBe(399_999);
});

test('a document that exhausts the stack of the judge is faulty, not fatal', () => {
  const depth = 3000;
  const { verdicts, faults } = judgeChunk(`${'{a: '.repeat(depth)}1${'}'.repeat(depth)}`);
  expect(verdicts.length + faults.length).toBe(1);
  expect(verdicts[0]?.resource ?? null).toBeNull();
});
