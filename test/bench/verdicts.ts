// Compares results with bounds. Pure. Ratios are taken round by round, so that what disturbs a whole round cancels out.
import { type Bound, METRICS, type Metric } from './cases.ts';
import type { PeerName } from './peers/peer.ts';
import type { CaseResult, PeerRuns } from './run-case.ts';
import { type Summary, summarise } from './statistics.ts';

export interface Verdict {
  readonly text: string;
  readonly isKept: boolean;
}

/** The product's metric over a peer's; null when one of them has not been measured. */
export function ratioTo(result: CaseResult, peer: PeerName, metric: Metric): Summary | null {
  return ratioOf(runsOf(result, 'evenkeel'), runsOf(result, peer), metric);
}

/** Of a peer's runs; null when the metric has not been measured. */
export function metricOf({ runs }: PeerRuns, metric: Metric): Summary | null {
  const values = runs.flatMap((run) => run[metric] ?? []);
  return values.length === 0 ? null : summarise(values);
}

/** One verdict per bound that was measured. `slack`: bounds are so many times wider. */
export function judge(results: readonly CaseResult[], bounds: readonly Bound[], slack: number): readonly Verdict[] {
  return bounds.flatMap((bound) => {
    const found = measured(results, bound);
    if (found === null) return [];
    const most = bound.most * slack;
    const { median, least, most: highest } = found.summary;
    const isKept = median <= most;
    const range = `${median.toFixed(2)} (${least.toFixed(2)} to ${highest.toFixed(2)})`;
    const text = `${isKept ? 'kept    ' : 'EXCEEDED'}  ${bound.case}: ${found.what} ${range}, at most ${most.toFixed(2)}`;
    return [{ text, isKept }];
  });
}

function measured(
  results: readonly CaseResult[],
  bound: Bound,
): { readonly what: string; readonly summary: Summary } | null {
  const result = results.find((one) => one.case.name === bound.case);
  const own = result === undefined ? undefined : runsOf(result, 'evenkeel');
  if (result === undefined || own === undefined) return null;
  const { title } = METRICS[bound.metric];
  if ('isAbsolute' in bound) {
    const summary = metricOf(own, bound.metric);
    return summary === null ? null : { what: `${title}:`, summary };
  }
  if ('peer' in bound) {
    const summary = ratioTo(result, bound.peer, bound.metric);
    return summary === null ? null : { what: `${title}, times that of ${bound.peer}:`, summary };
  }
  const other = results.find((one) => one.case.name === bound.otherCase);
  const summary = ratioOf(own, other === undefined ? undefined : runsOf(other, 'evenkeel'), bound.metric);
  return summary === null ? null : { what: `${title}, times that of the case ${bound.otherCase}:`, summary };
}

function runsOf(result: CaseResult, peer: PeerName): PeerRuns | undefined {
  return result.peers.find((one) => one.peer === peer);
}

function ratioOf(a: PeerRuns | undefined, b: PeerRuns | undefined, metric: Metric): Summary | null {
  if (a === undefined || b === undefined) return null;
  const ratios = a.runs.flatMap((run, round) => {
    const above = run[metric];
    const below = b.runs[round]?.[metric];
    if (above === undefined || below === undefined) return [];
    // Neither kept up: nothing to compare.
    return above === Infinity && below === Infinity ? [] : above / below;
  });
  return ratios.length === 0 ? null : summarise(ratios);
}
