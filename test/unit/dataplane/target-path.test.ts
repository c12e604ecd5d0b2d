import { expect, test } from 'vitest';
import { pathOf, readPath } from '../../../src/dataplane/target-path.ts';

test.each([
  // raw, literal, resolved
  ['/', '/', '/'],
  ['/a/b', '/a/b', '/a/b'],
  ['/a/', '/a/', '/a/'],
  ['/a/.b/..c', '/a/.b/..c', '/a/.b/..c'],
  ['/app;jsessionid=x', '/app', '/app'],
  ['/app;jsessionid=x/next;y', '/app/next', '/app/next'],
  ['/%61pp', '/app', '/app'],
  ['/caf%C3%A9', '/caf\xc3\xa9', '/caf\xc3\xa9'],
  ['/a/../b', '/a/../b', '/b'],
  ['/a/./b', '/a/./b', '/a/b'],
  ['/a//b', '/a//b', '/a/b'],
  ['//a', '//a', '/a'],
  ['/..', '/..', '/'],
  ['/../../a', '/../../a', '/a'],
  ['/a/..', '/a/..', '/'],
  ['/a/b/..', '/a/b/..', '/a/'],
  ['/a/.', '/a/.', '/a/'],
  ['/public/%2e%2e/admin', '/public/%2e%2e/admin', '/admin'],
  ['/public/%2E./admin', '/public/%2E./admin', '/admin'],
  ['/public%2f..%2fadmin', '/public%2f..%2fadmin', '/admin'],
  ['/public/..;x/admin', '/public/../admin', '/admin'],
  ['/public/..%3bx/admin', '/public/..%3bx/admin', '/admin'],
  ['/public\\..\\admin', '/public\\..\\admin', '/admin'],
  ['/public%5c..%5cadmin', '/public%5c..%5cadmin', '/admin'],
  ['/%252e%252e/a', '/%2e%2e/a', '/%2e%2e/a'],
  ['/a%20b', '/a b', '/a b'],
  ['*', '*', '*'],
])('%j is read as %j and %j', (raw, literal, resolved) => {
  expect(readPath(raw)).toEqual({ literal, resolved });
});

test.each(['/%', '/a%2', '/a%zz', '/%u0041', '/a%00b'])('%j cannot be understood', (raw) => {
  expect(readPath(raw)).toBeNull();
});

test.each([
  ['/a?b', '/a'],
  ['/a?', '/a'],
  ['/?a?b', '/'],
  ['/a', '/a'],
])('the path of %j is %j', (target, path) => {
  expect(pathOf(target)).toBe(path);
});
