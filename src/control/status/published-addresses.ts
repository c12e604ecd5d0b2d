// Where clients find the proxy, for status.addresses, which tools such as external-dns read: what a flag says, or what the
// Service in front of the proxy has, asked for again and again while this process leads. It reads one Service, no more.
import { isIP } from 'node:net';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ApiClient } from '../../provider/kubernetes/api-client.ts';
import { ApiError } from '../../provider/kubernetes/api-error.ts';
import { isRecord } from '../../provider/kubernetes/kube-object.ts';
import type { StatusAddress } from './desired-status.ts';

/** Where addresses come from: a Service, or the operator, who may also want none. */
export type AddressOrigin =
  | { readonly service: { readonly namespace: string; readonly name: string } }
  | { readonly addresses: readonly StatusAddress[] };

export interface PublishedAddressesOptions {
  readonly origin: AddressOrigin;
  readonly api: Pick<ApiClient, 'request'>;
  readonly isLeading: () => boolean;
  readonly timers: Timers;
  readonly log: Logger;
}

const ASK_MS = 10_000;
/** Until the first answer. */
const FIRST_ASK_MS = 500;
const TIMEOUT_MS = 5_000;
/** As many as a status takes. */
const MAX_ADDRESSES = 16;

export class PublishedAddresses {
  readonly #options: PublishedAddressesOptions;
  #current: readonly StatusAddress[] | null;
  #timer: unknown = null;
  #fault = '';
  readonly #stopping = new AbortController();

  constructor(options: PublishedAddressesOptions) {
    this.#options = options;
    this.#current = 'addresses' in options.origin ? options.origin.addresses : null;
  }

  /** Null: not known yet in this lead. Through faults the last that were known stay. */
  get current(): readonly StatusAddress[] | null {
    return this.#current;
  }

  start(): void {
    const { origin } = this.#options;
    if ('service' in origin) this.#askIn(0, origin.service);
  }

  stop(): void {
    this.#stopping.abort(new Error('shutting down'));
    if (this.#timer !== null) this.#options.timers.clear(this.#timer);
    this.#timer = null;
  }

  #askIn(delayMs: number, service: ServiceName): void {
    this.#timer = this.#options.timers.set(async () => {
      this.#timer = null;
      if (this.#options.isLeading()) await this.#ask(service);
      // Who leads again later must not begin with what was true then.
      if (!this.#options.isLeading()) this.#current = null;
      const nextMs = this.#current === null ? FIRST_ASK_MS : ASK_MS;
      if (!this.#stopping.signal.aborted) this.#askIn(nextMs, service);
    }, delayMs);
  }

  async #ask({ namespace, name }: ServiceName): Promise<void> {
    const { api } = this.#options;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/services/${encodeURIComponent(name)}`;
    const { signal } = this.#stopping;
    try {
      this.#take(addressesOf(await api.request('GET', path, { timeoutMs: TIMEOUT_MS, signal })));
      this.#tell('');
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) this.#take([]);
      this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  /** Keeps the same object for as long as the addresses are the same. */
  #take(found: readonly StatusAddress[]): void {
    if (JSON.stringify(found) !== JSON.stringify(this.#current)) this.#current = found;
  }

  #tell(fault: string): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    const { log } = this.#options;
    if (fault === '') log.info({}, 'the Service whose addresses are published can be read');
    else log.warn({ reason: fault }, 'the Service whose addresses are published cannot be read; trying on');
  }
}

interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The addresses of a Service as the API server gives it: those of its load balancer and its externalIPs; without any, and
 * where it asks for no load balancer, its cluster addresses. One that waits for its load balancer has none yet.
 */
export function addressesOf(service: unknown): readonly StatusAddress[] {
  const { spec, status } = (isRecord(service) ? service : {}) as ServiceFields;
  const outside = [
    ...(status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname),
    ...(spec?.externalIPs ?? []),
  ];
  if (spec?.type === 'ExternalName') outside.push(spec.externalName);
  const isInside = outside.length === 0 && spec?.type !== 'LoadBalancer';
  const values = isInside ? (spec?.clusterIPs ?? []) : outside;
  const found = values.filter((value) => typeof value === 'string' && value !== '' && value !== 'None');
  return [...new Set(found)].slice(0, MAX_ADDRESSES).map((value) => toAddress(value!));
}

/** What is no IP address is a host name. */
export function toAddress(value: string): StatusAddress {
  return { type: isIP(value) === 0 ? 'Hostname' : 'IPAddress', value };
}

/** As much of a Service as is read here. */
interface ServiceFields {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIPs?: readonly string[];
    readonly externalIPs?: readonly string[];
    readonly externalName?: string;
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] };
  };
}
