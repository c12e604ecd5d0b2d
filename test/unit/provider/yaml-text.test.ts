// YAML as people, tools and attackers write it.
import { describe, expect, test } from 'vitest';
import { parseFieldPath } from '../../../src/provider/file/field-path.ts';
import { maxDocuments, parseYamlText } from '../../../src/provider/file/yaml-text.ts';

function values(text: string): unknown[] {
  return parseYamlText(text).documents.map(({ value }) => value);
}

function faults(text: string): string[] {
  return parseYamlText(text).faults.map(({ line, message }) => `${line}: ${message}`);
}

describe('documents', () => {
  test('several, empty ones left out', () => {
    expect(values('---\na: 1\n---\n---\n# nothing\n---\nnull\n---\nb: 2\n...\n')).toEqual([{ a: 1 }, { b: 2 }]);
    expect(values('')).toEqual([]);
  });

  test('JSON, a byte order mark, Windows line ends', () => {
    expect(values('{"a": [1, "x"]}')).toEqual([{ a: [1, 'x'] }]);
    expect(values('\ufeffa: 1\r\nb: 2\r\n')).toEqual([{ a: 1, b: 2 }]);
  });

  test('items of a List stand for themselves', () => {
    const { documents } = parseYamlText('kind: List\nitems:\n  - kind: A\n    x: 1\n  - kind: B\n    y: 2\n');
    expect(documents.map(({ value }) => value)).toEqual([
      { kind: 'A', x: 1 },
      { kind: 'B', y: 2 },
    ]);
    expect(documents[1]?.locate(['y'])).toEqual({ line: 6, column: 5 });
  });

  test('words that older YAML took for booleans stay words', () => {
    expect(values('a: yes\nb: off\nc: 0o17\nd: 2026-01-01')).toEqual([{ a: 'yes', b: 'off', c: 15, d: '2026-01-01' }]);
  });

  test('anchors and merge keys', () => {
    const text = 'base: &base\n  x: 1\n  y: 2\nuse:\n  <<: *base\n  y: 3\n';
    expect(values(text)).toEqual([{ base: { x: 1, y: 2 }, use: { x: 1, y: 3 } }]);
    expect(parseYamlText(text).documents[0]?.locate(['use', 'x'])).toEqual({ line: 4, column: 1 });
  });

  test('a key called __proto__ is a key', () => {
    const [value] = values('__proto__: { polluted: true }');
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('faults', () => {
  test.each([
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', 3],
    ['a bracket left open', 'a: 1\nb: [1, 2\n', 3],
    ['a tab as indentation', 'a:\n\tb: 1\n', 2],
    ['an unknown alias', 'a: *nobody\n', 1],
    ['two values on one line', 'a: b: c\n', 1],
  ])('%s is told with its line', (_, text, line) => {
    const { faults: found } = parseYamlText(text);
    expect(found[0]?.line).toBe(line);
    expect(found[0]?.message).not.toContain('\n');
  });

  test('a fault of one document leaves the others', () => {
    expect(values('a: 1\n---\nb: [\n---\nc: 3\n')).toContainEqual({ a: 1 });
  });

  test('aliases that multiply are refused', () => {
    const levels = Array.from({ length: 9 }, (_, level) =>
      level === 0 ? 'a0: &a0 [x,x,x,x,x,x,x,x,x]' : `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`,
    );
    expect(faults(levels.join('\n'))).toHaveLength(1);
  });

  test('aliases that lead in circles are refused', () => {
    expect(parseYamlText('a: &a\n  b: *a\n')).toMatchObject({ documents: [], faults: [{ line: 1 }] });
  });

  test.each(['[', '{"a":', '- '])('nesting without end by %s is refused', (opening) => {
    const { documents, faults: found } = parseYamlText(opening.repeat(100_000));
    expect(documents).toEqual([]);
    expect(found.length).toBeGreaterThan(0);
  });

  test('too many documents are refused, the first ones are taken', () => {
    const { documents, faults: found } = parseYamlText('a: 1\n---\n'.repeat(maxDocuments + 5));
    expect(documents).toHaveLength(maxDocuments);
    expect(found).toHaveLength(1);
  });
});

test.each([
  ['', []],
  ['spec', ['spec']],
  ['spec.members[2].service.port', ['spec', 'members', 2, 'service', 'port']],
  ['[3].x', [3, 'x']],
  ['metadata.labels["a.b/c"].x', ['metadata', 'labels', 'a.b/c', 'x']],
  ["metadata.labels['a.b/c']", ['metadata', 'labels', 'a.b/c']],
])('path %s has the steps %j', (path, steps) => {
  expect(parseFieldPath(path)).toEqual(steps);
});
