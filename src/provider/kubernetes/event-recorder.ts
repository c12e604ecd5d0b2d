// Events (events.k8s.io/v1) for people who run `kubectl describe`: told at most a few times a minute per object, in one
// series where the same is said again, in the background, and given up rather than tried for long. Nothing waits for them.
import type { Clock } from '../../lib/clock.ts';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { microTime } from './leader-election.ts';
import { pause } from './pause.ts';

/** What an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventReport {
  readonly regarding: EventSubject;
  readonly type: 'Normal' | 'Warning';
  /** In CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What we were doing, likewise. */
  readonly action: string;
  /** For people; cut after 1,024 bytes. */
  readonly note: string;
}

/** `created`: an event of its own. `repeated`: counted in a series. `suppressed`: too many of that object. `dropped`: too many waiting. */
export type EventResult = 'created' | 'repeated' | 'suppressed' | 'dropped' | 'failed';

export interface EventRecorderOptions {
  readonly api: Pick<ApiClient, 'request'>;
  /** The kind of controller, such as `example.com/controller`. */
  readonly reportingController: string;
  /** This process. */
  readonly reportingInstance: string;
  readonly isLeading: () => boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  /** After which a request is given up, in milliseconds. */
  readonly timeoutMs: number;
}

/** An object may have this many events at once, and one more after each interval. */
const BURST = 6;
const REFILL_MS = 20_000;
/** The same said again within this time belongs to one series; client-go's number. */
const SERIES_MS = 360_000;
/** A series is written again at most this often. */
const SERIES_WRITE_MS = 60_000;
/** One for each Balancer of a large cluster that is seen for the first time, twice over: about a mebibyte. */
const MAX_WAITING = 2_000;
/** Between two requests. */
const SPACING_MS = 100;
const TRIES = 3;
const RETRY_MS = 1_000;
const MAX_NOTE_BYTES = 1_024;
/** How often what is over is forgotten. */
const TIDY_MS = 60_000;

interface Series {
  /** In the map of all series. */
  readonly key: string;
  readonly path: string;
  count: number;
  /** Of the count that was written last; 1: none was. */
  written: number;
  lastMs: number;
  lastWallMs: number;
  writtenMs: number;
}

interface Allowance {
  left: number;
  sinceMs: number;
}

/** A request that waits for its turn. */
interface Waiting {
  readonly series: Series;
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: () => unknown;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #counts: Record<EventResult, number> = { created: 0, repeated: 0, suppressed: 0, dropped: 0, failed: 0 };
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  readonly #waiting: Waiting[] = [];
  readonly #stopping = new AbortController();
  #sending: Promise<void> | null = null;
  #tidyTimer: unknown = null;
  #isFaulty = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Reports so far, by what became of them. */
  get counts(): Readonly<Record<EventResult, number>> {
    return this.#counts;
  }

  /** Tells it, sooner or later or never. Returns at once and does not throw. */
  report(report: EventReport): void {
    const { clock, isLeading } = this.#options;
    if (this.#stopping.signal.aborted || !isLeading()) return;
    this.#tidyTimer ??= this.#options.timers.set(() => this.#tidy(), TIDY_MS);
    const nowMs = clock.nowMs();
    const { regarding, type, action, reason } = report;
    const key = [regarding.uid, type, action, reason].join(' ');
    const series = this.#series.get(key);
    if (series !== undefined && nowMs - series.lastMs < SERIES_MS) {
      series.count += 1;
      series.lastMs = nowMs;
      series.lastWallMs = clock.wallMs();
      this.#counts.repeated += 1;
      if (nowMs - series.writtenMs >= SERIES_WRITE_MS) this.#writeSeries(series);
      return;
    }
    if (!this.#mayTell(regarding.uid, nowMs)) {
      this.#counts.suppressed += 1;
      return;
    }
    this.#create(key, report, nowMs);
  }

  /** Gives up what waits. Resolves to whether what was under way ended by itself. */
  async stop(): Promise<boolean> {
    const { timers } = this.#options;
    this.#waiting.length = 0;
    if (this.#tidyTimer !== null) timers.clear(this.#tidyTimer);
    const isQuiet = this.#sending === null;
    this.#stopping.abort(new Error('shutting down'));
    await this.#sending;
    // An event that comes late says nothing wrong.
    return isQuiet;
  }

  #create(key: string, report: EventReport, nowMs: number): void {
    const { clock, random, reportingController, reportingInstance } = this.#options;
    const { regarding, type, reason, action, note } = report;
    const wallMs = clock.wallMs();
    const suffix = Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0');
    // A name has 253 characters, and an object's may have as many.
    const name = `${regarding.name.slice(0, 240).replace(/[.-]+$/, '')}.${suffix}`;
    const path = `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(regarding.namespace)}/events`;
    // Made when it is its turn: many may wait.
    const body = (): unknown => ({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace: regarding.namespace },
      eventTime: microTime(wallMs),
      reportingController,
      reportingInstance: reportingInstance.slice(0, 128),
      action,
      reason,
      type,
      regarding,
      note: cutNote(note),
    });
    const series: Series = {
      key,
      path: `${path}/${name}`,
      count: 1,
      written: 1,
      lastMs: nowMs,
      lastWallMs: wallMs,
      writtenMs: nowMs,
    };
    this.#series.set(key, series);
    this.#send({ series, method: 'POST', path, body });
  }

