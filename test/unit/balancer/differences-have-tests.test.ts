import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../..', import.meta.url).pathname;
const textOf = (pattern: string): string =>
  globSync(pattern, { cwd: root })
    .map((path) => readFileSync(`${root}/${path}`, 'utf8'))
    .join('\n')
    .replaceAll(/\n\s*(\/\/|\*) ?/g, ' ');

test('each difference that the code of the balancer marks has a test of its name', () => {
  const marked = [...textOf('src/balancer/{*,lbmethods/*}.ts').matchAll(/Differs from httpd: [^.]+/g)].map(
    ([name]) => name,
  );
  const tests = textOf('test/unit/balancer/*.test.ts');
  expect(marked.length).toBeGreaterThan(5);
  expect(marked.filter((name) => !tests.includes(`'${name}'`) && !tests.includes(`"${name}"`))).toEqual([]);
});
