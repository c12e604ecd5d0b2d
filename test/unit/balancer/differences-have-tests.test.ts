import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../..', import.meta.url).pathname;
const textOf = (pattern: string): string =>
  globSync(pattern, { cwd: root })
    .map((path) => readFileSync(`${root}/${path}`, 'utf8'))
    .join('\n')
    .replaceAll(/\n\s*(\/\/|\*(?!\/)) ?/g, ' ');

/** A mark names a difference up to the end of its sentence, or to a remark in brackets. */
const mark = /Differs from httpd: .+?(?=\.(?:\s|$)| \(|\s*\*\/|\n)/g;

test.each([
  ['the balancer', 'src/balancer/{*,lbmethods/*}.ts', 'test/unit/balancer/*.test.ts', 8],
  ['sessions', 'src/balancer/sessions/*.ts', 'test/unit/balancer/sessions/*.test.ts', 6],
])('each difference that the code of %s marks has a test of its name', (_, code, tests, least) => {
  const marked = [...textOf(code).matchAll(mark)].map(([name]) => name);
  const names = textOf(tests);
  expect(new Set(marked).size).toBeGreaterThanOrEqual(least);
  expect(marked.filter((name) => !names.includes(`'${name}'`) && !names.includes(`"${name}"`))).toEqual([]);
});
