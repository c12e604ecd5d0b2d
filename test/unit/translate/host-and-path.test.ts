// The normal forms of hosts and paths, and the short hash.
import { expect, test } from 'vitest';
import { normaliseHost, normalisePath, wildcardOver } from '../../../src/translate/host-and-path.ts';
import { shortHash } from '../../../src/translate/session-route.ts';

test.each([
  ['Shop.Example.COM', 'shop.example.com'],
  ['shop.example.com.', 'shop.example.com'],
  ['shop.example.com:8080', 'shop.example.com'],
  ['*.Example.com', '*.example.com'],
  ['*', '*'],
  ['', '*'],
])('host %s is %s', (given, expected) => {
  expect(normaliseHost(given)).toBe(expected);
});

test.each([
  ['a.b.c', '*.b.c'],
  ['a', null],
  ['*.b.c', null],
  ['*', null],
])('the wildcard over %s is %s', (host, expected) => {
  expect(wildcardOver(host)).toBe(expected);
});

test.each([
  ['Prefix', '/', '/'],
  ['Prefix', '/aaa/', '/aaa'],
  ['Prefix', '/aaa', '/aaa'],
  ['Prefix', '//', '/'],
  ['Exact', '/aaa/', '/aaa/'],
  ['Exact', '/caf%C3%A9', '/caf\xc3\xa9'],
  ['Exact', '/café', '/caf\xc3\xa9'],
  ['Exact', '/100%/%zz', '/100%/%zz'],
] as const)('path %s %s is %s', (type, given, expected) => {
  expect(normalisePath(type, given)).toBe(expected);
});

// Sessions carry these: another value would end every session at an upgrade.
test('the short hash stays what it is', () => {
  expect(shortHash('6d9cbb4e-7b3c-4f54-9b0a-3a2b6a1f0c11')).toMatch(/^[a-z2-7]{10}$/);
  expect(shortHash('')).toBe('4oymiquy7q');
  expect(new Set(Array.from({ length: 1000 }, (_, index) => shortHash(`${index}`))).size).toBe(1000);
});
