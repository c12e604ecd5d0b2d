// A kind of which only the objects that Balancers name are kept: Services, and EndpointSlices by their Service.
//
// All of the kind is watched, in one stream per namespace or one for all, and what nobody wants is dropped as it comes:
// it costs its bytes on the line and nothing after. A watch for each Service would hold a connection and a place in the
// API server's cache for each of some thousand Services, in each replica; one watch with a selector that lists them all
// would have to be cut and listed again whenever a Balancer names another Service. The price is
// that what is wanted from now on was dropped before: it is looked up by one small list of its own.
import { createBackoff } from '../../lib/backoff.ts';
import type { Query } from './api-client.ts';
import { type ApiError, isRefusal, toApiError, whyUnread } from './api-error.ts';
import { type KubeObject, readListPage } from './kube-object.ts';
import { keyOfObject, ObjectStore, type ObjectStoreOptions } from './object-store.ts';
import { pause } from './pause.ts';
import {
  createReflector,
  defaultPace,
  type Reflector,
  type ReflectorOptions,
  type ReflectorSink,
  type Surroundings,
} from './reflector.ts';
import { Turns } from './turns.ts';
import { namespaceOf, type Want, Wants } from './wants.ts';

export interface WantedKindOptions<T> extends Surroundings, Omit<ObjectStoreOptions<T>, 'isWanted'> {
  /** Default: the groups that want() named. */
  readonly isWanted?: (group: string) => boolean;
  /** For logs: `EndpointSlices`. */
  readonly plural: string;
  /** The collection in a namespace, or in all of them for null. */
  readonly pathOf: (namespace: string | null) => string;
  /** Selects the objects of a group within its namespace, by the name of the group. */
  readonly selectorOf: (name: string) => Query;
  /** What is watched; null: all namespaces. */
  readonly namespaces: readonly string[] | null;
  /** Some groups that were not settled are so now. */
  readonly onSettled: () => void;
  /** Why a group counts as settled although nobody knows what there is of it; undefined: it is known now. */
  readonly onUnread?: (group: string, why: string | undefined) => void;
  /** As that of each stream's reflector. */
  readonly onState?: NonNullable<ReflectorOptions['onState']>;
}

/** One stream. */
interface Stream {
  readonly namespace: string | null;
  readonly reflector: Reflector;
  isListing: boolean;
  /** Lists that were begun. */
  lists: number;
  /** Why nobody waits for it any longer; null: it is read, or waited for. */
  unread: string | null;
  /** Ends the patience with a stream that is refused; null: it is not. */
  timer: unknown;
}

/** Look-ups at the same time; many Balancers may come at once. */
const maxLookUps = 8;

export class WantedKind<T> {
  readonly #options: WantedKindOptions<T>;
  readonly #store: ObjectStore<T>;
  readonly #wants: Wants;
  readonly #stopping = new AbortController();
  readonly #turns = new Turns(maxLookUps);
  #streams: readonly Stream[] = [];

  constructor(options: WantedKindOptions<T>) {
    this.#options = options;
    this.#wants = new Wants((group, why) => options.onUnread?.(group, why));
    this.#store = new ObjectStore({ isWanted: (group) => this.#wants.get(group) !== undefined, ...options });
  }

  get problems() {
    return this.#store.problems;
  }

  /** Objects that are kept. */
  get size(): number {
    return this.#store.size;
  }

  /**
   * Whether everything was listed once. One of several namespaces that must not be read counts as empty after a while,
   * unless that is so of all of them: then the controller itself is set up wrongly, and better never ready than empty.
   */
  get hasSynced(): boolean {
    const streams = this.#streams;
    return (
      streams.some(({ reflector }) => reflector.hasSynced) &&
      streams.every(({ reflector, unread }) => reflector.hasSynced || unread !== null)
    );
  }

  /** Begins to watch. Wants that are known by now cost nothing extra: say them before. */
  start(): void {
    const namespaces = this.#options.namespaces ?? [null];
    this.#streams = namespaces.map((namespace) => this.#open(namespace));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { timer } of this.#streams) this.#options.timers.clear(timer);
    await Promise.all(this.#streams.map(({ reflector }) => reflector.stop()));
  }

  /** Keeps the objects of a group, `namespace/name`, until release() was called as often. */
  want(group: string): void {
    const stream = this.#streamOf(group);
    const isLate = stream?.isListing ?? false;
    // Where nothing is watched nothing is found.
    const want = this.#wants.add(group, { isKnown: !this.#isWatched(group), isLate });
    if (want === undefined) return;
    if (stream !== undefined && stream.unread !== null) this.#wants.giveUp(group, want, stream.unread);
    if (stream?.reflector.hasSynced && !isLate) void this.#seek(group, want);
  }

  /** True: that was the last who wanted it, and it is forgotten. */
  release(group: string): boolean {
    if (!this.#wants.release(group)) return false;
    this.#store.forget(group);
    return true;
  }

  /** Whether all that there is of a wanted group is known, or it is waited for no longer. */
  isSettled(group: string): boolean {
    const want = this.#wants.get(group);
    return want !== undefined && (want.isKnown || want.unread !== null);
  }

  /** Why it counts as settled although it is not known; null: it is known, or not settled. */
  unreadOf(group: string): string | null {
    return this.#wants.get(group)?.unread ?? null;
  }

  #isWatched(group: string): boolean {
    const { namespaces } = this.#options;
    return namespaces === null || namespaces.includes(namespaceOf(group));
  }

  #streamOf(group: string): Stream | undefined {
    return this.#streams.find(({ namespace }) => namespace === null || namespace === namespaceOf(group));
  }

