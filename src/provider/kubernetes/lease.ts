// One Lease (coordination.k8s.io/v1) at the API server: read and written, each write only over what was read.
// What its fields mean, and when to write, is decided in leader-election.ts.
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { LeaseClaim, LeaseRecord, SeenLease } from './leader-election.ts';

/** A Lease with all that others wrote into it, which a write must leave there. */
export interface StoredLease extends SeenLease {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface LeaseStore<Lease extends SeenLease = StoredLease> {
  /** The Lease; null: there is none. Rejects when the answer is not known. */
  read(): Promise<Lease | null>;
  /** Writes a claim. The Lease as it is then; null: it is no longer what the claim is made over. Rejects when it is not known. */
  write(claim: LeaseClaim<Lease>): Promise<Lease | null>;
}

export interface LeaseStoreOptions {
  readonly api: Pick<ApiClient, 'request'>;
  readonly namespace: string;
  readonly name: string;
  /** After which a request is given up, in milliseconds. */
  readonly timeoutMs: number;
}

export function createLeaseStore({ api, namespace, name, timeoutMs }: LeaseStoreOptions): LeaseStore {
  const folder = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${folder}/${encodeURIComponent(name)}`;
  return {
    async read() {
      try {
        return toLease(await api.request('GET', path, { timeoutMs }));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    async write({ record, over }) {
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: over === null ? { name, namespace } : over.metadata,
        spec: { ...over?.spec, ...toSpec(record) },
      };
      try {
        const answer = await (over === null
          ? api.request('POST', folder, { body, timeoutMs })
          : api.request('PUT', path, { body, timeoutMs }));
        return toLease(answer);
      } catch (error) {
        // 409: somebody was faster. 404 for a renewal: somebody deleted it.
        const isRefused =
          error instanceof ApiError && (error.status === 409 || (error.status === 404 && over !== null));
        if (isRefused) return null;
        throw error;
      }
    },
  };
}

function toSpec(record: LeaseRecord): Readonly<Record<string, unknown>> {
  return {
    // Nobody is null, as client-go writes it.
    holderIdentity: record.holder === '' ? null : record.holder,
    leaseDurationSeconds: Math.max(1, Math.ceil(record.durationMs / 1000)),
    leaseTransitions: record.transitions,
    acquireTime: record.acquireTime === '' ? null : record.acquireTime,
    renewTime: record.renewTime === '' ? null : record.renewTime,
  };
}

function toLease(answer: unknown): StoredLease {
  const { metadata, spec = {} } = answer as {
    metadata: Record<string, unknown>;
    spec?: Record<string, unknown>;
  };
  return {
    metadata,
    spec,
    version: text(metadata.resourceVersion),
    record: {
      holder: text(spec.holderIdentity),
      durationMs: count(spec.leaseDurationSeconds) * 1000,
      transitions: count(spec.leaseTransitions),
      acquireTime: text(spec.acquireTime),
      renewTime: text(spec.renewTime),
    },
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}
