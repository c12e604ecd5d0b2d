import { describe, expect, it } from 'vitest';
import { RowTable } from '../../../src/scoreboard/rows.ts';

const always = () => true;
const nothing = () => {};

describe('the table of rows', () => {
  it('hands out rows from the first to the last, then none', () => {
    const rows = new RowTable(4, 1);
    expect(rows.free).toBe(3);
    expect(['a', 'b', 'c', 'd'].map((identity) => rows.claim(identity))).toEqual([1, 2, 3, null]);
    expect(rows.free).toBe(0);
  });

  it('gives an identity the row that it has', () => {
    const rows = new RowTable(4, 1);
    expect(rows.claim('a')).toBe(rows.claim('a'));
    expect(rows.size).toBe(1);
  });

  it('gives an identity that returns in time the row that it had', () => {
    const rows = new RowTable(4, 1);
    const row = rows.claim('a');
    rows.retire('a', 2);
    expect(rows.has('a')).toBe(true);
    rows.claim('b');
    expect(rows.claim('a')).toBe(row);
  });

  it('keeps a row back until every lane has forgotten it', () => {
    const rows = new RowTable(2, 1);
    rows.claim('a');
    rows.retire('a', 5);
    rows.reclaim(4, always, nothing);
    expect(rows.claim('b')).toBeNull();
    rows.reclaim(5, always, nothing);
    expect(rows.claim('b')).toBe(1);
  });

  it('keeps a row back while something is open on it, and wipes it once when it is free', () => {
    const rows = new RowTable(2, 1);
    const wiped: number[] = [];
    rows.claim('a');
    rows.retire('a', 5);
    rows.reclaim(
      9,
      () => false,
      (row) => wiped.push(row),
    );
    expect(wiped).toEqual([]);
    rows.reclaim(9, always, (row) => wiped.push(row));
    rows.reclaim(9, always, (row) => wiped.push(row));
    expect(wiped).toEqual([1]);
    expect(rows.has('a')).toBe(false);
  });

  it('ignores the retirement of an identity without a row', () => {
    const rows = new RowTable(2, 1);
    rows.retire('a', 1);
    expect(rows.size).toBe(0);
  });
});
