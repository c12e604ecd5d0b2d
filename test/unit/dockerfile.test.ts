// The Dockerfile without a container engine: no linter finds a fault in it, what it copies is there, and the image gets no
// privilege. Its steps are run by test/image.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
const lines = text.split('\n');

it('has no fault that a linter knows', () => {
  const found = validate(text).map(({ range, message }) => `${range.start.line + 1}: ${message}`);
  expect(found).toEqual([]);
});

it('copies what is there', () => {
  const sources = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));
  expect(sources.length).toBeGreaterThan(5);
  expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
});

it('runs as a user by number who is not root, and gives its base by an argument', () => {
  const last = text.slice(text.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
  expect(last).toMatch(/^ENTRYPOINT \["node", "\/app\/dist\/main\.js"\]$/m);
  expect(lines.filter((line) => line.startsWith('FROM ')).every((line) => /\$\{NODE_IMAGE\}/.test(line))).toBe(true);
  expect(text).toMatch(/^ARG NODE_IMAGE=node:26-/m);
});
