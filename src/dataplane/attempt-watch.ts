// Looks at the head of each answer for those who asked for it: leasttime measures the time to it, heartbeat reads the load
// report in it, sessions write themselves into it. Made only for requests of balancers that need it.
import { recordFirstByte } from '../balancer/first-byte.ts';
import { recordLoadReport } from '../balancer/load-report.ts';
import { parseOrcaReport } from '../balancer/orca-report.ts';
import type { HeadLines } from '../balancer/sessions/head-lines.ts';
import type { Clock } from '../lib/clock.ts';
import type { LaneScoreboard } from '../scoreboard/lane-side.ts';
import type { AnswerEdits, AnswerObserver } from './exchange.ts';
import type { ServedBalancer, ServedMember } from './routing-table.ts';
import type { SessionVisit } from './session-visit.ts';

/** Members report their load in it (Open Request Cost Aggregation). */
const REPORT_HEADER = 'endpoint-load-metrics';

export class AttemptWatch implements AnswerObserver {
  readonly #balancer: ServedBalancer;
  readonly #visit: SessionVisit | null;
  readonly #scoreboard: LaneScoreboard;
  readonly #clock: Clock;
  readonly #index: number;
  readonly #startedMs: number;

  /** For an attempt on the member at this index that begins now. */
  constructor(
    balancer: ServedBalancer,
    index: number,
    visit: SessionVisit | null,
    scoreboard: LaneScoreboard,
    clock: Clock,
  ) {
    this.#balancer = balancer;
    this.#index = index;
    this.#visit = visit;
    this.#scoreboard = scoreboard;
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  /** Whether a balancer's requests need one. */
  static isNeededBy({ sessions, unit }: ServedBalancer): boolean {
    return sessions !== null || unit.lbMethod === 'leasttime' || unit.lbMethod === 'heartbeat';
  }

  answerBegins(lines: HeadLines): AnswerEdits | null {
    const { unit, members } = this.#balancer;
    const member = members[this.#index]!;
    if (unit.lbMethod === 'leasttime') this.#measure(member);
    if (unit.lbMethod === 'heartbeat') this.#takeReport(member, lines);
    if (this.#visit === null) return null;
    const edits = this.#visit.editAnswer(lines, this.#balancer, this.#index, this.#clock.wallMs());
    const { oversizedCookies } = this.#visit;
    if (oversizedCookies > 0) this.#scoreboard.countOversizedCookies(this.#balancer.row, oversizedCookies);
    return edits;
  }

  #measure(member: ServedMember): void {
    const nowMs = this.#clock.nowMs();
    recordFirstByte(this.#scoreboard.shared, member.row, (nowMs - this.#startedMs) * 1000, nowMs);
  }

  /** A report that is given twice is not believed. */
  #takeReport(member: ServedMember, lines: HeadLines): void {
    const line = lines.findName(REPORT_HEADER);
    if (line === -1) return;
    if (lines.findName(REPORT_HEADER, line + 1) === -1) this.#readReport(member, lines, line);
    else this.#scoreboard.countLoadReport(false);
  }

  #readReport(member: ServedMember, lines: HeadLines, line: number): void {
    const report = parseOrcaReport(lines.text.slice(lines.valueStart(line), lines.valueEnd(line)));
    this.#scoreboard.countLoadReport(report.kind === 'report');
    if (report.kind === 'report') {
      recordLoadReport(this.#scoreboard.shared, member.row, report, this.#clock.nowMs());
    }
  }
}
