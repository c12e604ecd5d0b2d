// Repeatable randomness for the fuzzer: the same seed gives the same messages on every machine.

export interface RandomSource {
  /** A whole number from 0 to `below - 1`. */
  below(limit: number): number;
  /** True once in `times`. */
  oneIn(times: number): boolean;
  from<Item>(items: readonly Item[]): Item;
}

/** Mulberry32: 32 bits of state, good enough to choose mutations. */
export function createRandomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    below: (limit) => next() % limit,
    oneIn: (times) => next() % times === 0,
    from: (items) => items[next() % items.length]!,
  };
}
