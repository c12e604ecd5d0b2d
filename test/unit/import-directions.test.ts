import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findImports, findViolations } from '../helpers/import-directions.ts';

/** Violations among files given as path → text. */
function violations(files: Record<string, string>): readonly string[] {
  return findViolations(new Map(Object.entries(files))).map(({ file, reason }) => `${file}: ${reason}`);
}

/** Violations when `file` has an import of `to`, which is there. */
function planted(file: string, to: string): readonly string[] {
  const up = '../'.repeat(file.split('/').length - 1) || './';
  return violations({ [file]: `import { x } from '${up}${to}';\n`, [to]: '' });
}

describe('the source', () => {
  it('imports in the right directions only', () => {
    const root = join(import.meta.dirname, '../../src');
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const files = new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(root, name), 'utf8')]));
    expect(files.size).toBeGreaterThan(100);
    expect(findViolations(files)).toEqual([]);
  });
});

describe('a planted violation', () => {
  it.each([
    ['lib/clock.ts', 'api/problem.ts', /imports point inwards: lib is further in than api/],
    ['api/parse.ts', 'translate/rules.ts', /inwards/],
    ['api/parse.ts', 'snapshot/snapshot.ts', /side by side/],
    ['snapshot/check.ts', 'api/problem.ts', /side by side/],
    ['wire/framing.ts', 'balancer/elect.ts', /side by side/],
    ['balancer/elect.ts', 'dataplane/lane.ts', /inwards/],
    ['translate/rules.ts', 'provider/provider.ts', /side by side/],
    ['translate/rules.ts', 'control/publisher.ts', /inwards/],
    ['dataplane/lane.ts', 'api/balancer.ts', /the data plane does not know what users write/],
    ['dataplane/sub/lane.ts', 'api/balancer.ts', /the data plane does not know what users write/],
    ['provider/file/files.ts', 'translate/rules.ts', /side by side/],
    ['control/publisher.ts', 'admin/metrics.ts', /side by side/],
    ['admin/metrics.ts', 'dataplane/lane.ts', /messages and the scoreboard/],
    ['control/publisher.ts', 'options.ts', /inwards/],
    ['admin/metrics.ts', 'commands/version.ts', /inwards/],
    ['utils/misc.ts', 'lib/clock.ts', /not among the folders/],
  ])('of %s importing %s is found', (file, to, reason) => {
    expect(planted(file, to)).toEqual([expect.stringMatching(reason)]);
  });

  it.each([
    ['control/reconcile.ts', '@kubernetes/client-node', /only provider\/kubernetes may import/],
    ['translate/rules.ts', 'yaml', /one part reads YAML/],
    ['provider/provider.ts', 'yaml', /one part reads YAML/],
    ['admin/metrics.ts', 'zod', /validates what users write/],
    ['dataplane/story.ts', 'http-proxy-3', /smuggled/],
    ['control/publisher.ts', 'pino', /face of the logger/],
    ['dataplane/story.ts', 'prom-client', /prom-client only formats/],
    ['wire/framing.ts', 'node:net', /of Node it may import nothing/],
    ['translate/rules.ts', 'node:fs', /of Node it may import node:crypto/],
    ['balancer/elect.ts', 'node:fs/promises', /computes and does nothing else/],
    ['snapshot/check.ts', 'node:crypto', /of Node it may import nothing/],
  ])('of %s importing the package %s is found', (file, name, reason) => {
    expect(violations({ [file]: `import { x } from '${name}';` })).toEqual([expect.stringMatching(reason)]);
  });

  it('of a circle is found, once, with its way', () => {
    const files = {
      'control/a.ts': "import { b } from './b.ts';",
      'control/b.ts': "import { type c } from './sub/c.ts';",
      'control/sub/c.ts': "export { a } from '../a.ts';",
    };
    expect(violations(files)).toEqual([
      'control/a.ts: imports go in a circle: control/a.ts → control/b.ts → control/sub/c.ts → control/a.ts',
    ]);
  });

  it('of a circle does not count types alone', () => {
    const files = { 'control/a.ts': "import { b } from './b.ts';", 'control/b.ts': "import type { a } from './a.ts';" };
    expect(violations(files)).toEqual([]);
  });

  it('of a file that is not there is found', () => {
    expect(violations({ 'lib/a.ts': "import './gone.ts';" })).toEqual(['lib/a.ts: there is no such file in src']);
  });
});

describe('what is allowed', () => {
  it.each([
    ['provider/file/files.ts', 'api/parse.ts'],
    ['control/lane-thread-handle.ts', 'dataplane/lane.ts'],
    ['dataplane/lane.ts', 'wire/framing.ts'],
    ['scoreboard/rows.ts', 'snapshot/snapshot.ts'],
    ['commands/serve.ts', 'options.ts'],
    ['main.ts', 'commands/serve.ts'],
  ])('includes %s importing %s', (file, to) => {
    expect(planted(file, to)).toEqual([]);
  });

  it.each([
    ['translate/session-route.ts', 'node:crypto'],
    ['dataplane/upgrade-request.ts', 'http-proxy-3'],
    ['api/generate.ts', 'yaml'],
    ['commands/pino-logger.ts', 'pino'],
    ['dataplane/lane.ts', 'node:net'],
  ])('includes %s importing the package %s', (file, name) => {
    expect(violations({ [file]: `import { x } from '${name}';` })).toEqual([]);
  });
});

describe('the scan', () => {
  it.each([
    ["import { a } from 'x';", ['x']],
    ["import type { a } from 'x';", ['x']],
    ["import a, { type b } from 'x';", ['x']],
    ["import * as a from 'x';", ['x']],
    ["import 'x';", ['x']],
    ["import {\n  a,\n  b,\n} from 'x';", ['x']],
    ["export { a } from 'x';", ['x']],
    ["export * from 'x';", ['x']],
    ["const a = await import('x');", ['x']],
    ["type A = import('x').A;", ['x']],
    ['import data from "x" with { type: "json" };', ['x']],
    ["import a from 'x';\nimport b from 'y';", ['x', 'y']],
    ["export const a = 'x';", []],
    ["export function f(a = 'x') {}", []],
    ["// from 'x' we import nothing", []],
    ["if (kind === 'import') return 'x';", []],
  ])('of %j finds %j', (text, expected) => {
    expect(findImports(text)).toEqual(expected);
  });
});
