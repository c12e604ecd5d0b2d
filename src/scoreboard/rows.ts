// Who has which row of the scoreboard. A row belongs to an identity, never to a snapshot or a place;
// it is given to another identity only when every lane has forgotten the old one and nothing is open on it.

interface Retired {
  readonly row: number;
  /** First generation that does not know the row. */
  readonly generation: number;
}

export class RowTable {
  readonly #rows = new Map<string, number>();
  readonly #retired = new Map<string, Retired>();
  readonly #free: number[] = [];
  readonly #capacity: number;
  #next: number;

  /** Hands out rows `firstRow` to `capacity - 1`. */
  constructor(capacity: number, firstRow: number) {
    this.#capacity = capacity;
    this.#next = firstRow;
  }

  /** Rows in use or not yet given back. */
  get size(): number {
    return this.#rows.size + this.#retired.size;
  }

  /** Rows for identities that have none. */
  get free(): number {
    return this.#free.length + this.#capacity - this.#next;
  }

  /** The row of the identity: its own if it has one or had one until lately, else a free one; null when there is none. */
  claim(identity: string): number | null {
    const held = this.#rows.get(identity);
    if (held !== undefined) return held;
    const retired = this.#retired.get(identity);
    const row = retired?.row ?? this.#free.pop() ?? this.#nextFresh();
    if (row === null) return null;
    this.#retired.delete(identity);
    this.#rows.set(identity, row);
    return row;
  }

  /** The identity is not in `generation` and after. Its row rests until `reclaim` finds it unused. */
  retire(identity: string, generation: number): void {
    const row = this.#rows.get(identity);
    if (row === undefined) return;
    this.#rows.delete(identity);
    this.#retired.set(identity, { row, generation });
  }

  /**
   * Frees the rows that every lane has forgotten (`acknowledged` is the lowest generation any lane
   * still serves) and for which `isIdle` holds; calls `wipe` for each.
   */
  reclaim(acknowledged: number, isIdle: (row: number) => boolean, wipe: (row: number) => void): void {
    for (const [identity, { row, generation }] of this.#retired) {
      if (generation > acknowledged || !isIdle(row)) continue;
      this.#retired.delete(identity);
      wipe(row);
      this.#free.push(row);
    }
  }

  /** Whether a claim of the identity would get the row that it has or had until lately. */
  has(identity: string): boolean {
    return this.#rows.has(identity) || this.#retired.has(identity);
  }

  #nextFresh(): number | null {
    if (this.#next >= this.#capacity) return null;
    this.#next += 1;
    return this.#next - 1;
  }
}
