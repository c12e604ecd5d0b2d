// The member that a session without its own goes to.
import { describe, expect, it } from 'vitest';
import { createRendezvous, ownerOf } from '../../../../src/balancer/sessions/rendezvous.ts';

const members = (count: number, factor = (_: number): number => 100) =>
  Array.from({ length: count }, (_, at) => ({ identity: `pod-${at}/8080`, factor: factor(at) }));
const all = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
const values = Array.from({ length: 40_000 }, (_, at) => `session-${at}`);

describe('rendezvous', () => {
  it('is the same in any order of members and of the eligible', () => {
    const some = members(20, (at) => 100 + at * 50);
    const reversed = [...some].reverse();
    const one = createRendezvous(some);
    const other = createRendezvous(reversed);
    for (const value of values.slice(0, 2000)) {
      const owner = ownerOf(one, value, all(20), 20);
      expect(ownerOf(one, value, all(20).reverse(), 20)).toBe(owner);
      expect(19 - ownerOf(other, value, all(20), 20)).toBe(owner);
    }
  });

  it('is this one in every release', () => {
    const owners = values.slice(0, 12).map((value) => ownerOf(createRendezvous(members(5)), value, all(5), 5));
    expect(owners).toMatchInlineSnapshot(`
      [
        0,
        2,
        4,
        4,
        1,
        4,
        1,
        2,
        1,
        1,
        2,
        0,
      ]
    `);
  });

  it('shares in proportion to the factors', () => {
    const some = members(10, (at) => (at + 1) * 100);
    const rendezvous = createRendezvous(some);
    const owned = new Array<number>(10).fill(0);
    for (const value of values) owned[ownerOf(rendezvous, value, all(10), 10)]! += 1;
    for (const [at, count] of owned.entries()) {
      const expected = (values.length * (at + 1)) / 55;
      // Five standard deviations of a fair draw.
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });

  it('moves the sessions of a member that goes, and no others', () => {
    const rendezvous = createRendezvous(members(10));
    const left = all(10).filter((index) => index !== 4);
    for (const value of values.slice(0, 5000)) {
      const before = ownerOf(rendezvous, value, all(10), 10);
      const after = ownerOf(rendezvous, value, left, 9);
      if (before !== 4) expect(after).toBe(before);
      else expect(after).not.toBe(4);
    }
  });

  it('moves sessions only to a member whose factor grows', () => {
    const before = createRendezvous(members(10));
    const after = createRendezvous(members(10, (at) => (at === 7 ? 300 : 100)));
    for (const value of values.slice(0, 5000)) {
      const owner = ownerOf(before, value, all(10), 10);
      expect([owner, 7]).toContain(ownerOf(after, value, all(10), 10));
    }
  });

  it('looks at the first `count` only, and finds nobody among none', () => {
    const rendezvous = createRendezvous(members(3));
    expect(ownerOf(rendezvous, 'x', [2, 0, 1], 1)).toBe(2);
    expect(ownerOf(rendezvous, 'x', [], 0)).toBe(-1);
  });
});
