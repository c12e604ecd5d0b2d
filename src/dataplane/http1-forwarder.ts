// One attempt over HTTP/1.1: on a kept connection if there is one, on a new one otherwise. Does not choose members.
import type { TimeoutsUnit } from '../snapshot/snapshot.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { Forwarder, Outcome } from './exchange.ts';
import { isIdempotent } from './idempotent.ts';
import type { LaneServices } from './lane-services.ts';
import { MemberConnection } from './member-connection.ts';
import type { ServedMember } from './routing-table.ts';

export class Http1Forwarder implements Forwarder<ClientExchange, ServedMember> {
  readonly #services: LaneServices;

  constructor(services: LaneServices) {
    this.#services = services;
  }

  // One promise for an attempt and no more: each further one costs about a microsecond of every request.
  forward(exchange: ClientExchange, target: ServedMember, timeouts: TimeoutsUnit): Promise<Outcome> {
    if (exchange.isUpgrade) return this.#upgrade(exchange, target, timeouts);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const kept = target.address.take();
    if (kept === null) this.#open(target).carry(exchange, target, timeouts, resolve);
    else {
      kept.carry(exchange, target, timeouts, (outcome) => {
        if (!isWorthRepeating(exchange, kept, outcome)) resolve(outcome);
        else this.#open(target).carry(exchange, target, timeouts, resolve);
      });
    }
    return promise;
  }

  #open(target: ServedMember): MemberConnection {
    return new MemberConnection(this.#services, target.address);
  }

  /** Loaded when the first one comes: lanes without WebSockets do not pay for them. */
  async #upgrade(exchange: ClientExchange, target: ServedMember, timeouts: TimeoutsUnit): Promise<Outcome> {
    const { openUpgrade } = await import('./upgrade.ts');
    if (exchange.isClientGone) return { kind: 'failed', fault: 'client-gone' };
    return openUpgrade(this.#services, exchange, target, timeouts);
  }
}

/**
 * A member may close a kept connection just as we use it. It has not acted on the request then, as far as one can know;
 * what is safe to send twice is sent once more (RFC 9110 §9.2.2).
 */
function isWorthRepeating(exchange: ClientExchange, kept: MemberConnection, outcome: Outcome): boolean {
  const isStale = outcome.kind === 'failed' && outcome.fault === 'closed-before-head' && kept.wasStale;
  return isStale && isIdempotent(exchange.method) && exchange.isReplayable;
}
