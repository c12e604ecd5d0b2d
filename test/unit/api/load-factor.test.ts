// How load factors are written, and httpd's own reading of them.
import { describe, expect, test } from 'vitest';
import { loadFactorHundredths } from '../../../src/api/load-factor.ts';
import { parseResource } from '../../../src/api/parse.ts';
import { balancerDocument, specWithMember } from './documents.ts';

describe('a load factor becomes the number that httpd calculates with', () => {
  // What a real httpd 2.4.71 made of these texts.
  test.each([
    ['1', 100],
    ['1.1', 110],
    ['2.25', 225],
    ['19.99', 1998],
    ['99.999', 9999],
    ['100.004', 10_000],
    ['0.99', 99],
    ['-1', -100],
    ['2x', 200],
  ])('%s is %d', (text, internal) => {
    expect(loadFactorHundredths(text)).toBe(internal);
  });

  test('it is cut and not rounded, in binary floating point', () => {
    expect(loadFactorHundredths('1.15')).toBe(114);
    expect(loadFactorHundredths('4.35')).toBe(434);
    expect(loadFactorHundredths(1.15)).toBe(114);
  });

  test('every factor that is accepted lies from 100 to 10000', () => {
    for (let hundredths = 100; hundredths <= 10_000; hundredths += 1) {
      const text = (hundredths / 100).toFixed(2);
      expect(accepts(text), text).toBe(true);
      expect(loadFactorHundredths(text)).toBeGreaterThanOrEqual(Math.max(100, hundredths - 1));
      expect(loadFactorHundredths(text)).toBeLessThanOrEqual(hundredths);
    }
  });
});

describe('a load factor is written', () => {
  test.each([1, 100, 2, 2.25, 1.1, '1', '100', '100.0', '100.00', '2.5', '99.99'])('as %j', (factor) => {
    expect(accepts(factor)).toBe(true);
  });

  test.each([
    0,
    -1,
    0.99,
    100.01,
    101,
    2.255,
    Number.NaN,
    '0',
    '0.99',
    '100.01',
    '1.',
    '.5',
    '01',
    '1e1',
    '2x',
    '',
    true,
  ])('but not as %j', (factor) => {
    expect(accepts(factor)).toBe(false);
  });
});

function accepts(loadFactor: unknown): boolean {
  return parseResource(balancerDocument(specWithMember({ url: 'http://a', loadFactor }))).resource !== undefined;
}
