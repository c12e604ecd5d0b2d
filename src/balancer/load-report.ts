// What a member says of its own load, for the method heartbeat: httpd's text as mod_heartbeat sends it, and writing a
// report down where elections read it. Strict: a text is understood as a whole or refused; nothing here trusts anybody.
import type { SharedStandings } from './standings.ts';

/** Whole numbers from 0 to `MAX_SLOTS`. */
export interface LoadReport {
  readonly kind: 'report';
  /** Slots that wait for work. */
  readonly ready: number;
  /** Slots that work. */
  readonly busy: number;
}

/** A report that may tell which of the members at its sender's address it is about. */
export interface SentReport extends LoadReport {
  /** 1 to 65535; null: it does not say. */
  readonly port: number | null;
}

export type Refusal =
  | 'too-long'
  /** Neither `TEXT …` nor `JSON …`. */
  | 'unknown-form'
  | 'bad-syntax'
  | 'unsupported-version'
  | 'missing-field'
  | 'repeated-field'
  | 'bad-number';

export interface RefusedReport {
  readonly kind: 'refused';
  readonly reason: Refusal;
}

/** httpd reads no more of a datagram. Bytes. */
export const MAX_REPORT_BYTES = 1000;

/** More than any server has; with it sums over all members stay exact. */
const MAX_SLOTS = 1_000_000;

type Field = 'v' | 'ready' | 'busy' | 'port';
const FIELDS: ReadonlySet<string> = new Set<Field>(['v', 'ready', 'busy', 'port']);

/**
 * Reads `v=1&ready=R&busy=B`, with `port=P` if the sender says so; fields that are not ours are passed over. One line
 * end at the end is allowed. `version`: whether `v` must be there (httpd wants it in datagrams, not in what is posted).
 * Source: httpd mod_heartbeat.c, mod_heartmonitor.c.
 */
export function parseLoadReport(text: string, version: 'required' | 'optional'): SentReport | RefusedReport {
  if (text.length > MAX_REPORT_BYTES) return refused('too-long');
  const given = new Map<string, string>();
  for (const part of text.replace(/\r?\n$/, '').split('&')) {
    const at = part.indexOf('=');
    if (at < 1) return refused('bad-syntax');
    const name = part.slice(0, at);
    if (!FIELDS.has(name)) continue;
    if (given.has(name)) return refused('repeated-field');
    given.set(name, part.slice(at + 1));
  }
  const v = given.get('v');
  if (v !== undefined && v !== '1') return refused('unsupported-version');
  if (v === undefined && version === 'required') return refused('missing-field');
  if (!given.has('ready') || !given.has('busy')) return refused('missing-field');
  const ready = readDigits(given.get('ready')!);
  const busy = readDigits(given.get('busy')!);
  const port = given.has('port') ? readDigits(given.get('port')!) : null;
  if (!isSlots(ready) || !isSlots(busy)) return refused('bad-number');
  if (port !== null && !(port >= 1 && port <= 65_535)) return refused('bad-number');
  return { kind: 'report', ready, busy, port };
}

type ReportCells = Pick<SharedStandings, 'reportedReady' | 'reportedBusy' | 'reportedAtS'>;

/** Writes down what the member in this row says of itself; elections see it within a second. `nowMs`: hrtime axis. */
export function recordLoadReport(
  cells: ReportCells,
  row: number,
  { ready, busy }: Pick<LoadReport, 'ready' | 'busy'>,
  nowMs: number,
): void {
  Atomics.store(cells.reportedReady, row, ready);
  Atomics.store(cells.reportedBusy, row, busy);
  Atomics.store(cells.reportedAtS, row, Math.floor(nowMs / 1000) + 1);
}

/** Whether that is a number of slots that a report may give. */
export function isSlots(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_SLOTS;
}

export function refused(reason: Refusal): RefusedReport {
  return { kind: 'refused', reason };
}

/** NaN for whatever is not a few digits. */
function readDigits(text: string): number {
  return /^[0-9]{1,7}$/.test(text) ? Number(text) : Number.NaN;
}
