// Four octets at a time must see what one at a time would.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headerIds, headerNames, recogniseHeader, underscoreFlag } from '../../../src/wire/header-id.ts';
import { tokenFold } from '../../../src/wire/octets.ts';
import { skipPrintable } from '../../../src/wire/words.ts';

const isPrintable = (octet: number): boolean => octet >= 0x20 && octet <= 0x7e;

/** Octets at the borders more often than others. */
const octet = fc.oneof(
  { arbitrary: fc.integer({ min: 0x20, max: 0x7e }), weight: 8 },
  fc.constantFrom(0x00, 0x0d, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0x9f, 0xa0, 0xff),
  fc.nat(255),
);

test('printable octets are skipped up to the first that is not, but for the last three', () => {
  fc.assert(
    fc.property(fc.array(octet, { maxLength: 40 }), fc.nat(8), fc.nat(8), (octets, from, less) => {
      const bytes = Buffer.from(octets);
      const start = Math.min(from, bytes.length);
      const end = Math.max(start, bytes.length - less);
      const first = bytes.subarray(start, end).findIndex((one) => !isPrintable(one));
      const odd = first === -1 ? end : start + first;
      const skipped = skipPrintable(bytes, start, end);
      expect(skipped).toBeLessThanOrEqual(odd);
      if (skipped < odd || odd === end) expect(end - skipped).toBeLessThan(4);
    }),
    { numRuns: 20_000 },
  );
});

test('every single octet is told apart, wherever it stands', () => {
  for (let one = 0; one < 256; one += 1) {
    for (let place = 0; place < 8; place += 1) {
      const bytes = Buffer.alloc(12, 0x41);
      bytes[place] = one;
      expect(skipPrintable(bytes, 0, 12)).toBe(isPrintable(one) ? 12 : place);
    }
  }
});

/** As `recogniseHeader` should, one octet at a time. */
function recognise(name: Buffer): number {
  const text = name.toString('latin1').toLowerCase();
  const dashed = text.replaceAll('_', '-');
  const known = headerNames.indexOf(dashed);
  const id = known > 0 ? known : /^x-forwarded-./.test(dashed) ? headerIds.xForwardedOther : 0;
  if (id === 0) return 0;
  const length = known > 0 ? text.length : 'x-forwarded-'.length;
  return text.slice(0, length).includes('_') ? id | underscoreFlag : id;
}

test('known names are told from all names that differ from them by one octet', () => {
  for (const known of headerNames) {
    if (known === '') continue;
    for (let place = 0; place < known.length; place += 1) {
      for (let one = 0; one < 256; one += 1) {
        if (tokenFold[one] === 0) continue;
        const name = Buffer.from(`  ${known}: x`);
        name[place + 2] = one;
        const expected = recognise(name.subarray(2, 2 + known.length));
        expect(recogniseHeader(name, 2, 2 + known.length), name.toString('latin1')).toBe(expected);
      }
    }
  }
});
