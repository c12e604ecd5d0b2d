// How many distinct values make a Flajolet-Martin bitmap look as it does: the most likely number, from the count of cells
// set on each level (the estimator of Flajolet and Martin 1985 looks at less, and errs by a fifth more).

export interface SketchLevel {
  readonly cells: number;
  /** That a value belongs to this level; those of all levels add up to 1. */
  readonly probability: number;
}

/** Any count that is estimated is below e to this. */
const highestLog = 32;

/** `counts`: cells set, by level. 0 only when none is set. */
export function estimateDistinct(counts: ArrayLike<number>, levels: readonly SketchLevel[]): number {
  let setCount = 0;
  for (let level = 0; level < levels.length; level++) setCount += counts[level]!;
  if (setCount === 0) return 0;
  // At least as many values as cells; the likelihood's slope falls, so halving finds where it is 0.
  let low = Math.log(setCount);
  let high = highestLog;
  while (high - low > 1e-4) {
    const middle = (low + high) / 2;
    if (slopeAt(Math.exp(middle), counts, levels) > 0) low = middle;
    else high = middle;
  }
  return Math.round(Math.exp((low + high) / 2));
}

/**
 * Slope of the log-likelihood at n, where each of m cells of a level with probability p is hit with rate x = n · p / m on
 * average, independently (Poisson): cells set give p/m / (e^x - 1), cells not set give -p/m.
 */
function slopeAt(n: number, counts: ArrayLike<number>, levels: readonly SketchLevel[]): number {
  let slope = 0;
  for (let level = 0; level < levels.length; level++) {
    const { cells, probability } = levels[level]!;
    const rate = probability / cells;
    const set = counts[level]!;
    slope += (set * rate) / Math.expm1(n * rate) - (cells - set) * rate;
  }
  return slope;
}
