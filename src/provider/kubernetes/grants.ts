// ReferenceGrants, where the cluster has that kind: who may refer to Services of another namespace. They are read only once
// a Balancer refers to one, and a cluster without the kind grants nothing.
import { parseReferenceGrant, type ReferenceGrant, referenceGrantGroup } from '../../api/reference-grant.ts';
import { createBackoff } from '../../lib/backoff.ts';
import { ApiError, toApiError, whyUnread } from './api-error.ts';
import { isRecord } from './kube-object.ts';
import { ObjectStore } from './object-store.ts';
import { pause } from './pause.ts';
import { createReflector, defaultPace, type Reflector, type Surroundings } from './reflector.ts';
import { trimmed } from './trimmed.ts';

export interface GrantsOptions extends Surroundings {
  /** Null: all. */
  readonly namespaces: readonly string[] | null;
  /** The grants of a namespace are these now. */
  readonly onChange: (namespace: string, grants: readonly ReferenceGrant[]) => void;
  /** Why it is not known what is granted in a namespace, or in any of them (null); undefined: that is over. */
  readonly onUnread: (namespace: string | null, why: string | undefined) => void;
  readonly onSettled: () => void;
}

/** The watch of one namespace, or of all. */
interface Line {
  readonly namespace: string | null;
  readonly reflector: Reflector;
  isRead: boolean;
  /** What reading fails with now. */
  fault: ApiError | null;
}

type Version = (typeof versions)[number];

/** How often it is asked whether the kind has been installed, in milliseconds. */
const lookMs = 60_000;
/** For a question that had no answer, or one that is doubted. */
const retry = { baseMs: 1_000, maxMs: lookMs } as const;
/**
 * So often in a row the server must say that it has no such kind before what was granted is taken back: it might say so
 * for a moment while a definition is replaced.
 */
const convincingAbsences = 3;
const versions = ['v1', 'v1beta1'] as const;

