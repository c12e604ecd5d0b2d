// The page docs/reference/metrics.md, made from the table of metrics. Run as a program it writes the page.
// Says nothing that the table does not, apart from how to read it.
import { writeFileSync } from 'node:fs';
import { DURATION_BUCKETS_S } from '../scoreboard/layout.ts';
import { metricTable } from './metric-table.ts';

export function metricsPage(): string {
  const lines = [
    '<!-- Generated from src/admin/metric-table.ts by `node src/admin/metrics-page.ts`. Do not edit. -->',
    '',
    '# Metrics',
    '',
    'The admin port answers `/metrics` in the Prometheus text format. Numbers are read from shared memory when they are asked',
    'for; requests pay nothing for them.',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...metricTable.map(({ name, kind, labels, help }) => {
      const names = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`evenkeel_${name}\` | ${kind} | ${names} | ${help.replaceAll('|', '\\|')} |`;
    }),
    '',
    '- `member` is the name of the pod, or the URL. A member that leaves its balancer takes its series along; one that comes back',
    '  soon goes on where it stopped.',
    '- `code_class` is `1xx` to `5xx`, or `none`. The classes `2xx` to `5xx` are there from the start, with 0; the others when they',
    '  first happen.',
    '- Counters do not fall when a lane dies and is restarted. They start from 0 when the process does.',
    `- Bounds of the histogram, in seconds: ${DURATION_BUCKETS_S.join(', ')}.`,
    '- The metrics of the process have the names that they have everywhere: `process_*` and `nodejs_*`. They describe the process',
    '  and, where they are about an event loop or a heap, the main thread.',
  ];
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), metricsPage());
}
