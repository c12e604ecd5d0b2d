// test/integration/sessions/replays.md against the tests that it names.
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../../..', import.meta.url).pathname;
const folder = `${root}/test/integration/sessions`;
const rows = readFileSync(`${folder}/replays.md`, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split('|')[3]!.trim());

/** Names of tests and groups of tests. */
function namesIn(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).flatMap((path) =>
    [...readFileSync(`${root}/${path}`, 'utf8').matchAll(/(?<=[(\s])(['"`])((?:(?!\1).){3,})\1(?=,\s)/g)].map(
      ([, , name]) => name!,
    ),
  );
}

test('each case has a test, or a reason why it has none', () => {
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.filter((cell) => !/^(?:unit `|integration `|none)/.test(cell))).toEqual([]);
  expect(rows.filter((cell) => cell.startsWith('none') && cell.length < 20)).toEqual([]);
});

test('each test that is named is there', () => {
  const names = {
    unit: namesIn('test/unit/**/*.test.ts'),
    integration: namesIn('test/integration/**/*.test.ts'),
  };
  const named = rows.flatMap((cell) =>
    [...cell.matchAll(/\b(unit|integration) ((?:`[^`]+`(?:, (?=`))?)+)/g)].flatMap(([, kind, list]) =>
      [...list!.matchAll(/`([^`]+)`/g)].map(([, name]) => ({ kind: kind as keyof typeof names, name: name! })),
    ),
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter(({ kind, name }) => !names[kind].some((known) => known.includes(name)))).toEqual([]);
});
