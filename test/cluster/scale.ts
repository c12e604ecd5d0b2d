// Measures the product in a large cluster and prints what came out, each figure with the load that the machine had:
// `test/cluster/inside node test/cluster/scale.ts [--balancers 1000] [--changes 300] [--quiet 60] [-- FLAGS OF NODE]`. Exits
// with 1 if a bound is exceeded. What CI runs of it is scale.test.ts.
import { parseArgs } from 'node:util';
import { absence, startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';
import { measureScale, percentile } from './scale-figures.ts';

if (absence !== null) process.exit(1);
const { values, positionals } = parseArgs({
  options: {
    balancers: { type: 'string', default: '1000' },
    changes: { type: 'string', default: '300' },
    quiet: { type: 'string', default: '60' },
  },
  allowPositionals: true,
});
await using plane = await startControlPlane();
await applyCrds(plane.admin);
const balancers = Number(values.balancers);
console.log(`${balancers} Balancers, ${balancers * 2} Services, ${balancers * 20} endpoints, two lanes`);
const { syncSeconds, residentMiB, latenciesMs, busyLatenciesMs, quietPercent } = await measureScale(plane, {
  balancers,
  changes: Number(values.changes),
  quietSeconds: Number(values.quiet),
  nodeFlags: positionals,
  onFigure: (text) => console.log(text),
});

const bounds: readonly (readonly [what: string, figure: number, bound: number])[] = [
  ['initial sync, seconds', syncSeconds, 10],
  ['memory, MiB', residentMiB, 400],
  ['p50, ms', percentile(latenciesMs, 0.5), 50],
  ['p99, ms', percentile(latenciesMs, 0.99), 250],
  ['p99 while statuses are written, ms', percentile(busyLatenciesMs, 0.99), 250],
  ['quiet, % of a core', quietPercent ?? 0, 1],
];
for (const [what, figure, bound] of bounds) {
  if (figure <= bound) continue;
  console.log(`EXCEEDED: ${what}: ${figure.toFixed(2)} of ${bound}`);
  process.exitCode = 1;
}
