// The credit of the weighted round robin (lbstatus) of the members that are offered, kept so that an election
// costs no walk: all of them earn their factor in each round, so those of one factor keep their order, and only
// the one that pays moves. Exact: every round is httpd's (mod_lbmethod_byrequests.c), ties included.
//
// Differs from httpd: lbstatus saturates. There it grows without end wherever sessions or busyness, and not
// credit, decide; a member then takes or misses tens of thousands of requests in a row.
import { NONE, type Offered } from './offered.ts';
import { PlaceHeap } from './place-heap.ts';

/** Credit is bounded at this many rounds: so many requests in a row can be caught up with, and no more. */
const MAX_ROUNDS = 1000;

/** Whatever the factors, credit fits its signed 32-bit cell. */
const MAX_CREDIT = 0x3fff_ffff;

/** Bound of |lbstatus| where the factors of all members sum up to this. Elections alone never come near it. */
export function creditLimitOf(totalFactor: number): number {
  return Math.min(MAX_CREDIT, MAX_ROUNDS * totalFactor);
}

export class CreditBook {
  readonly #cells: Int32Array;
  readonly #offered: Offered;
  readonly #limit: number;
  /** By index of the member: which of the distinct factors it has. */
  readonly #groupOf: Int32Array;
  readonly #groupFactor: Float64Array;
  /** Where the heap of each group begins and ends. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** The richest first. */
  readonly #heap: PlaceHeap;
  /** Rounds since the cells were last read or written. */
  #rounds = 0;
  /** Whether the cells are this book's to write. */
  #ownsCells = true;

  /** `cells`: lbstatus by row; `factors`: by index of the member. */
  constructor(cells: Int32Array, offered: Offered, factors: Int32Array, limit: number) {
    this.#cells = cells;
    this.#offered = offered;
    this.#limit = limit;
    const distinct = [...new Set(factors)];
    const groups = new Map(distinct.map((factor, group) => [factor, group]));
    this.#groupOf = factors.map((factor) => groups.get(factor)!);
    this.#groupFactor = Float64Array.from(distinct);
    this.#starts = new Int32Array(distinct.length);
    this.#ends = new Int32Array(distinct.length);
    this.#heap = new PlaceHeap(factors.length);
  }

  /**
   * By place: what the member owes at the start of the rounds that the cells do not know of; negative: its credit.
   * In the round that is now, once all have earned, it owns `round * factor - debt`.
   */
  get debts(): Float64Array {
    return this.#heap.keys;
  }

  /** 1 for the first round since the cells were last read or written. */
  get round(): number {
    return this.#rounds + 1;
  }

  /** Reads the cells of the members that are offered now. */
  open(): void {
    const { count, row, index } = this.#offered;
    const { keys, places } = this.#heap;
    this.#layOutGroups();
    for (let place = 0; place < count; place++) {
      keys[place] = -this.#cells[row[place]!]!;
      places[this.#ends[this.#groupOf[index[place]!]!]!++] = place;
    }
    this.#orderGroups();
    this.#rounds = 0;
  }

  /** Writes the cells. Call it before the list of the offered changes; at other times it does no harm. */
  settle(): void {
    if (this.#rounds === 0) return;
    const { count, row } = this.#offered;
    const { keys } = this.#heap;
    let lowest = Infinity;
    let highest = -Infinity;
    for (let place = 0; place < count; place++) {
      const credit = this.#rounds * this.#offered.factor[place]! - keys[place]!;
      lowest = Math.min(lowest, credit);
      highest = Math.max(highest, credit);
      keys[place] = -credit;
      this.set(row[place]!, credit);
    }
    this.#rounds = 0;
    if (lowest < -this.#limit || highest > this.#limit) this.#saturate(Math.max(0, -this.#limit - lowest));
  }

  /** Lifts all alike, so that those who share the elections keep their distances; only the richest lose some. */
  #saturate(lift: number): void {
    const { count, row } = this.#offered;
    const { keys } = this.#heap;
    for (let place = 0; place < count; place++) {
      const credit = Math.min(this.#limit, lift - keys[place]!);
      keys[place] = -credit;
      this.set(row[place]!, credit);
    }
    this.#orderGroups();
  }

  /**
   * Writes the cells for the last time: from now on they belong to the book of the next compilation. Requests that
   * still hold this one go on electing by it.
   */
  close(): void {
    this.settle();
    this.#ownsCells = false;
  }

  /** The place of the member that is the richest once all have earned this round's factor; the first among equals. */
  richest(): number {
    const round = this.#rounds + 1;
    const { keys, places } = this.#heap;
    const groups = this.#groupFactor.length;
    let best = NONE;
    let bestCredit = -Infinity;
    for (let group = 0; group < groups; group++) {
      const start = this.#starts[group]!;
      if (start === this.#ends[group]!) continue;
      const place = places[start]!;
      const credit = round * this.#groupFactor[group]! - keys[place]!;
      if (credit > bestCredit || (credit === bestCredit && place < best)) {
        best = place;
        bestCredit = credit;
      }
    }
    return best;
  }

  /** One round: all that are offered earn their factor, the one at this place pays the sum. */
  charge(place: number): void {
    this.#heap.keys[place]! += this.#offered.totalFactor;
    const group = this.#groupOf[this.#offered.index[place]!]!;
    this.#heap.sink(place, this.#starts[group]!, this.#ends[group]!);
    this.#endRound();
  }

  /** One round that a member in this row pays, who is not offered. */
  chargeOutsider(row: number): void {
    this.set(row, this.#cells[row]! - this.#offered.totalFactor);
    this.#endRound();
  }

  /** Sets the credit of a row, within bounds. The book takes no notice of it before it is opened again. */
  set(row: number, credit: number): void {
    if (this.#ownsCells) this.#cells[row] = Math.max(-this.#limit, Math.min(this.#limit, credit));
  }

  /** The cells are never further behind than each member being elected once, at a cost that one election bears. */
  #endRound(): void {
    this.#rounds += 1;
    if (this.#rounds >= this.#offered.count) this.settle();
  }

  /** Makes room for each group's heap; `ends` is where its next place goes. */
  #layOutGroups(): void {
    const { count, index } = this.#offered;
    const sizes = this.#ends.fill(0);
    for (let place = 0; place < count; place++) sizes[this.#groupOf[index[place]!]!]! += 1;
    let start = 0;
    for (let group = 0; group < sizes.length; group++) {
      this.#starts[group] = start;
      start += sizes[group]!;
      this.#ends[group] = this.#starts[group]!;
    }
  }

  #orderGroups(): void {
    for (let group = 0; group < this.#starts.length; group++) {
      this.#heap.order(this.#starts[group]!, this.#ends[group]!);
    }
  }
}
