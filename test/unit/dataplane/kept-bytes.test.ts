import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BlockPool, KeptBytes } from '../../../src/dataplane/kept-bytes.ts';

const textOf = (pieces: readonly Buffer[]): string => Buffer.concat(pieces).toString('latin1');

test('whatever comes in whatever pieces is kept as it came, in few pieces, and stays so while more is added', () => {
  const sizes = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 70_000 }));
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 40 }), (lengths) => {
      const kept = new KeptBytes(new BlockPool());
      let text = '';
      const early: [readonly Buffer[], string][] = [];
      for (const [i, length] of lengths.entries()) {
        const part = String.fromCharCode(97 + (i % 26)).repeat(length);
        const bytes = Buffer.from(`x${part}x`);
        kept.add(bytes, 1, 1 + length);
        bytes.fill('!');
        text += part;
        early.push([kept.pieces(), text]);
      }
      expect(kept.length).toBe(text.length);
      for (const [pieces, expected] of early) expect(textOf(pieces) === expected).toBe(true);
      const pieces = kept.pieces();
      expect(pieces.length).toBeLessThanOrEqual(text.length / 8_192 + 10);
      const heldBytes = new Set(pieces.map(({ buffer }) => buffer));
      const held = [...heldBytes].reduce((sum, { byteLength }) => sum + byteLength, 0);
      expect(held).toBeLessThanOrEqual(2 * text.length + 256);
    }),
  );
});

test('blocks that are given back are used again, and nobody’s bytes are changed by it', () => {
  const pool = new BlockPool();
  const first = new KeptBytes(pool);
  first.add(Buffer.alloc(20_000, 'a'), 0, 20_000);
  const other = new KeptBytes(pool);
  other.add(Buffer.alloc(9_000, 'b'), 0, 9_000);
  const [block] = first.pieces();
  first.giveBack();
  expect(first.pieces()).toEqual([]);
  const next = new KeptBytes(pool);
  next.add(Buffer.alloc(16_384, 'c'), 0, 16_384);
  next.add(Buffer.alloc(16_384, 'd'), 0, 16_384);
  expect(next.pieces().some(({ buffer }) => buffer === block!.buffer)).toBe(true);
  expect(textOf(other.pieces())).toBe('b'.repeat(9_000));
  expect(textOf(next.pieces())).toBe('c'.repeat(16_384) + 'd'.repeat(16_384));
});

test('blocks given back beyond what is worth keeping are let go', () => {
  const pool = new BlockPool();
  const blocks = Array.from({ length: 400 }, () => pool.take());
  for (const block of blocks) pool.giveBack(block);
  const again = Array.from({ length: 400 }, () => pool.take());
  expect(again.filter((block) => blocks.includes(block))).toHaveLength(256);
});
