// The load report that an application puts into a response header (ORCA, `endpoint-load-metrics`), in its text and JSON
// forms. Its figures become slots, which is what heartbeat draws by. Reads the value of the header, never the response.
import { isSlots, type LoadReport, type RefusedReport, refused } from './load-report.ts';

/** Longer ones are refused unread. Characters. */
export const MAX_ORCA_LENGTH = 4096;

/** What of a report is looked at; null: not given. */
interface Figures {
  ready: number | null;
  busy: number | null;
  application: number | null;
  cpu: number | null;
}

/** The four by their names in the text form. */
const BY_NAME: ReadonlyMap<string, keyof Figures> = new Map([
  ['named_metrics.ready', 'ready'],
  ['named_metrics.busy', 'busy'],
  ['application_utilization', 'application'],
  ['cpu_utilization', 'cpu'],
]);

/**
 * Reads `TEXT cpu_utilization=0.3,…` (also with a colon for the equals sign) or `JSON {"cpu_utilization":0.3,…}` (also
 * in camel case, as protobuf writes it). Figures that are not ours are passed over. The form `BIN …` is refused.
 *
 * `named_metrics.ready` and `named_metrics.busy` are slots as they are. Without them the utilisation u decides, the
 * application's own, or where that is not given or 0 the processor's: ready = 100 × (1 − u), busy = 100 × u, both
 * rounded and kept within 1 to 100. So a member that is overloaded keeps one slot: utilisation says how much it has to
 * do, not that it takes nothing more. And one that is idle has a busy one, since to httpd none means "just started".
 */
export function parseOrcaReport(value: string): LoadReport | RefusedReport {
  if (value.length > MAX_ORCA_LENGTH) return refused('too-long');
  const figures: Figures = { ready: null, busy: null, application: null, cpu: null };
  const form = value.slice(0, 5);
  const rest = value.slice(5);
  if (form !== 'TEXT ' && form !== 'JSON ') return refused('unknown-form');
  const refusal = form === 'TEXT ' ? readText(rest, figures) : readJson(rest, figures);
  return refusal ?? toReport(figures);
}

function readText(text: string, figures: Figures): RefusedReport | null {
  for (const part of text.split(',')) {
    const at = part.search(/[=:]/);
    if (at < 1) return refused('bad-syntax');
    const name = part.slice(0, at).trim();
    if (name === '') return refused('bad-syntax');
    const figure = BY_NAME.get(name);
    if (figure === undefined) continue;
    if (figures[figure] !== null) return refused('repeated-field');
    const number = part.slice(at + 1).trim();
    if (!/^([0-9]{1,10}(\.[0-9]{0,20})?|\.[0-9]{1,20})(e[+-]?[0-9]{1,2})?$/i.test(number)) return refused('bad-number');
    figures[figure] = Number(number);
  }
  return null;
}

function readJson(text: string, figures: Figures): RefusedReport | null {
  const found = parseObject(text);
  if (found === null) return refused('bad-syntax');
  const named = ownValue(found, 'named_metrics', 'namedMetrics');
  if (named !== null && !isObject(named)) return refused('bad-syntax');
  const given: Record<keyof Figures, unknown> = {
    ready: named === null ? null : ownValue(named, 'ready'),
    busy: named === null ? null : ownValue(named, 'busy'),
    application: ownValue(found, 'application_utilization', 'applicationUtilization'),
    cpu: ownValue(found, 'cpu_utilization', 'cpuUtilization'),
  };
  for (const figure of BY_NAME.values()) {
    const value = given[figure];
    if (value === null) continue;
    if (typeof value !== 'number') return refused('bad-number');
    figures[figure] = value;
  }
  return null;
}

function parseObject(text: string): object | null {
  try {
    const found: unknown = JSON.parse(text);
    return isObject(found) ? found : null;
  } catch {
    return null;
  }
}

/** Under the first of the names that is there; null: not there, or null, which means the same. Never what is inherited. */
function ownValue(object: object, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value: unknown = Object.getOwnPropertyDescriptor(object, name)?.value;
    if (value !== undefined && value !== null) return value;
  }
  return null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toReport({ ready, busy, application, cpu }: Figures): LoadReport | RefusedReport {
  if (ready !== null || busy !== null) {
    if (ready === null || busy === null) return refused('missing-field');
    return isSlots(ready) && isSlots(busy) ? { kind: 'report', ready, busy } : refused('bad-number');
  }
  // Protobuf does not tell 0 from "not measured".
  const utilisation = application === null || (application === 0 && cpu !== null) ? cpu : application;
  if (utilisation === null) return refused('missing-field');
  if (!(utilisation >= 0 && utilisation < Infinity)) return refused('bad-number');
  return { kind: 'report', ready: toPercent(1 - utilisation), busy: toPercent(utilisation) };
}

function toPercent(share: number): number {
  return Math.min(100, Math.max(1, Math.round(100 * share)));
}
