// Opens the connections to members, plain and upgraded ones: finds the addresses of a name, and refuses those that point
// inwards. The address that is judged is the address that is dialled, so no second look-up can come between.
import { ADDRCONFIG, lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from 'node:net';
import type { MemberGuard } from '../lib/member-guard.ts';
import { NOT_ALLOWED } from './connect-fault.ts';
import type { NameResolver } from './name-resolver.ts';

export interface MemberDiallerOptions {
  readonly resolver: NameResolver;
  /** Null: members may be anywhere. */
  readonly guard: MemberGuard | null;
  /** `host` led to an address that members may not have. Called once for each pair, within reason. */
  readonly onRefused: (host: string, address: string) => void;
}

/** Refused pairs that are remembered, so that they are told of once. */
const MAX_TOLD = 1_024;

export class MemberDialler {
  readonly #resolver: NameResolver;
  readonly #guard: MemberGuard | null;
  readonly #onRefused: MemberDiallerOptions['onRefused'];
  readonly #told = new Set<string>();
  readonly #lookup: LookupFunction;

  constructor({ resolver, guard, onRefused }: MemberDiallerOptions) {
    this.#resolver = resolver;
    this.#guard = guard;
    this.#onRefused = onRefused;
    this.#lookup = (name, options, callback) =>
      this.#resolve(name, (error, addresses) => {
        const [first] = addresses;
        if (error !== null || first === undefined) callback(error, []);
        else if (options.all) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      });
  }

  /** As `net.connect`. A refusal is an error of the socket, like every other failure to connect. */
  connect(options: TcpNetConnectOpts): Socket {
    const { host = '' } = options;
    if (isIP(host) === 0) return connect({ ...options, lookup: this.#lookup });
    if (this.#guard === null || !this.#guard.refuses(host)) return connect(options);
    const socket = new Socket();
    // Whoever asked has to hear of it, and does not listen yet.
    process.nextTick(() => socket.destroy(this.#refusal(host, host)));
    return socket;
  }

  #resolve(name: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void): void {
    const guard = this.#guard;
    this.#resolver.resolve(name, (error, addresses) => {
      if (error !== null || guard === null) return done(error, addresses);
      const allowed = addresses.filter(({ address }) => !guard.refuses(address));
      if (allowed.length > 0) done(null, allowed);
      else done(this.#refusal(name, addresses[0]!.address), []);
    });
  }

  #refusal(host: string, address: string): Error {
    const pair = `${host} ${address}`;
    if (!this.#told.has(pair) && this.#told.size < MAX_TOLD) {
      this.#told.add(pair);
      this.#onRefused(host, address);
    }
    return Object.assign(new Error(`${pair} is not allowed for a member`), { code: NOT_ALLOWED });
  }
}

/** Asks the system, which knows the hosts file and the search domains. */
export function lookUpName(
  name: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
): void {
  lookup(name, { all: true, hints: ADDRCONFIG }, done);
}
