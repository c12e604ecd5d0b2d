// Randomness as an argument, so that tests draw the same numbers each time.

/** Returns a number drawn uniformly from [0, 1). */
export type Random = () => number;

/** The machine's randomness; not for secrets. */
export const systemRandom: Random = Math.random;
