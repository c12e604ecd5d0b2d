// Keeps a sink equal to what the API server has of one kind: list, watch, and again, for ever. Whatever goes wrong, it
// waits and goes on; only stop() ends it. It holds no objects and compares resource versions for nothing, not even order.
//
// Lists are read in pages and without a resource version, so that they never go back in time behind what was seen
// before; a cache of the API server that lags could.
import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { ApiClient, Query } from './api-client.ts';
import { ApiError, errorOfEvent, isExpired, toApiError } from './api-error.ts';
import { isKubeObject, type KubeObject, readListPage, resourceVersionOf } from './kube-object.ts';
import { pause } from './pause.ts';
import type { Turns } from './turns.ts';
import { WatchTally } from './watch-tally.ts';

/** Where objects go. What it throws is logged, and the reflector goes on. */
export interface ReflectorSink {
  /** A list begins, the first one or a new one; it may be begun again before it ends. */
  startList(): void;
  /** The object is there, in this version. May repeat what is known. */
  set(object: KubeObject): void;
  delete(object: KubeObject): void;
  /** All objects were set since the last startList: what was not is gone. */
  endList(): void;
}

/** What everything here that reads from the API server needs of the outside. */
export interface Surroundings {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly pace?: Pace;
  /** Where it is noted what becomes of the watches. */
  readonly tally?: WatchTally;
}

/** How much at a time, and how long to wait. Each has a default. */
export interface Pace {
  /** Objects in a page of a list: a page is in memory as a whole, several times over while it is parsed. Default 200. */
  readonly pageSize?: number;
  /** The watch counts as dead when nothing comes for this long, bookmarks included, which come each minute. Default 90,000. */
  readonly idleTimeoutMs?: number;
  /** For one page of a list; they may be large, and lines slow. Default 60,000. */
  readonly listTimeoutMs?: number;
  /** First and longest delay after faults. Default 200 and 10,000. */
  readonly retry?: { readonly baseMs: number; readonly maxMs: number };
  /** Who waits for what cannot be read goes on without it after this long, where that is less harm. Default 10,000. */
  readonly patienceMs?: number;
}

export const defaultPace: Required<Pace> = {
  pageSize: 200,
  idleTimeoutMs: 90_000,
  listTimeoutMs: 60_000,
  retry: { baseMs: 200, maxMs: 10_000 },
  patienceMs: 10_000,
};

export interface ReflectorOptions extends Surroundings {
  /** What is watched, for logs: `EndpointSlices of namespace shop`. */
  readonly what: string;
  /** Path of the collection, such as `/api/v1/services`. */
  readonly path: string;
  /** Label and field selectors. */
  readonly query?: Query;
  readonly sink: ReflectorSink;
  /**
   * The kind is defined by a CRD. When that changes, the API server ends watches, which had gone on as the old definition
   * says for about a second: after an end that comes early all is listed again. Default: no.
   */
  readonly isDefinedByCrd?: boolean;
  /** Where many reflectors share them: a list takes one. Default: lists are made at once. */
  readonly turns?: Pick<Turns, 'take'>;
  /** First and longest delay after 403, which only people end. Default: as after other faults. */
  readonly refusedRetry?: Required<Pace>['retry'];
  /** Called when it begins to fail, when it fails for another reason, and with null when all is well again. */
  readonly onState?: (fault: ApiError | null) => void;
}

export interface Reflector {
  /** Resolves after the first whole list; never when stopped before. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** Ends everything under way; nothing reaches the sink afterwards. Safe to call twice. */
  stop(): Promise<void>;
}

type Step = 'list' | 'watch';

interface WatchResult {
  /** Where to go on from. */
  readonly at: string;
  /** It brought something. */
  readonly isGood: boolean;
  /** What ended it; null: the server, in good order. */
  readonly fault: ApiError | null;
  /** The server ended it long before the time that it was asked for. */
  readonly isEarly: boolean;
}

