import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineSplitter } from '../../../../src/provider/kubernetes/line-splitter.ts';

describe('a line splitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/\s/g, '_'));
    const cuts = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(line), line, cuts, (lines, rest, sizes) => {
        const bytes = Buffer.from([...lines, rest].join('\n'));
        const splitter = createLineSplitter(10_000);
        const found: string[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length]!;
          found.push(...splitter.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found).toEqual(lines.filter((text) => text !== ''));
        expect(splitter.rest()).toBe(rest);
      }),
    );
  });

  it('refuses a line that is too long, also one that never ends', () => {
    expect(() => createLineSplitter(3).push(Buffer.from('abcd\n'))).toThrow(RangeError);
    const splitter = createLineSplitter(3);
    splitter.push(Buffer.from('ab'));
    expect(() => splitter.push(Buffer.from('cd'))).toThrow('longer than 3 bytes');
  });
});
