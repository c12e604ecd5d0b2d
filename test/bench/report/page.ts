// Puts results into docs/benchmarks.md, between its markers, and the plot beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../machine.ts';
import type { FoundPeer } from '../peers/all.ts';
import type { CaseResult } from '../run-case.ts';
import type { Verdict } from '../verdicts.ts';
import { plot } from './plot.ts';
import { tableOf, toMarkdown } from './tables.ts';

export interface Report {
  readonly machine: Machine;
  readonly peers: readonly FoundPeer[];
  readonly rounds: number;
  readonly seconds: number;
  readonly results: readonly CaseResult[];
  readonly verdicts: readonly Verdict[];
}

const page = fileURLToPath(new URL('../../../docs/benchmarks.md', import.meta.url));
const picture = fileURLToPath(new URL('../../../docs/benchmarks.svg', import.meta.url));
const BEGIN = '<!-- figures: begin -->';
const END = '<!-- figures: end -->';

/** Throws when the page has lost its markers. */
export function writePage(report: Report): void {
  const text = readFileSync(page, 'utf8');
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${page} lacks the markers ${BEGIN} and ${END}`);
  writeFileSync(page, `${text.slice(0, begin + BEGIN.length)}\n\n${figures(report)}\n${text.slice(end)}`);
  writeFileSync(picture, plot(report.results));
}

function figures({ machine, peers, rounds, seconds, results, verdicts }: Report): string {
  const versions = peers.map(({ peer, version }) => `${peer.title} ${version}`).join(', ');
  const kept = verdicts.map(({ text }) => `- ${text.replace(/ +/g, ' ')}`);
  return [
    `Measured on ${machine.date}: ${machine.processor}, ${machine.cores} cores, ${machine.kernel}.`,
    `${versions}.`,
    `Medians of ${rounds} interleaved rounds of ${seconds} s, ranges in parentheses.`,
    '',
    '![Processor time per request](benchmarks.svg)',
    '',
    ...results.map((result) => toMarkdown(tableOf(result))),
    '### What was aimed at',
    '',
    ...kept,
    '',
  ].join('\n');
}
