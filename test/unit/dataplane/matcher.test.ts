import { expect, test } from 'vitest';
import { canonicalHost, Matcher } from '../../../src/dataplane/matcher.ts';
import type { RuleUnit } from '../../../src/snapshot/snapshot.ts';

/** `host path → balancer`; a path that ends in `$` is exact. */
function matcher(...lines: readonly string[]): (host: string, target: string) => string {
  const rules = lines.map((line): RuleUnit => {
    const [, host = '', path = '', balancer = ''] = /^(\S+) (\S+) → (\S+)$/.exec(line)!;
    const isExact = path.endsWith('$');
    return { host, pathType: isExact ? 'Exact' : 'Prefix', path: isExact ? path.slice(0, -1) : path, balancer };
  });
  const built = new Matcher(rules);
  return (host, target) => {
    const match = built.match(host, target);
    return match.balancer ?? match.refused;
  };
}

test.each([
  ['a.example', 'a.example'],
  ['A.Example.:8080', 'a.example'],
  ['a.example:', 'a.example'],
  ['[::1]:80', '[::1]'],
  ['[::1]', '[::1]'],
  ['', ''],
])('the host %j is %j', (sent, canonical) => {
  expect(canonicalHost(sent)).toBe(canonical);
});

test('the most specific host wins, and never falls through to a lesser one', () => {
  const match = matcher('a.example /only → exact', '*.example / → wildcard', '* / → every');
  expect(match('A.EXAMPLE:81', '/only')).toBe('exact');
  expect(match('a.example', '/other')).toBe('no-rule');
  expect(match('b.example', '/')).toBe('wildcard');
  expect(match('b.example.', '/')).toBe('wildcard');
  expect(match('c.b.example', '/')).toBe('every');
  expect(match('example', '/')).toBe('every');
  expect(match('.example', '/')).toBe('every');
  expect(match('', '/')).toBe('every');
});

test('without a rule for every host, other hosts are nobody’s', () => {
  const match = matcher('a.example / → a');
  expect(match('b.example', '/')).toBe('no-rule');
  expect(match('', '/')).toBe('no-rule');
});

test('exact beats prefix, long beats short, and prefixes end at a segment', () => {
  const match = matcher('* / → root', '* /a → a', '* /a/b → ab', '* /a/b$ → exact', '* /a/b/c/d → deep');
  expect(match('x', '/a/b')).toBe('exact');
  expect(match('x', '/a/b/')).toBe('ab');
  expect(match('x', '/a/b/c')).toBe('ab');
  expect(match('x', '/a/bc')).toBe('a');
  expect(match('x', '/ab')).toBe('root');
  expect(match('x', '/a')).toBe('a');
  expect(match('x', '/a/')).toBe('a');
  expect(match('x', '/a/b/c/d/e/f')).toBe('deep');
  expect(match('x', '/a?/b')).toBe('a');
  expect(match('x', '*')).toBe('root');
});

test('parameters and harmless encodings do not hide a path', () => {
  const match = matcher('* / → root', '* /app → app');
  expect(match('x', '/app;jsessionid=x.route')).toBe('app');
  expect(match('x', '/%61pp/x')).toBe('app');
});

test('a path whose two readings lead to different rules is refused, others are not', () => {
  const match = matcher('* /public → public', '* /admin → admin');
  expect(match('x', '/public/%2e%2e/admin')).toBe('ambiguous-path');
  expect(match('x', '/public/..;/admin')).toBe('ambiguous-path');
  expect(match('x', '/public/../public/x')).toBe('public');
  expect(match('x', '/public//x')).toBe('public');
  expect(match('x', '/%2e%2e/nowhere')).toBe('no-rule');
  expect(match('x', '/public/%zz')).toBe('bad-path');
  expect(match('y', '/public/%00')).toBe('bad-path');
});

test('very deep paths cost no more than the deepest rule', () => {
  const match = matcher('* /a → a');
  expect(match('x', `/b${'/c'.repeat(4_000)}`)).toBe('no-rule');
  expect(match('x', `/a${'/c'.repeat(4_000)}`)).toBe('a');
});