  #open(namespace: string | null): Stream {
    const { plural, pathOf, ...options } = this.#options;
    const where = namespace === null ? 'all namespaces' : `namespace ${namespace}`;
    const sink = this.#sink(namespace, () => stream);
    const what = `${plural} of ${where}`;
    const onState = (fault: ApiError | null): void => {
      this.#options.onState?.(fault);
      this.#noteState(stream, fault);
    };
    const reflector = createReflector({ ...options, what, sink, path: pathOf(namespace), onState });
    const stream: Stream = { namespace, reflector, isListing: true, lists: 0, unread: null, timer: null };
    return stream;
  }

  /** A namespace may be deleted together with the right to read it, and must not stop all the others. */
  #noteState(stream: Stream, fault: ApiError | null): void {
    const { timers, pace, onSettled } = this.#options;
    const { patienceMs } = { ...defaultPace, ...pace };
    timers.clear(stream.timer);
    stream.timer = null;
    if (fault === null) stream.unread = null;
    if (fault === null || !this.#mayGiveUp(fault)) return;
    stream.timer = timers.set(() => {
      stream.unread = whyUnread(fault);
      for (const [group, want] of this.#wants.in(stream.namespace)) this.#wants.giveUp(group, want, stream.unread);
      onSettled();
    }, patienceMs);
  }

  #mayGiveUp(fault: ApiError): boolean {
    const { namespaces } = this.#options;
    return isRefusal(fault) && namespaces !== null && namespaces.length > 1;
  }

  #sink(namespace: string | null, streamOf: () => Stream): ReflectorSink {
    const inner = this.#store.sink({ namespace, name: null });
    return {
      startList: () => {
        inner.startList();
        const stream = streamOf();
        stream.isListing = true;
        stream.lists += 1;
        for (const [, want] of this.#wants.in(namespace)) want.isLate = false;
      },
      set: (object) => {
        this.#touch(object);
        inner.set(object);
      },
      delete: (object) => {
        this.#touch(object);
        inner.delete(object);
      },
      endList: () => {
        inner.endList();
        const stream = streamOf();
        stream.isListing = false;
        stream.unread = null;
        for (const [group, want] of this.#wants.in(namespace)) {
          if (want.isLate) void this.#seek(group, want);
          else this.#wants.know(group, want);
          want.isLate = false;
        }
        this.#options.onSettled();
      },
    };
  }

  #touch(object: KubeObject): void {
    const group = this.#options.groupOf(object);
    if (group !== undefined) this.#wants.get(group)?.touched?.add(keyOfObject(object));
  }

  /** Looks it up until that succeeds, or nobody wants it any more, or a list of everything has brought it. */
  async #seek(group: string, want: Want): Promise<void> {
    if (want.isSought) return;
    want.isSought = true;
    const { clock, timers, random, onSettled } = this.#options;
    const { signal } = this.#stopping;
    const { retry, patienceMs } = { ...defaultPace, ...this.#options.pace };
    const startMs = clock.nowMs();
    const backoff = createBackoff(retry.baseMs, retry.maxMs, random);
    try {
      for (;;) {
        const endTurn = await this.#turns.take(signal);
        const fault = await this.#lookUp(group, want).finally(endTurn);
        if (fault === null) return;
        if (this.#mayGiveUp(fault) && clock.nowMs() - startMs >= patienceMs) {
          this.#wants.giveUp(group, want, whyUnread(fault));
          onSettled();
        }
        // Others have their turn meanwhile: what fails for ever must not stop them.
        await pause(timers, backoff.next(), signal);
      }
    } catch {
      // Stopped: nothing else throws.
    } finally {
      want.isSought = false;
    }
  }

  /** Null: nothing is left to be done here. */
  async #lookUp(group: string, want: Want): Promise<ApiError | null> {
    const { log, plural } = this.#options;
    const { signal } = this.#stopping;
    for (;;) {
      const stream = this.#streamOf(group);
      // Whoever let it go and wanted it again has another look-up, with another `touched`.
      if (this.#wants.get(group) !== want || want.isKnown || stream === undefined) return null;
      if (stream.isListing) {
        want.isLate = true;
        return null;
      }
      const { lists } = stream;
      const touched = new Set<string>();
      want.touched = touched;
      try {
        const objects = await this.#fetch(group, signal);
        if (this.#wants.get(group) !== want || stream.lists !== lists) continue;
        for (const object of objects) if (!touched.has(keyOfObject(object))) this.#store.set(object);
        this.#wants.know(group, want);
        this.#options.onSettled();
        return null;
      } catch (error) {
        signal.throwIfAborted();
        // The stream of the same kind says what is wrong, once.
        log.debug({ group, error: String(error) }, `${plural} could not be looked up; trying on`);
        return toApiError(error);
      } finally {
        want.touched = null;
      }
    }
  }

  /** From storage, not from a cache that may be behind what the watch has told already. */
  async #fetch(group: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
    const { client, pathOf, selectorOf, pace } = this.#options;
    const { pageSize, listTimeoutMs } = { ...defaultPace, ...pace };
    const [namespace = '', name = ''] = group.split('/');
    const path = pathOf(namespace);
    const found: KubeObject[] = [];
    let next: string | undefined;
    do {
      const query = { ...selectorOf(name), limit: String(pageSize), continue: next };
      const page = readListPage(await client.request('GET', path, { query, signal, timeoutMs: listTimeoutMs }));
      if (page === undefined) throw new Error(`GET ${path}: the answer is no list`);
      found.push(...page.items);
      next = page.next;
    } while (next !== '');
    return found;
  }
}
