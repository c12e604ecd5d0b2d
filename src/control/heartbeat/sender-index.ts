// Which members a sender of load reports may speak for: those of heartbeat balancers whose address is the sender's. Made
// anew when a generation was published since, at the next report. Members named by a host name have no sender.
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Publisher } from '../publisher.ts';

type Published = Pick<Publisher, 'generation' | 'placed'>;

interface MemberAt {
  readonly port: number;
  readonly row: number;
}

export class SenderIndex {
  readonly #publisher: Published;
  #members = new Map<string, MemberAt[]>();
  #generation = -1;

  constructor(publisher: Published) {
    this.#publisher = publisher;
  }

  /** Whether any member has that address. */
  knows(address: string): boolean {
    return this.#membersAt(address).length > 0;
  }

  /**
   * Rows of the members that a report from there is about: where members at that address listen on several ports, those
   * on `port`, or all of them if it is null. Empty: none.
   */
  rowsOf(address: string, port: number | null): readonly number[] {
    const members = this.#membersAt(address);
    // httpd's senders may say 80 whatever they listen on: a port only matters where there is a choice.
    const isChoice = port !== null && members.some((member) => member.port !== members[0]!.port);
    return members.filter((member) => !isChoice || member.port === port).map(({ row }) => row);
  }

  #membersAt(address: string): readonly MemberAt[] {
    if (this.#generation !== this.#publisher.generation) this.#rebuild();
    const key = canonical(address);
    return (key === null ? undefined : this.#members.get(key)) ?? [];
  }

  #rebuild(): void {
    const members = new Map<string, MemberAt[]>();
    for (const { unit, memberRows } of this.#publisher.placed()) {
      if (unit.lbMethod !== 'heartbeat') continue;
      for (const [index, { host, port }] of unit.members.entries()) {
        const key = canonical(host);
        if (key === null) continue;
        const here = members.get(key);
        const member = { port, row: memberRows[index]! };
        if (here === undefined) members.set(key, [member]);
        else here.push(member);
      }
    }
    this.#members = members;
    this.#generation = this.#publisher.generation;
  }
}

/** The one spelling of an IP address, that of IPv4 where IPv6 carries it; null for anything else. */
function canonical(address: string): string | null {
  const family = isIP(address);
  if (family === 0) return null;
  return family === 4 ? address : ipaddr.process(address).toString();
}