/** The server ends each watch after a time from this range, so that replicas spread over its instances again. */
const watchSeconds = { least: 300, most: 600 } as const;
/** A watch that lived this long was a good one, even when nothing happened. */
const goodWatchMs = 10_000;
/** After so many watches in a row that brought nothing, the resource version itself is in doubt. */
const maxIdleFaults = 3;
/** After so many lists in a row whose pages expired, pages are too slow: the list is asked for whole. */
const maxExpiredPages = 2;
/** A watch that the server ends sooner than this before its time, is ended early. */
const earlyEndMs = 5_000;

export function createReflector(options: ReflectorOptions): Reflector {
  const { client, clock, timers, random, log, what, path, query = {}, sink, isDefinedByCrd = false } = options;
  const { pageSize, listTimeoutMs, idleTimeoutMs, retry } = { ...defaultPace, ...options.pace };
  const backoff = createBackoff(retry.baseMs, retry.maxMs, random);
  const { refusedRetry = retry } = options;
  const refusedBackoff = createBackoff(refusedRetry.baseMs, refusedRetry.maxMs, random);
  const stopping = new AbortController();
  const { signal } = stopping;
  const { promise: synced, resolve: tellSynced } = Promise.withResolvers<void>();
  const { tally = new WatchTally() } = options;
  const line = tally.open();
  let hasSynced = false;
  /** What fails now, as it was told; null: nothing. */
  let failing: { readonly step: Step; readonly cause: string } | null = null;
  let expiredPages = 0;

  const tell = (step: Step, fault: ApiError | null): void => {
    // A list that works again does not end the trouble of the watch.
    if (fault === null && (failing === null || (failing.step === 'watch' && step === 'list'))) return;
    const cause = fault === null ? '' : `${fault.status} ${fault.reason}`;
    if (failing?.cause === cause) return;
    failing = fault === null ? null : { step, cause };
    if (fault === null) log.info({ what }, 'reading from the API server works again');
    else log.warn({ what, status: fault.status, reason: fault.reason, error: fault.message }, describe(fault));
    options.onState?.(fault);
  };

  /** The sink's faults are its own. */
  const give = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      log.error(
        { what, error: String(error), stack: error instanceof Error ? error.stack : undefined },
        'an object could not be taken in',
      );
    }
  };

  /** The resource version to watch from. */
  const list = async (): Promise<string> => {
    give(() => sink.startList());
    const limit = expiredPages < maxExpiredPages ? String(pageSize) : undefined;
    let next: string | undefined;
    for (;;) {
      const answer = await client.request('GET', path, {
        query: { ...query, limit, continue: next },
        timeoutMs: listTimeoutMs,
        signal,
      });
      signal.throwIfAborted();
      const page = readListPage(answer);
      if (page === undefined) throw new ApiError(`GET ${path}: the answer is no list`, { reason: 'MalformedAnswer' });
      for (const object of page.items) give(() => sink.set(object));
      if (page.next === '') {
        expiredPages = 0;
        if (hasSynced) tally.relists += 1;
        hasSynced = true;
        line.isSynced = true;
        line.heardMs = clock.nowMs();
        give(() => sink.endList());
        tell('list', null);
        tellSynced();
        return page.resourceVersion;
      }
      next = page.next;
    }
  };

  /** Lists until that succeeds. */
  const listAtLast = async (): Promise<string> => {
    for (;;) {
      const endTurn = await options.turns?.take(signal);
      try {
        return await list().finally(endTurn);
      } catch (error) {
        signal.throwIfAborted();
        const fault = toApiError(error);
        if (isExpired(fault)) expiredPages += 1;
        else {
          tally.faults += 1;
          tell('list', fault);
        }
        await pauseAfter(fault);
      }
    }
  };

  const resetDelays = (): void => {
    backoff.reset();
    refusedBackoff.reset();
  };

  const pauseAfter = ({ status, retryAfterMs }: ApiError): Promise<void> => {
    const ownMs = (status === 403 ? refusedBackoff : backoff).next();
    // Whoever was sent away at the same moment shall not come back at the same moment.
    const askedMs = retryAfterMs === null ? 0 : retryAfterMs * (1 + random() / 5);
    return pause(timers, Math.max(ownMs, askedMs), signal);
  };

  const watch = async (from: string): Promise<WatchResult> => {
    const { least, most } = watchSeconds;
    const seconds = Math.round(least + random() * (most - least));
    const startMs = clock.nowMs();
    let at = from;
    let isGood = false;
    const watchQuery = { ...query, allowWatchBookmarks: 'true', resourceVersion: from, timeoutSeconds: `${seconds}` };
    try {
      for await (const { type, object } of client.watch(path, { query: watchQuery, idleTimeoutMs, signal })) {
        signal.throwIfAborted();
        line.heardMs = clock.nowMs();
        if (type === 'ERROR') throw errorOfEvent(`GET ${path}`, object);
        const version = resourceVersionOf(object);
        if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
          if (!isKubeObject(object)) {
            throw new ApiError(`GET ${path}: an event without an object`, { reason: 'MalformedAnswer' });
          }
          give(() => (type === 'DELETED' ? sink.delete(object) : sink.set(object)));
        }
        if (version !== '') at = version;
        if (!isGood) {
          isGood = true;
          resetDelays();
          tell('watch', null);
        }
      }
      const livedMs = clock.nowMs() - startMs;
      isGood ||= livedMs >= goodWatchMs;
      return { at, isGood, fault: null, isEarly: livedMs < seconds * 1_000 - earlyEndMs };
    } catch (error) {
      signal.throwIfAborted();
      const fault = toApiError(error);
      // Silence to the end is no sign of life, however long it lasted.
      isGood ||= fault.reason !== 'Timeout' && clock.nowMs() - startMs >= goodWatchMs;
      return { at, isGood, fault, isEarly: false };
    }
  };

  /** Watches until only a new list helps. */
  const watchOn = async (from: string): Promise<void> => {
    let at = from;
    for (let idleFaults = 0; idleFaults < maxIdleFaults; ) {
      const result = await watch(at);
      at = result.at;
      if (result.isGood) {
        idleFaults = 0;
        resetDelays();
      }
      const { fault } = result;
      if (fault === null) {
        tell('watch', null);
        const mustList = isDefinedByCrd && result.isEarly;
        // The server's own end is the way of things, unless it comes at once.
        if (!result.isGood || mustList) await pause(timers, backoff.next(), signal);
        if (mustList) return;
        continue;
      }
      if (!isExpired(fault)) tally.faults += 1;
      if (isExpired(fault)) log.debug({ what, error: fault.message }, 'the watch is too far behind; listing again');
      // A connection that is cut is the way of things too: proxies do that. One that fails again is not.
      else if (idleFaults > 0) tell('watch', fault);
      idleFaults += result.isGood ? 0 : 1;
      await pauseAfter(fault);
      if (needsList(fault)) return;
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await watchOn(await listAtLast());
      } catch (error) {
        if (signal.aborted) return;
        // Nothing above throws but for stop(); should it, that is no reason to die.
        log.error({ what, error: String(error) }, 'the reflector stumbled and starts again');
        await pause(timers, backoff.next(), signal).catch(() => undefined);
      }
    }
  };
  // Not before the caller holds what the sink may ask for.
  const running = Promise.resolve().then(run);

  return {
    synced,
    get hasSynced() {
      return hasSynced;
    },
    async stop() {
      stopping.abort();
      tally.close(line);
      await running;
    },
  };
}

/** Events may be lost after these: an answer that made no sense, or one that says the question makes none. */
function needsList(fault: ApiError): boolean {
  if (isExpired(fault) || fault.reason === 'MalformedAnswer' || fault.reason === 'TooLarge') return true;
  const { status } = fault;
  return status >= 400 && status <= 499 && status !== 401 && status !== 403 && status !== 429;
}

function describe({ status, reason }: ApiError): string {
  if (status === 0 && reason === 'Unreachable')
    return 'the API server cannot be reached; trying on, and serving what is known';
  if (status === 401) return 'the API server does not accept the credentials; trying on, and serving what is known';
  if (status === 403) return 'the API server forbids reading this; trying on, and serving what is known';
  if (status === 404)
    return 'the API server does not know this kind: is its CustomResourceDefinition installed? Trying on, and serving what is known';
  return 'reading from the API server fails; trying on, and serving what is known';
}
