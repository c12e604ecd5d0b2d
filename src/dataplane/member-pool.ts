// Kept connections to members of one lane, by address; the most recently used first, so that the
// rest grow old and go. An address is kept as long as a balancer of the lane has a member there.
import type { MemberConnection } from './member-connection.ts';

/** Kept connections to one address beyond which further ones are closed. */
const MAX_IDLE_PER_MEMBER = 256;

/** Connections to one address. */
export class MemberAddress {
  readonly host: string;
  readonly port: number;
  /** `host:port` as in a Host header. */
  readonly authority: string;
  /** Targets that point here. */
  users = 0;
  readonly #idle: MemberConnection[] = [];

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
    this.authority = `${host.includes(':') ? `[${host}]` : host}${port === 80 ? '' : `:${port}`}`;
  }

  /** The kept connection that was used last, or null. */
  take(): MemberConnection | null {
    return this.#idle.pop() ?? null;
  }

  /** Keeps a connection for the next request; false: there are enough. */
  keep(connection: MemberConnection): boolean {
    if (this.users === 0 || this.#idle.length >= MAX_IDLE_PER_MEMBER) return false;
    this.#idle.push(connection);
    return true;
  }

  /** A kept connection is gone. */
  forget(connection: MemberConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  /** Closes the kept connections; from now on none is kept. */
  close(): void {
    this.users = 0;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}

export class MemberPool {
  readonly #addresses = new Map<string, MemberAddress>();

  /** The address, with one more user. */
  acquire(host: string, port: number): MemberAddress {
    const key = `${host} ${port}`;
    const address = this.#addresses.get(key) ?? new MemberAddress(host, port);
    this.#addresses.set(key, address);
    address.users += 1;
    return address;
  }

  /** One user less; after the last one the kept connections are closed. */
  release(address: MemberAddress): void {
    address.users -= 1;
    if (address.users > 0) return;
    this.#addresses.delete(`${address.host} ${address.port}`);
    address.close();
  }

  close(): void {
    for (const address of this.#addresses.values()) address.close();
  }
}
