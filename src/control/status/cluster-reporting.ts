// Everything that only the leader of the replicas does in a cluster, put together: election, statuses, events. Replicas
// that do not lead look on and write nothing but the Lease.
import { randomBytes } from 'node:crypto';
import { type Balancer, balancerApiVersion } from '../../api/balancer.ts';
import type { RefusedBalancer } from '../../api/refused-balancer.ts';
import type { Changed } from '../../lib/change-log.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Timers } from '../../lib/hold-off.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { ApiClient } from '../../provider/kubernetes/api-client.ts';
import { EventRecorder, type EventResult } from '../../provider/kubernetes/event-recorder.ts';
import {
  LEASE_DURATION_MS,
  LEASE_TIMEOUT_MS,
  LeaderElector,
  RENEW_DEADLINE_MS,
} from '../../provider/kubernetes/leader-elector.ts';
import { createLeaseStore, type StoredLease } from '../../provider/kubernetes/lease.ts';
import { createStatusClient, type StatusTarget } from '../../provider/kubernetes/status-client.ts';
import type { SharedCells } from '../../scoreboard/layout.ts';
import type { Classed } from '../../translate/balancer-entry.ts';
import type { Publisher } from '../publisher.ts';
import type { Reconciler } from '../reconcile.ts';
import type { StatusCondition } from './desired-status.ts';
import { type AddressOrigin, PublishedAddresses } from './published-addresses.ts';
import { StatusReporter } from './status-reporter.ts';
import { StatusWriter, type WriteResult } from './status-writer.ts';

export interface ClusterReportingOptions {
  readonly api: Pick<ApiClient, 'request'>;
  /** Every Balancer that is watched, of any class, as last seen. */
  readonly newest: ReadonlyMap<string, Balancer>;
  /** Those whose newest version does not parse. */
  readonly refused: ReadonlyMap<string, RefusedBalancer>;
  /** Of `newest` and `refused`. */
  readonly newestChanges: Changed;
  readonly isOurs: (balancer: Classed) => boolean;
  /** The class that is served: controllers of different classes do not compete, nor take each other's statuses away. */
  readonly className: string;
  /** What this process calls itself: the pod's name. */
  readonly instance: string;
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly addressOrigin: AddressOrigin;
  readonly reconciler: Pick<Reconciler, 'factsOf' | 'passes' | 'changes'>;
  readonly publisher: Pick<Publisher, 'placedOf' | 'acknowledged' | 'changes'>;
  readonly shared: Pick<SharedCells, 'flags' | 'flagTurns'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What is written as a leader is given up before another one may lead, however late in the lead it was begun. */
const WRITE_TIMEOUT_MS = LEASE_DURATION_MS - RENEW_DEADLINE_MS;
const REPORTING_CONTROLLER = 'evenkeel.dev/controller';

export class ClusterReporting {
  readonly #elector: LeaderElector<StoredLease>;
  readonly #writer: StatusWriter;
  readonly #reporter: StatusReporter;
  readonly #events: EventRecorder;
  readonly #addresses: PublishedAddresses;
  #isStopped = false;

  constructor(options: ClusterReportingOptions) {
    const { api, className, instance, lease, clock, timers, random, log } = options;
    const machine = { clock, timers, random, log };
    // Two replicas may bear one name: a container that is started anew has that of the one before it.
    const identity = `${instance}_${randomBytes(6).toString('hex')}`;
    const store = createLeaseStore({ api, ...lease, timeoutMs: LEASE_TIMEOUT_MS });
    this.#elector = new LeaderElector({ ...machine, identity, store, onRecovered: () => this.#writer.retrySoon() });
    const isLeading = (): boolean => this.#elector.isLeading();
    const timeoutMs = WRITE_TIMEOUT_MS;
    this.#events = new EventRecorder({
      ...machine,
      api,
      reportingController: REPORTING_CONTROLLER,
      reportingInstance: instance,
      isLeading,
      timeoutMs,
    });
    this.#addresses = new PublishedAddresses({ origin: options.addressOrigin, api, isLeading, timers, log });
    this.#writer = new StatusWriter({
      ...machine,
      client: createStatusClient({ api, fieldManager: fieldManagerOf(className), timeoutMs }),
      isLeading,
      onWritten: (key, wish, version) => this.#reporter.onWritten(key, wish, version),
    });
    this.#reporter = new StatusReporter({
      ...machine,
      reconciler: options.reconciler,
      publisher: options.publisher,
      shared: options.shared,
      newest: options.newest,
      refused: options.refused,
      newestChanges: options.newestChanges,
      isOurs: options.isOurs,
      addresses: () => this.#addresses.current,
      isLeading,
      writer: this.#writer,
      onTransition: (target, condition) => this.#tell(target, condition),
    });
  }

  /** Whether this process leads now. */
  isLeading(): boolean {
    return this.#elector.isLeading();
  }

  /** Status requests so far, by result. */
  get statusWrites(): Readonly<Record<WriteResult, number>> {
    return this.#writer.counts;
  }

  /** Events so far, by result. */
  get events(): Readonly<Record<EventResult, number>> {
    return this.#events.counts;
  }

  /** To be called once there is something to report. Does nothing after `stop`. */
  start(): void {
    if (this.#isStopped) return;
    this.#elector.start();
    this.#addresses.start();
    this.#reporter.start();
  }

  /** Leads no more, and gives the Lease back once all is quiet. Resolves within a few seconds; does not reject. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#reporter.stop();
    this.#addresses.stop();
    const quiet = Promise.all([this.#writer.stop(), this.#events.stop()]).then(([isQuiet]) => isQuiet);
    await this.#elector.stop(quiet);
  }

  #tell({ namespace, name, uid }: StatusTarget, { type, status, reason, message }: StatusCondition): void {
    this.#events.report({
      regarding: { apiVersion: balancerApiVersion, kind: 'Balancer', namespace, name, uid },
      type: status === 'True' ? 'Normal' : 'Warning',
      reason,
      action: `Set${type}`,
      note: message,
    });
  }
}

/**
 * Who we are to server-side apply: `evenkeel`, or with another class `evenkeel-CLASS`, so that of two controllers the one
 * that gives a Balancer up takes back what it said, and no more.
 */
function fieldManagerOf(className: string): string {
  return (className === 'evenkeel' ? className : `evenkeel-${className}`).slice(0, 128);
}
