// The /status subresource of Balancers, by server-side apply: what we say is ours, what others say stays theirs.
// What to say, and when, is decided elsewhere.
import { type Balancer, balancerApiVersion } from '../../api/balancer.ts';
import type { ApiClient } from './api-client.ts';
import { isRecord, resourceVersionOf } from './kube-object.ts';

type BalancerStatus = NonNullable<Balancer['status']>;

/** One Balancer, and none that comes after it under the same name. */
export interface StatusTarget {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A Balancer as far as it matters to who writes its status. */
export interface StatusHolder {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Whether anything in the status is there because we said it. */
  readonly isOurs: boolean;
}

export interface StatusClient {
  /**
   * Makes this all that we say in the status; null: nothing, which clears what we said before. Only if the Balancer still
   * is of that resourceVersion: a uid alone would not hold it back, the API server ignores it here. Resolves to the
   * resourceVersion afterwards. Rejects with ApiError: 404 when there is none of that name, 409 when it is another version.
   */
  apply(
    target: StatusTarget,
    status: BalancerStatus | null,
    resourceVersion: string,
    signal: AbortSignal,
  ): Promise<string>;
  /** What there is under that name. Rejects with ApiError. */
  read(target: StatusTarget, signal: AbortSignal): Promise<StatusHolder>;
}

export interface StatusClientOptions {
  readonly api: Pick<ApiClient, 'request'>;
  /** Who we are among those who write. */
  readonly fieldManager: string;
  /** After which a request is given up, in milliseconds. */
  readonly timeoutMs: number;
}

export function createStatusClient({ api, fieldManager, timeoutMs }: StatusClientOptions): StatusClient {
  const pathOf = ({ namespace, name }: StatusTarget): string =>
    `/apis/${balancerApiVersion}/namespaces/${encodeURIComponent(namespace)}/balancers/${encodeURIComponent(name)}`;
  return {
    async apply(target, status, resourceVersion, signal) {
      const { namespace, name } = target;
      const answer = await api.request('PATCH', `${pathOf(target)}/status`, {
        // Conditions of our types are ours alone: whoever else wrote them gives way.
        query: { fieldManager, force: 'true' },
        contentType: 'application/apply-patch+yaml',
        body: {
          apiVersion: balancerApiVersion,
          kind: 'Balancer',
          metadata: { namespace, name, resourceVersion },
          ...(status === null ? {} : { status }),
        },
        timeoutMs,
        signal,
      });
      return resourceVersionOf(answer);
    },
    async read(target, signal) {
      const answer = await api.request('GET', pathOf(target), { timeoutMs, signal });
      const metadata = isRecord(answer) && isRecord(answer.metadata) ? answer.metadata : {};
      const managers: readonly unknown[] = Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
      return {
        uid: typeof metadata.uid === 'string' ? metadata.uid : '',
        resourceVersion: resourceVersionOf(answer),
        isOurs: managers.some(
          (entry) => isRecord(entry) && entry.manager === fieldManager && entry.subresource === 'status',
        ),
      };
    },
  };
}
