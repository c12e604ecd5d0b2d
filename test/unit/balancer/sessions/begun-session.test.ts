// Which session an answer begins: as the next request will have it, and none that would not come back.
import { expect, test } from 'vitest';
import { begunSession } from '../../../../src/balancer/sessions/begun-session.ts';
import { compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import type { SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { insertUnit, linesOf, nowMs, sessionUnit } from './fixtures.ts';

function begun(lines: string, changes: Partial<SessionUnit>, unit: SessionUnit = sessionUnit({})): string {
  const session = compileSession({ ...unit, ...changes }, 'shop/app', ['node1'], null);
  return begunSession(session, linesOf(lines.split('\r\n')), 'node1', nowMs);
}

const suffix = { strategy: 'Suffix', cookie: 'SID', header: 'X-Session' } as const;
const route = { strategy: 'Route', cookie: 'SID', header: null } as const;

test.each<[string, Partial<SessionUnit>, string]>([
  ['Set-Cookie: other=1\r\nSet-Cookie: SID=abc.def; Path=/', suffix, 'abc.def'],
  ['Set-Cookie: SID="q"', suffix, 'q'],
  ['Set-Cookie: SIDE=abc', suffix, ''],
  ['Set-Cookie: SID=; Path=/', suffix, ''],
  ['Set-Cookie: SID=abc; Max-Age=0', suffix, ''],
  ['X-Session: id-1', suffix, 'id-1'],
  ['Content-Length: 0', suffix, ''],
  ['Set-Cookie: SID=abc.node1', route, 'abc.node1'],
  ['Set-Cookie: SID=abc.node2', route, ''],
  ['Set-Cookie: SID=abc', route, ''],
  ['Set-Cookie: SID=node1', { ...route, separator: '' }, 'node1'],
])('%s', (lines, changes, value) => {
  expect(begun(lines, changes)).toBe(value);
});

test('under Insert the application begins none', () => {
  expect(begun('Set-Cookie: SID=abc', { cookie: 'SID' }, insertUnit())).toBe('');
});
