// A plot of bars as SVG text: for each case, each peer's time per request relative to the product's. Pure.
import type { CaseResult } from '../run-case.ts';
import { metricOf } from '../verdicts.ts';

const WIDTH = 760;
const LABEL_WIDTH = 150;
const BAR_HEIGHT = 16;
const BAR_STEP = 20;
const TITLE_HEIGHT = 34;
const VALUE_WIDTH = 110;

/** Cases without the product in them are left out. */
export function plot(results: readonly CaseResult[]): string {
  const parts: string[] = [];
  let y = 8;
  for (const result of results) {
    const { metric, title } = result.case;
    const bars = result.peers.flatMap((peer) => {
      const summary = metricOf(peer, metric);
      return summary === null ? [] : [{ label: peer.title, isOurs: peer.peer === 'evenkeel', value: summary.median }];
    });
    if (metric !== 'cpuUs' || !bars.some(({ isOurs }) => isOurs)) continue;
    const longest = Math.max(...bars.map(({ value }) => value));
    parts.push(`<text x="0" y="${y + 18}" class="title">${escapeText(title)}</text>`);
    y += TITLE_HEIGHT;
    for (const { label, isOurs, value } of bars) {
      const width = Math.max(1, ((WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value) / longest);
      const middle = y + BAR_HEIGHT - 4;
      parts.push(
        `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end">${escapeText(label)}</text>`,
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" class="${isOurs ? 'ours' : 'other'}"/>`,
        `<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${middle}">${value.toFixed(value < 100 ? 1 : 0)} µs</text>`,
      );
      y += BAR_STEP;
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" width="${WIDTH}" height="${y + 8}" role="img">
<title>Processor time per request, in microseconds; shorter is better</title>
<style>
text { font: 12px sans-serif; fill: #57606a; }
.title { font-weight: bold; }
.ours { fill: #1f6feb; }
.other { fill: #8c959f; }
</style>
${parts.join('\n')}
</svg>
`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
