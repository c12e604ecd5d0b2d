// The road to an API server of which the test plays each answer and each event itself.
import type { ApiClient, Query, WatchEvent } from '../../../../src/provider/kubernetes/api-client.ts';
import { ApiError } from '../../../../src/provider/kubernetes/api-error.ts';
import type { KubeObject } from '../../../../src/provider/kubernetes/kube-object.ts';

/** A request that waits for its answer. */
export interface Asked {
  readonly path: string;
  readonly query: Query;
  /** Answers with this. */
  answer(body: unknown): void;
  /** Answers with a list of these. */
  list(...items: readonly KubeObject[]): void;
  refuse(status: number, reason: string): void;
}

export interface OpenWatch {
  readonly path: string;
  push(event: WatchEvent): void;
  fail(status: number, reason: string): void;
}

export class ScriptedClient implements ApiClient {
  readonly namespace = null;
  /** Requests that were not answered yet. */
  readonly waiting: Asked[] = [];
  readonly watches: OpenWatch[] = [];

  request(_method: string, path: string, options: { query?: Query; signal?: AbortSignal } = {}): Promise<unknown> {
    const { query = {}, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const over = (): void => void this.waiting.splice(this.waiting.indexOf(asked), 1);
    const asked: Asked = {
      path,
      query,
      answer: (body) => {
        over();
        resolve(body);
      },
      list: (...items) => asked.answer({ metadata: { resourceVersion: '1' }, items }),
      refuse: (status, reason) => {
        over();
        reject(new ApiError(`GET ${path}: ${status} ${reason}`, { status, reason }));
      },
    };
    this.waiting.push(asked);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    return promise;
  }

  async *watch(path: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<WatchEvent, void, void> {
    const events: (WatchEvent | ApiError)[] = [];
    let wake = (): void => undefined;
    const put = (event: WatchEvent | ApiError): void => {
      events.push(event);
      wake();
    };
    const watch: OpenWatch = {
      path,
      push: put,
      fail: (status, reason) => put(new ApiError(`GET ${path}: ${status} ${reason}`, { status, reason })),
    };
    this.watches.push(watch);
    signal?.addEventListener('abort', () => wake(), { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const event = events.shift();
        if (event instanceof ApiError) throw event;
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.watches.splice(this.watches.indexOf(watch), 1);
    }
  }

  close(): void {}

  /** The requests that wait, of this path or with this selector. */
  waitingFor(text: string): readonly Asked[] {
    return this.waiting.filter(({ path, query }) => `${path}?${Object.values(query).join('&')}`.includes(text));
  }
}

/** Resolves when all that was answered until now has had its effects. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
