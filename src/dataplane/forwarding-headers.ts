// What members are told about where a request came from. Nobody is believed by default: what an
// untrusted client says of it is dropped, also in underscore spelling, and made anew.
import type { BlockList } from 'node:net';
import { isIPv6 } from 'node:net';
import {
  checkFieldValue,
  type FieldText,
  type FieldValue,
  fieldLine,
  joinFieldText,
  noFieldText,
  type TargetText,
} from '../wire/field-text.ts';
import { createDropTable, type FieldEdits, forwardingIds, hopByHopIds, writeRequestHead } from '../wire/head-writer.ts';
import { type HeaderId, headerIds } from '../wire/header-id.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { editsForWire, targetForWire } from './edits-for-wire.ts';
import type { RequestEdits } from './exchange.ts';
import { countHop } from './max-forwards.ts';

const DROPS = createDropTable([...hopByHopIds, ...forwardingIds]);
const DROPS_FROM_TRUSTED = createDropTable(hopByHopIds);
const FORWARDING: ReadonlySet<HeaderId> = new Set(forwardingIds);

/** The loop mark of RFC 8586: unlike Via it changes nothing in how members answer. */
const LOOP_HEADER = 'cdn-loop';

/** What is the same for all connections of a lane. */
export interface ForwardingOptions {
  /** Name of this process in the loop mark: [a-z0-9.-]. */
  readonly viaName: string;
  /** Peers whose word is passed on; null: nobody's. */
  readonly trusted: BlockList | null;
}

/** The headers of the requests of one client connection. */
export class ForwardingHeaders {
  /** Address of the client's end of the connection. */
  readonly peer: FieldValue;
  readonly #isTrusted: boolean;
  readonly #viaName: string;
  readonly #scheme: 'http' | 'https';
  /** The lines of the request before, which nearly always are those of the next one. */
  #lines = noFieldText;
  #linesHost: string | null = null;

  constructor(options: ForwardingOptions, peerAddress: string, scheme: 'http' | 'https') {
    const address = peerAddress.startsWith('::ffff:') ? peerAddress.slice(7) : peerAddress;
    this.peer = checkFieldValue(address);
    const { trusted } = options;
    this.#isTrusted = trusted !== null && address !== '' && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    this.#viaName = options.viaName;
    this.#scheme = scheme;
  }

  get isSecure(): boolean {
    return this.#scheme === 'https';
  }

  /** Whether this process has seen the request before. */
  isLoop(head: RequestHead): boolean {
    const { fields } = head;
    for (let line = fields.findName(LOOP_HEADER); line !== -1; line = fields.findName(LOOP_HEADER, line + 1)) {
      const names = fields.value(line).split(',');
      if (names.some((name) => name.trim().split(';', 1)[0] === this.#viaName)) return true;
    }
    return false;
  }

  /** The head for a member, as latin1 text. `memberHost` stands in for a Host that an HTTP/1.0 client did not send. */
  write(head: RequestHead, memberHost: string, asked: RequestEdits | null = null): string {
    const target = asked === null ? null : targetForWire(asked.target);
    const edits = merge(countHop(head), asked === null ? null : editsForWire(asked.lines));
    if (this.#isTrusted) return this.#writeTrusted(head, memberHost, target, edits);
    if (head.fields.find(headerIds.host) === -1) {
      return writeRequestHead(head, target, DROPS, edits, this.#linesFor(head, memberHost));
    }
    const { host } = head;
    if (host !== this.#linesHost) {
      this.#lines = this.#linesFor(head, memberHost);
      this.#linesHost = host;
    }
    return writeRequestHead(head, target, DROPS, edits, this.#lines);
  }

  #writeTrusted(head: RequestHead, memberHost: string, target: TargetText | null, asked: FieldEdits | null): string {
    const { fields } = head;
    const edits = new Map(asked);
    // A look-alike is the client's: the proxy that we trust would have spelled it right.
    for (let line = 0; line < fields.count; line += 1) {
      if (fields.isLookAlike(line) && FORWARDING.has(fields.looseId(line))) edits.set(line, null);
    }
    const append = (id: HeaderId, more: string): void => {
      let last = -1;
      for (let line = fields.find(id); line !== -1; line = fields.find(id, line + 1)) last = line;
      if (last !== -1) edits.set(last, checkFieldValue(`${fields.value(last)}, ${more}`));
    };
    append(headerIds.xForwardedFor, this.peer);
    const node = isIPv6(this.peer) ? `"[${this.peer}]"` : this.peer;
    append(headerIds.forwarded, `for=${node};proto=${this.#scheme}`);
    return writeRequestHead(head, target, DROPS_FROM_TRUSTED, edits, this.#linesFor(head, memberHost));
  }

  /** Our lines; for a trusted peer only those that it did not send. */
  #linesFor(head: RequestHead, memberHost: string): FieldText {
    const { fields, host } = head;
    let lines = noFieldText;
    const add = (id: HeaderId, name: string, value: string): void => {
      const line = this.#isTrusted ? fields.find(id) : -1;
      if (line === -1 || (id !== headerIds.xForwardedFor && fields.isNominated(line))) {
        lines = joinFieldText(lines, fieldLine(name, value));
      }
    };
    // HTTP/1.1 demands a Host, HTTP/1.0 does not; an absolute target may have named it.
    if (fields.find(headerIds.host) === -1) lines = fieldLine('Host', host === '' ? memberHost : host);
    add(headerIds.xForwardedFor, 'X-Forwarded-For', this.peer);
    if (host !== '') add(headerIds.xForwardedHost, 'X-Forwarded-Host', host);
    add(headerIds.xForwardedProto, 'X-Forwarded-Proto', this.#scheme);
    add(headerIds.xRealIp, 'X-Real-IP', this.peer);
    return joinFieldText(lines, fieldLine('CDN-Loop', this.#viaName));
  }
}

/** The lines that are changed for two reasons; Max-Forwards is never a line of a session. */
function merge(hop: FieldEdits | null, asked: FieldEdits | null): FieldEdits | null {
  if (hop === null || asked === null) return hop ?? asked;
  return new Map([...hop, ...asked]);
}
