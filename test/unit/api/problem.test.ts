// How a problem is built and how its parts read.
import { describe, expect, test } from 'vitest';
import {
  createNotice,
  createProblem,
  formatPath,
  formatProblem,
  formatRef,
  formatValue,
} from '../../../src/api/problem.ts';

const shop = { kind: 'Balancer', namespace: 'web', name: 'shop' };

describe('a problem', () => {
  test('is an error or a notice, and carries the value only if there is one', () => {
    expect(createProblem(shop, 'spec', 'no')).toEqual({
      resource: shop,
      path: 'spec',
      message: 'no',
      severity: 'error',
    });
    expect(createProblem(shop, 'spec', 'no', 5)).toHaveProperty('value', 5);
    expect(createNotice(shop, 'spec', 'later').severity).toBe('notice');
  });

  test('names its resource on one line', () => {
    expect(formatProblem(createProblem(shop, 'spec', 'spec is missing'))).toBe('Balancer web/shop: spec is missing');
    expect(formatRef({ kind: 'Service', namespace: 'default', name: '' })).toBe('Service without a name');
  });

  test('has a path as people write it', () => {
    expect(formatPath(['spec', 'members', 2, 'service', 'port'])).toBe('spec.members[2].service.port');
    expect(formatPath([])).toBe('');
  });

  test('shows values in short and without credentials', () => {
    expect(formatValue('a"b')).toBe('"a\\"b"');
    expect(formatValue(undefined)).toBe('undefined');
    expect(formatValue('x'.repeat(500))).toHaveLength(81);
    expect(formatValue('http://user:word@host')).toBe('"http://***@host"');
    expect(formatValue({ url: 'http://user:word@host' })).toBe('{"url":"http://***@host"}');
  });
});