export class Grants {
  readonly #options: GrantsOptions;
  readonly #store: ObjectStore<ReferenceGrant>;
  readonly #stopping = new AbortController();
  #lines: readonly Line[] = [];
  #running: Promise<void> | null = null;
  #isSettled = false;
  /** Whether somebody was told that nothing is known of any namespace. */
  #isUnread = false;
  /** What finding the kind fails with. */
  #fault: ApiError | null = null;

  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#store = new ObjectStore<ReferenceGrant>({
      parse: (object) => {
        const resource = parseReferenceGrant(trimmed(object, '', ''));
        return resource === undefined ? { problems: [] } : { resource };
      },
      groupOf: ({ metadata }) => metadata.namespace,
      isWanted: () => true,
      onChange: options.onChange,
      onProblems: () => undefined,
    });
  }

  /** Whether it is known what is granted, or it is waited for no longer. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Begins to read them, once. */
  want(): void {
    if (this.#running !== null) return;
    const { timers, pace } = this.#options;
    const { patienceMs } = { ...defaultPace, ...pace };
    const timer = timers.set(() => {
      if (!this.#isSettled) this.#giveUp();
    }, patienceMs);
    this.#running = this.#run()
      .catch(() => undefined)
      .finally(() => timers.clear(timer));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#endLines();
  }

  /** Until it is stopped: the kind may be installed, upgraded and taken away at any time. */
  async #run(): Promise<void> {
    const { timers, random } = this.#options;
    const { signal } = this.#stopping;
    const backoff = createBackoff(retry.baseMs, retry.maxMs, random);
    let absences = 0;
    for (;;) {
      const found = await this.#findVersion(signal);
      if (found instanceof ApiError) {
        this.#fault = found;
        // Of others than a refusal the reason may be another one now.
        if (found.status === 403 || this.#isUnread) this.#giveUp();
      }
      absences = found === null ? absences + 1 : 0;
      if (found === null) this.#noteAbsence(absences >= convincingAbsences);
      else if (!(found instanceof ApiError) && (await this.#watchUntilGone(found, signal))) {
        // Another version may be there already.
        backoff.reset();
        continue;
      }
      await pause(timers, absences < convincingAbsences ? backoff.next() : lookMs * (1 + random() / 5), signal);
    }
  }

  /** Null: the server has no such kind. A fault: it did not say. */
  async #findVersion(signal: AbortSignal): Promise<Version | null | ApiError> {
    let fault: ApiError | null = null;
    for (const version of versions) {
      try {
        const path = `/apis/${referenceGrantGroup}/${version}`;
        const found = await this.#options.client.request('GET', path, { signal });
        const resources: unknown = isRecord(found) ? found.resources : [];
        const names = Array.isArray(resources) ? resources.map((entry) => (isRecord(entry) ? entry.name : '')) : [];
        if (names.includes('referencegrants')) return version;
      } catch (error) {
        signal.throwIfAborted();
        const refusal = toApiError(error);
        if (refusal.status !== 404) fault = refusal;
      }
    }
    return fault;
  }

  /** Watches until the server has this version no more. True: it was read meanwhile. */
  async #watchUntilGone(version: Version, signal: AbortSignal): Promise<boolean> {
    const { promise: gone, resolve: tellGone } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => tellGone(), { once: true });
    const { namespaces } = this.#options;
    this.#lines = (namespaces ?? [null]).map((namespace) => this.#open(version, namespace, tellGone));
    await gone;
    const wasRead = this.#lines.some(({ isRead }) => isRead);
    await this.#endLines();
    return wasRead;
  }

  async #endLines(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    await Promise.all(lines.map(({ reflector }) => reflector.stop()));
  }

  #open(version: Version, namespace: string | null, tellGone: () => void): Line {
    const place = namespace === null ? '' : `/namespaces/${namespace}`;
    const reflector = createReflector({
      ...this.#options,
      what: namespace === null ? 'ReferenceGrants of all namespaces' : `ReferenceGrants of namespace ${namespace}`,
      path: `/apis/${referenceGrantGroup}/${version}${place}/referencegrants`,
      sink: this.#store.sink({ namespace, name: null }),
      onState: (fault) => {
        line.fault = fault;
        if (fault?.status === 404) {
          this.#fault = fault;
          tellGone();
        } else this.#judge(line);
      },
    });
    const line: Line = { namespace, reflector, isRead: false, fault: null };
    void reflector.synced.then(() => {
      line.isRead = true;
      this.#judge(line);
    });
    return line;
  }

  /** What must not be read grants nothing new; what was granted stays until it is known better. */
  #judge(line: Line): void {
    if (!this.#lines.includes(line)) return;
    const isSettled = ({ isRead, fault }: Line): boolean => isRead || fault?.status === 403;
    const { onUnread } = this.#options;
    if (line.isRead) {
      this.#noteUnread(undefined);
      onUnread(line.namespace, undefined);
    } else if ((this.#isSettled || isSettled(line)) && line.fault !== null)
      onUnread(line.namespace, whyUnread(line.fault));
    if (this.#lines.every(isSettled)) this.#settle();
  }

  /** Those that wait go on without what nobody knows; reading is tried on. */
  #giveUp(): void {
    const unread = this.#lines.filter(({ isRead }) => !isRead);
    for (const { namespace, fault } of unread) this.#options.onUnread(namespace, whyUnread(fault));
    if (this.#lines.length === 0) this.#noteUnread(whyUnread(this.#fault));
    this.#settle();
  }

  /** Nothing is granted where the kind does not exist. */
  #noteAbsence(isConvincing: boolean): void {
    this.#noteUnread(undefined);
    if (isConvincing) {
      const all = this.#store.sink({ namespace: null, name: null });
      all.startList();
      all.endList();
    }
    this.#settle();
  }

  /** Of all namespaces. */
  #noteUnread(why: string | undefined): void {
    this.#isUnread = why !== undefined;
    this.#options.onUnread(null, why);
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.onSettled();
  }
}
