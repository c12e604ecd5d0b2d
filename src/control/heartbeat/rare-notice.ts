// Says in the log that something began, not each time that it happens: once, and again only after it had stopped for a
// while. Strangers must not be able to fill the log.
import type { Clock } from '../../lib/clock.ts';
import type { LogFields, Logger } from '../../lib/logger.ts';

/** What has not happened for so long has stopped. Milliseconds. */
const QUIET_MS = 60_000;

export class RareNotice {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #lastMs = new Map<string, number>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `what`: one of a few words; what happens under the same one is one thing. */
  warn(what: string, fields: LogFields, message: string): void {
    const nowMs = this.#clock.nowMs();
    const lastMs = this.#lastMs.get(what);
    this.#lastMs.set(what, nowMs);
    if (lastMs === undefined || nowMs - lastMs >= QUIET_MS) this.#log.warn({ ...fields, what }, message);
  }
}
