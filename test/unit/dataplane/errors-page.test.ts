// docs/errors.md and the code must say the same, both ways.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROXY_ERRORS } from '../../../src/dataplane/proxy-error.ts';
import { refusalReason, refusalStatus, wireErrorCodes } from '../../../src/wire/wire-error.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'errors.md'), 'utf8');

/** Rows of the tables whose first cell is a code, cells as they stand. */
function rows(cells: number): string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter((row) => row.length === cells);
}

test('every error of a request is on the page, and nothing else', () => {
  const code = Object.entries(PROXY_ERRORS).map(([name, { status, blame, phase, retry, reason }]) => [
    `\`${name}\``,
    String(status),
    blame,
    phase,
    retry,
    reason,
  ]);
  expect(rows(6)).toEqual(code);
});

test('every refusal of the wire is on the page, and nothing else', () => {
  expect(rows(3)).toEqual(
    wireErrorCodes.map((name) => [`\`${name}\``, String(refusalStatus(name)), refusalReason(name)]),
  );
});
