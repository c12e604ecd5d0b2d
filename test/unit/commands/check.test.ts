import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotice, createProblem } from '../../../src/api/problem.ts';
import { check, formatLocated } from '../../../src/commands/check.ts';
import { readOptions } from '../../../src/options.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-check-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Checks files given as name → text; the folder's path is left out of what is printed. */
async function run(files: Record<string, string>, args: readonly string[] = []) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const printed: string[] = [];
  const { options } = readOptions('check', args, {}, { processors: 1, canSharePort: true });
  const code = await check([folder], options, (text) => printed.push(text.replaceAll(`${folder}/`, '')));
  return { code, lines: printed.join('').trimEnd().split('\n') };
}

const balancerOf = (name: string, spec: string): string =>
  `apiVersion: evenkeel.dev/v1alpha1\nkind: Balancer\nmetadata: { name: ${name}, namespace: shop }\nspec:\n${spec}\n`;
const member = '  members: [{ url: http://127.0.0.1:1 }]';

describe('check', () => {
  it('is content with good files', async () => {
    const { code, lines } = await run({ 'a.yaml': balancerOf('a', member) });
    expect(lines).toEqual(['1 Balancer of class evenkeel can be served, 0 errors, 0 notices']);
    expect(code).toBe(0);
  });

  it('prints problems of documents, of translation and notices, by place', async () => {
    const { code, lines } = await run({
      'b.yaml': balancerOf('b', '  lbMethod: nothing\n  members: [{ url: http://127.0.0.1:1 }]'),
      'a.yaml': balancerOf(
        'a',
        '  tls: [{ hosts: [x.example], secretName: s }]\n  members: [{ service: { name: gone, port: 80 } }]',
      ),
    });
    expect(lines.slice(0, -1).map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      'a.yaml:5:3: notice: Balancer shop/a:',
      expect.stringMatching(/^a\.yaml:6:\d+: error: Balancer shop\/a:$/),
      'b.yaml:5:3: error: Balancer shop/b:',
    ]);
    expect(lines.at(-1)).toBe('1 Balancer of class evenkeel can be served, 2 errors, 1 notice');
    expect(code).toBe(1);
  });

  it('ends well when there are only notices', async () => {
    const { code, lines } = await run({ 'a.yaml': balancerOf('a', `  healthCheck: { path: /x }\n${member}`) });
    expect(lines.at(-1)).toMatch(/0 errors, [1-9]\d* notices?$/);
    expect(code).toBe(0);
  });

  it('leaves Balancers of other classes alone', async () => {
    const files = { 'a.yaml': balancerOf('a', `  className: other\n${member}`), 'b.yaml': balancerOf('b', member) };
    expect((await run(files)).lines.at(-1)).toContain('1 Balancer of class evenkeel');
    expect((await run(files, ['--no-default-class'])).lines.at(-1)).toContain('0 Balancers of class evenkeel');
    expect((await run(files, ['--class', 'other', '--no-default-class'])).lines.at(-1)).toContain(
      '1 Balancer of class other',
    );
  });

  it('needs paths that are there', async () => {
    const { options } = readOptions('check', [], {}, { processors: 1, canSharePort: true });
    await expect(check([], options, () => {})).rejects.toMatchObject({ exitCode: 2 });
    const gone = join(folder, 'gone.yaml');
    await expect(check([gone], options, () => {})).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(`${gone} does not exist`),
    });
  });
});

describe('a line', () => {
  const ref = { kind: 'Balancer', namespace: 'shop', name: 'a' };
  const location = { file: 'a.yaml', line: 3, column: 5 };

  it('names the field, unless the message begins with it', () => {
    const problem = createProblem(ref, 'spec.members[0].url', 'the host is unknown');
    expect(formatLocated({ problem, location })).toBe(
      'a.yaml:3:5: error: Balancer shop/a spec.members[0].url: the host is unknown',
    );
    const notice = createNotice(ref, 'spec.tls', 'spec.tls is not in force yet');
    expect(formatLocated({ problem: notice, location })).toBe(
      'a.yaml:3:5: notice: Balancer shop/a: spec.tls is not in force yet',
    );
  });

  it('does without a place', () => {
    const problem = createProblem(ref, '', 'is wrong');
    expect(formatLocated({ problem, location: null })).toBe('error: Balancer shop/a: is wrong');
  });
});
