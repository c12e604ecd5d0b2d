// What becomes of a load report, however it came: matched with the members at its sender's address, read, written down
// and counted. Who may send is decided here alone; listeners only receive.
import { MAX_REPORT_BYTES, parseLoadReport, recordLoadReport } from '../../balancer/load-report.ts';
import type { Clock } from '../../lib/clock.ts';
import type { SharedCells } from '../../scoreboard/layout.ts';
import type { RareNotice } from './rare-notice.ts';
import type { SenderIndex } from './sender-index.ts';

/** Results of a report, also those that only HTTP can have. */
const REPORT_RESULTS = {
  udp: ['taken', 'unknown_sender', 'unknown_port', 'malformed', 'too_long'],
  http: ['taken', 'unknown_sender', 'unknown_port', 'malformed', 'too_long', 'bad_method'],
} as const;

export type ReportSource = keyof typeof REPORT_RESULTS;
export type ReportResult = (typeof REPORT_RESULTS)[ReportSource][number];

export interface IntakeOptions {
  readonly source: ReportSource;
  readonly senders: SenderIndex;
  readonly shared: SharedCells;
  readonly clock: Clock;
  readonly notice: RareNotice;
}

export class ReportIntake {
  readonly #options: IntakeOptions;
  readonly #counts = new Map<ReportResult, number>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** By result, 0 for those that have not happened. */
  get counts(): readonly (readonly [ReportResult, number])[] {
    return REPORT_RESULTS[this.#options.source].map((result) => [result, this.#counts.get(result) ?? 0]);
  }

  /** Whether reports from there are read at all. `address`: of the sender, as the system tells it. */
  knows(address: string): boolean {
    return this.#options.senders.knows(address);
  }

  /** Takes a report in, or says why not. */
  take(address: string, bytes: Uint8Array): ReportResult {
    const { source, senders, shared, clock } = this.#options;
    if (!senders.knows(address)) return this.refuse(address, 'unknown_sender');
    if (bytes.length > MAX_REPORT_BYTES) return this.refuse(address, 'too_long');
    const report = parseLoadReport(Buffer.from(bytes).toString('latin1'), source === 'udp' ? 'required' : 'optional');
    if (report.kind === 'refused') return this.refuse(address, 'malformed', report.reason);
    const rows = senders.rowsOf(address, report.port);
    if (rows.length === 0) return this.refuse(address, 'unknown_port');
    const nowMs = clock.nowMs();
    for (const row of rows) recordLoadReport(shared, row, report, nowMs);
    return this.#count('taken');
  }

  /** Counts a report that was not taken. `reason`: what more is known. */
  refuse(address: string, result: Exclude<ReportResult, 'taken'>, reason: string = result): ReportResult {
    const { source, notice } = this.#options;
    notice.warn(`${source} ${result}`, { source, sender: address, reason }, 'load reports are not taken');
    return this.#count(result);
  }

  #count(result: ReportResult): ReportResult {
    this.#counts.set(result, (this.#counts.get(result) ?? 0) + 1);
    return result;
  }
}
