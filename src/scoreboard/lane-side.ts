// What a lane writes into the scoreboard: its own column, and the totals that elections of all lanes read.
// Every attempt that begins here ends here, exactly once; nothing in this file allocates.
import type { ScoreboardBuffers } from '../snapshot/scoreboard-buffers.ts';
import { type Column, DURATION_BUCKETS_S, mapColumn, mapShared, SESSION_VERDICTS, type SharedCells } from './layout.ts';

export class LaneScoreboard {
  readonly shared: SharedCells;
  readonly column: Column;
  readonly sessionCells: Uint8Array<SharedArrayBuffer>;
  readonly #memberRows: number;
  readonly #balancerRows: number;

  constructor(buffers: ScoreboardBuffers, lane: number) {
    this.shared = mapShared(buffers);
    this.column = mapColumn(buffers, lane);
    this.sessionCells = new Uint8Array(buffers.sessions);
    this.#memberRows = buffers.memberRows;
    this.#balancerRows = buffers.balancerRows;
  }

  /** An attempt on the member begins. */
  beginAttempt(row: number): void {
    this.column.busy[row]! += 1;
    Atomics.add(this.shared.busyTotal, row, 1);
  }

  /** The attempt has ended, however it did. */
  endAttempt(row: number): void {
    this.column.busy[row]! -= 1;
    Atomics.sub(this.shared.busyTotal, row, 1);
  }

  /** The attempt failed through the member's fault. */
  countFailure(row: number): void {
    this.column.failed[row]! += 1;
  }

  /** Bytes written to the member. */
  countSent(row: number, bytes: number): void {
    this.column.sent[row]! += bytes;
    Atomics.add(this.shared.sentTotal.whole, row, BigInt(bytes));
  }

  /** Bytes read from the member. */
  countReceived(row: number, bytes: number): void {
    this.column.received[row]! += bytes;
    Atomics.add(this.shared.receivedTotal.whole, row, BigInt(bytes));
  }

  /** The client got the member's answer. `codeClass`: 0 none, 1 to 5. */
  countResponse(row: number, codeClass: number): void {
    this.column.responses[codeClass * this.#memberRows + row]! += 1;
  }

  /** The client got an answer of our own. Row 0: no balancer took the request. */
  countOwnResponse(balancerRow: number, codeClass: number): void {
    this.column.ownResponses[codeClass * this.#balancerRows + balancerRow]! += 1;
  }

  /** A member's response carried a load report; whether it was understood. */
  countLoadReport(isTaken: boolean): void {
    this.column[isTaken ? 'loadReportsTaken' : 'loadReportsRefused'][0]! += 1;
  }

  /** A request of a balancer with sessions said this of its session. */
  countSession(balancerRow: number, verdict: (typeof SESSION_VERDICTS)[number]): void {
    this.column.sessions[SESSION_VERDICTS.indexOf(verdict) * this.#balancerRows + balancerRow]! += 1;
  }

  /** Session cookies of an answer were left alone because they would have grown too long. */
  countOversizedCookies(balancerRow: number, count: number): void {
    this.column.oversizedCookies[balancerRow]! += count;
  }

  /** A request of the balancer took this long, first byte to last. */
  countDuration(balancerRow: number, seconds: number): void {
    let bucket = 0;
    while (bucket < DURATION_BUCKETS_S.length && seconds > DURATION_BUCKETS_S[bucket]!) bucket += 1;
    this.column.durations[bucket * this.#balancerRows + balancerRow]! += 1;
    this.column.durationSumS[balancerRow]! += seconds;
  }
}
