// Which addresses a member may not have: those that point inwards, to this machine or its link, from where a request
// would reach what was never meant for clients. For whoever connects to members or probes them. Resolves no names.
import ipaddr from 'ipaddr.js';
import type { Clock } from './clock.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [Address, number];

/** Loopback, link-local (the metadata services of clouds too), unspecified, multicast, broadcast. */
const INWARD_NETWORKS: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
];

/** Networks of IPv6 that carry an IPv4 address, and the byte at which that begins. */
const EMBEDDINGS: readonly (readonly [network: string, at: number])[] = [
  // Compatible and mapped (RFC 4291 §2.5.5), and translated (RFC 2765).
  ['::/96', 12],
  ['::ffff:0:0/96', 12],
  ['::ffff:0:0:0/96', 12],
  // NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
  ['64:ff9b::/96', 12],
  ['64:ff9b:1::/48', 12],
  ['2002::/16', 2],
];

/** How long the list of this machine's addresses is good for. */
const OWN_ADDRESSES_MS = 10_000;

export class MemberGuard {
  readonly #allowed: readonly Network[];
  readonly #clock: Clock;
  readonly #readOwn: () => readonly string[];
  /** In their normal form. */
  #own: ReadonlySet<string> = new Set();
  #ownUntilMs = Number.NEGATIVE_INFINITY;

  /** `allowed`: networks that members may be in nevertheless, as CIDR. `readOwn`: the addresses of this machine. */
  constructor(allowed: readonly string[], clock: Clock, readOwn: () => readonly string[]) {
    this.#allowed = allowed.map(networkOf);
    this.#clock = clock;
    this.#readOwn = readOwn;
  }

  /** Whether nobody may connect to this IP address, however it is spelled. What is no IP address is refused. */
  refuses(address: string): boolean {
    const spellings = spellingsOf(address);
    if (spellings.length === 0) return true;
    if (spellings.some((spelling) => isIn(this.#allowed, spelling))) return false;
    return spellings.some((spelling) => isIn(inward, spelling) || this.#ownAddresses().has(normalOf(spelling)));
  }

  #ownAddresses(): ReadonlySet<string> {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#ownUntilMs) {
      this.#own = new Set(this.#readOwn().flatMap(spellingsOf).map(normalOf));
      this.#ownUntilMs = nowMs + OWN_ADDRESSES_MS;
    }
    return this.#own;
  }
}

function networkOf(text: string): Network {
  return ipaddr.parseCIDR(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
}

const inward = INWARD_NETWORKS.map(networkOf);
const embeddings = EMBEDDINGS.map(([network, at]) => ({ network: networkOf(network), at }));

/** The address, and the IPv4 address that it carries, if it does. Empty: it is none. */
function spellingsOf(address: string): Address[] {
  const [bare = ''] = address.split('%', 1);
  if (!ipaddr.isValid(bare)) return [];
  const parsed = ipaddr.parse(bare);
  const carried = embeddings
    .filter(({ network }) => isIn([network], parsed))
    .map(({ at }) => ipaddr.fromByteArray(parsed.toByteArray().slice(at, at + 4)));
  return [parsed, ...carried];
}

function isIn(networks: readonly Network[], address: Address): boolean {
  return networks.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

function normalOf(address: Address): string {
  return address.toNormalizedString();
}