  #writeSeries(series: Series): void {
    series.writtenMs = this.#options.clock.nowMs();
    series.written = series.count;
    const body = (): unknown => ({
      series: { count: series.count, lastObservedTime: microTime(series.lastWallMs) },
    });
    this.#send({ series, method: 'PATCH', path: series.path, body });
  }

  #send(waiting: Waiting): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#counts.dropped += 1;
      this.#giveUp(waiting);
      return;
    }
    this.#waiting.push(waiting);
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = null;
    });
  }

  async #drain(): Promise<void> {
    const { isLeading } = this.#options;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!isLeading()) this.#discard(next);
      // Its event was never made, or is gone.
      else if (this.#series.get(next.series.key) !== next.series) continue;
      else await this.#try(next);
      if (this.#stopping.signal.aborted) return;
      await this.#pause(SPACING_MS);
    }
  }

  /** Without the lead: this one, and all that wait. */
  #discard(first: Waiting): void {
    for (const waiting of [first, ...this.#waiting]) this.#giveUp(waiting);
    this.#waiting.length = 0;
  }

  /** What was never made is no series: the next time that it is said, it is made. */
  #giveUp({ method, series }: Waiting): void {
    if (method === 'POST') this.#forget(series);
  }

  #forget(series: Series): void {
    if (this.#series.get(series.key) === series) this.#series.delete(series.key);
  }

  async #try(waiting: Waiting): Promise<void> {
    const { isLeading } = this.#options;
    for (let left = TRIES - 1; ; left -= 1) {
      try {
        await this.#request(waiting);
        return;
      } catch (error) {
        const { signal } = this.#stopping;
        if (signal.aborted) return;
        const isFinal = error instanceof ApiError && error.status >= 400 && error.status < 429;
        if (isFinal || left === 0) return this.#failed(waiting, error);
        const askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
        await this.#pause(Math.max(RETRY_MS, Math.min(askedMs, 30_000)));
        if (signal.aborted) return;
        if (!isLeading()) return this.#giveUp(waiting);
      }
    }
  }

  async #request({ method, path, body }: Waiting): Promise<void> {
    const { api, timeoutMs } = this.#options;
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    await api.request(method, path, { body: body(), contentType, timeoutMs, signal: this.#stopping.signal });
    this.#isFaulty = false;
    // Those of a series are counted when they are reported.
    if (method === 'POST') this.#counts.created += 1;
  }

  #failed(waiting: Waiting, error: unknown): void {
    this.#giveUp(waiting);
    // The API server forgets Events after an hour, and anybody may delete one.
    if (error instanceof ApiError && error.status === 404) this.#forget(waiting.series);
    this.#counts.failed += 1;
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.#isFaulty) this.#options.log.warn({ reason }, 'an event cannot be written and is given up');
    this.#isFaulty = true;
  }

  /** Ends early when everything does. */
  async #pause(delayMs: number): Promise<void> {
    await pause(this.#options.timers, delayMs, this.#stopping.signal).catch(() => undefined);
  }

  #mayTell(uid: string, nowMs: number): boolean {
    const allowance = this.#allowances.get(uid) ?? { left: BURST, sinceMs: nowMs };
    this.#allowances.set(uid, allowance);
    const earned = Math.floor((nowMs - allowance.sinceMs) / REFILL_MS);
    allowance.left = Math.min(BURST, allowance.left + earned);
    allowance.sinceMs = allowance.left === BURST ? nowMs : allowance.sinceMs + earned * REFILL_MS;
    if (allowance.left === 0) return false;
    allowance.left -= 1;
    return true;
  }

  /** Writes what series have gathered, and forgets what is over. */
  #tidy(): void {
    const { clock, timers } = this.#options;
    const nowMs = clock.nowMs();
    for (const [key, series] of this.#series) {
      if (series.count > series.written && nowMs - series.writtenMs >= SERIES_WRITE_MS) this.#writeSeries(series);
      else if (nowMs - series.lastMs >= SERIES_MS) this.#series.delete(key);
    }
    for (const [uid, { sinceMs }] of this.#allowances) {
      if (nowMs - sinceMs >= BURST * REFILL_MS) this.#allowances.delete(uid);
    }
    const isOver = this.#series.size === 0 && this.#allowances.size === 0;
    this.#tidyTimer = isOver ? null : timers.set(() => this.#tidy(), TIDY_MS);
  }
}

/** At most 1,024 bytes, never half a character. */
function cutNote(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  return `${new TextDecoder().decode(bytes.subarray(0, MAX_NOTE_BYTES - 3), { stream: true })}…`;
}
