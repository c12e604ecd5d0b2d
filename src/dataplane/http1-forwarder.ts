// One attempt over HTTP/1.1: on a kept connection if there is one, on a new one otherwise. Does not choose members.
import type { TimeoutsUnit } from '../snapshot/snapshot.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { AttemptOwner, Forwarder } from './exchange.ts';
import type { LaneServices } from './lane-services.ts';
import { MemberConnection } from './member-connection.ts';
import type { ServedMember } from './routing-table.ts';

export class Http1Forwarder implements Forwarder<ClientExchange, ServedMember> {
  readonly #services: LaneServices;

  constructor(services: LaneServices) {
    this.#services = services;
  }

  forward(exchange: ClientExchange, target: ServedMember, timeouts: TimeoutsUnit, owner: AttemptOwner): void {
    if (exchange.isUpgrade) return void this.#upgrade(exchange, target, timeouts, owner);
    const connection = target.address.take() ?? new MemberConnection(this.#services, target.address);
    connection.carry(exchange, target, timeouts, owner);
  }

  /** Loaded when the first one comes: lanes without WebSockets do not pay for them. */
  async #upgrade(
    exchange: ClientExchange,
    target: ServedMember,
    timeouts: TimeoutsUnit,
    owner: AttemptOwner,
  ): Promise<void> {
    const { openUpgrade } = await import('./upgrade.ts');
    if (exchange.isClientGone) return owner.attemptEnded({ kind: 'failed', fault: 'client-gone' });
    owner.attemptEnded(await openUpgrade(this.#services, exchange, target, timeouts));
  }
}
