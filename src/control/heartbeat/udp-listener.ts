// Receives load reports as datagrams, as httpd's mod_heartbeat sends them: to this address, or to a multicast group.
// Knows nothing of what is in them.
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { ListenAddress } from './listen-address.ts';
import type { RareNotice } from './rare-notice.ts';
import type { ReportIntake } from './report-intake.ts';

/** No interface of this machine lets anybody join the multicast group. The message is a sentence for people. */
export class JoinError extends Error {
  override readonly name = 'JoinError';
}

export class UdpListener {
  readonly #address: ListenAddress;
  readonly #socket: Socket;
  #hasClosed = false;

  constructor(address: ListenAddress, intake: ReportIntake, notice: RareNotice) {
    this.#address = address;
    // A group may have several listeners on one machine; a port of our own is ours alone.
    this.#socket = createSocket({
      type: isIP(address.host) === 6 ? 'udp6' : 'udp4',
      reuseAddr: isMulticast(address.host),
    });
    this.#socket.on('message', (bytes, sender) => void intake.take(sender.address, bytes));
    this.#socket.on('error', (error) => {
      notice.warn('udp socket', { reason: error.message }, 'datagrams with load reports cannot be received');
    });
  }

  /** Resolves with the port; rejects with the system's error, or with JoinError. */
  async listen(): Promise<number> {
    const { host, port } = this.#address;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.once('error', reject);
    // Bound to the group itself, a socket gets nothing that was sent to other addresses on that port.
    this.#socket.bind({ address: host, port }, resolve);
    await promise;
    this.#socket.off('error', reject);
    if (isMulticast(host)) join(this.#socket, host);
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.close(resolve);
    await promise;
  }
}

function isMulticast(host: string): boolean {
  return ipaddr.parse(host).range() === 'multicast';
}

/** Joins on every interface that there is now, since which of them leads to the members nobody has said. */
function join(socket: Socket, group: string): void {
  const isV6 = isIP(group) === 6;
  const reasons: string[] = [];
  let joined = 0;
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    const address = addresses.find(({ family }) => family === (isV6 ? 'IPv6' : 'IPv4'))?.address;
    if (address === undefined) continue;
    try {
      socket.addMembership(group, isV6 ? `::%${name}` : address);
      joined += 1;
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (joined > 0) return;
  throw new JoinError(
    `cannot join the multicast group ${group} (${reasons.join('; ') || 'no interface has an address of its family'})`,
  );
}
