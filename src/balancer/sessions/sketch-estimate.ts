// How many distinct values make a Flajolet-Martin bitmap look as it does: the most likely number, from the count of cells
// set on each level. With m cells a level the standard error is about 0.65/√m, as the tests measure (the estimator of
// Flajolet and Martin 1985 for the same bitmap has 0.78/√m).

/** Level l takes a value with probability 2^-(l+1), the last level twice that. */
function probabilityOf(level: number, levels: number): number {
  return 2 ** -Math.min(level + 1, levels - 1);
}

/** `counts`: cells set, by level; each level has `cellsPerLevel`. 0 only when none is set. */
export function estimateDistinct(counts: ArrayLike<number>, cellsPerLevel: number): number {
  const levels = counts.length;
  let setCount = 0;
  for (let level = 0; level < levels; level++) setCount += counts[level]!;
  if (setCount === 0) return 0;
  // At least as many values as cells; the likelihood's slope falls, so halving finds where it is 0.
  let low = Math.log(setCount);
  let high = Math.log(cellsPerLevel) + levels * Math.LN2;
  while (high - low > 1e-4) {
    const middle = (low + high) / 2;
    if (slopeAt(Math.exp(middle), counts, cellsPerLevel) > 0) low = middle;
    else high = middle;
  }
  return Math.round(Math.exp((low + high) / 2));
}

/**
 * Slope of the log-likelihood at n, where each cell of level l is hit with rate x = n · p / m on average, independently
 * (Poisson): cells set give p/m / (e^x - 1), cells not set give -p/m.
 */
function slopeAt(n: number, counts: ArrayLike<number>, cellsPerLevel: number): number {
  let slope = 0;
  for (let level = 0; level < counts.length; level++) {
    const rate = probabilityOf(level, counts.length) / cellsPerLevel;
    const set = counts[level]!;
    slope += (set * rate) / Math.expm1(n * rate) - (cellsPerLevel - set) * rate;
  }
  return slope;
}
