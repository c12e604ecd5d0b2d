// Whether a lane has more than its share of the work, and how many client connections it tells to close for it. The kernel
// gives connections to lanes by chance when they are made; where they live long or differ much, chance is not enough.
// Pure: decides from numbers, closes nothing.

/** How much a lane has to do. */
export interface LaneLoad {
  /** Open client connections; of the lane itself, those that were not told to close yet. */
  readonly connections: number;
  /** Share of the time in which its loop was busy: 0 to 1. */
  readonly use: number;
}

/** What is remembered from one sample to the next. */
export interface ShareState {
  /** Samples in a row in which the lane had too much. */
  readonly strikes: number;
  /** Whether it is getting rid of connections. */
  readonly isShedding: boolean;
}

export interface ShareDecision {
  readonly state: ShareState;
  /** Connections to tell to close now. */
  readonly retire: number;
}

export const balanced: ShareState = { strikes: 0, isShedding: false };

/** One burst is no reason. */
const STRIKES = 3;
/** Times the mean of connections: begins above the one, ends below the other. */
const CROWDED = 1.5;
const CROWDED_NO_MORE = 1.2;
/** With few connections chance alone goes beyond that. */
const MIN_EXCESS = 8;
/** Use of the loop that is too much if it is also so far above that of the others; when it is enough. */
const BUSY = 0.8;
const BUSY_MARGIN = 0.25;
const BUSY_NO_MORE = 0.7;
const BUSY_MARGIN_NO_MORE = 0.1;
/** At most this share of the connections, and so many, per sample. */
const MAX_SHARE = 0.1;
const MAX_RETIRED = 100;

/** Looks at one sample. `others`: the lanes that run besides this one; with none there is nowhere to go. */
export function decideShare(state: ShareState, own: LaneLoad, others: readonly LaneLoad[]): ShareDecision {
  if (others.length === 0) return { state: balanced, retire: 0 };
  const othersConnections = mean(others.map(({ connections }) => connections));
  const othersUse = mean(others.map(({ use }) => use));
  const meanConnections = (own.connections + othersConnections * others.length) / (others.length + 1);
  const excess = own.connections - meanConnections;
  const { isShedding } = state;
  const isCrowded = isShedding
    ? own.connections > CROWDED_NO_MORE * meanConnections
    : own.connections > CROWDED * meanConnections && excess >= MIN_EXCESS;
  // Moving the only connection would move the load along with it.
  const isBusy =
    own.connections >= 2 &&
    own.use >= (isShedding ? BUSY_NO_MORE : BUSY) &&
    own.use - othersUse >= (isShedding ? BUSY_MARGIN_NO_MORE : BUSY_MARGIN);
  if (!isCrowded && !isBusy) return { state: balanced, retire: 0 };
  const strikes = state.strikes + 1;
  if (strikes < STRIKES) return { state: { strikes, isShedding: false }, retire: 0 };
  const most = Math.min(MAX_RETIRED, Math.max(1, Math.floor(own.connections * MAX_SHARE)));
  // Some of those that leave come back here by the same chance: never more than what is too much.
  const retire = isBusy ? most : Math.min(most, Math.ceil(excess / 2));
  return { state: { strikes, isShedding: true }, retire };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
