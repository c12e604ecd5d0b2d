// Results as tables, for the terminal and for Markdown alike. Pure.
import { METRICS, type Metric } from '../cases.ts';
import type { CaseResult } from '../run-case.ts';
import { metricOf, ratioTo } from '../verdicts.ts';

export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One row per peer: median and range of the metric that matters, medians of the others, the product's ratio to it. */
export function tableOf(result: CaseResult): Table {
  const { title, metric } = result.case;
  const metrics = (Object.keys(METRICS) as Metric[]).filter((name) => {
    return result.peers.some((peer) => metricOf(peer, name) !== null);
  });
  const rows = result.peers.map((peer) => {
    const cells = metrics.map((name) => cell(metricOf(peer, name), METRICS[name].digits, name === metric));
    const ratio = ratioTo(result, peer.peer, metric);
    return [peer.title, ...cells, peer.peer === 'evenkeel' ? '' : cell(ratio, 2, true)];
  });
  return {
    title: result.note === '' ? title : `${title} (${result.note})`,
    header: [
      '',
      ...metrics.map((name) => METRICS[name].title),
      `Evenkeel's ${METRICS[metric].title.split(',', 1)[0]} is`,
    ],
    rows,
  };
}

function cell(
  summary: { readonly median: number; readonly least: number; readonly most: number } | null,
  digits: number,
  withRange: boolean,
): string {
  if (summary === null) return '';
  const { median, least, most } = summary;
  const range = ` (${digitsOf(least, digits)}–${digitsOf(most, digits)})`;
  return `${digitsOf(median, digits)}${withRange && least !== most ? range : ''}`;
}

/** A latency without end is that of a proxy that does not keep up. */
function digitsOf(value: number, digits: number): string {
  return value === Infinity ? 'overloaded' : value.toFixed(digits);
}

/** Aligned columns. */
export function toText({ title, header, rows }: Table): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  return `\n${title}\n${lines.join('\n')}\n`;
}

export function toMarkdown({ title, header, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [`### ${title}`, '', line(header), line(header.map(() => '---')), ...rows.map(line), ''].join('\n');
}
