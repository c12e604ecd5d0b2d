// What members are told about where a request came from. Nobody is believed by default: what an
// untrusted client says of it is dropped, also in underscore spelling, and made anew.
import type { BlockList } from 'node:net';
import { isIPv6 } from 'node:net';
import type { ForwardingSettings } from '../snapshot/lane-protocol.ts';
import {
  checkFieldValue,
  type FieldText,
  type FieldValue,
  fieldBytes,
  fieldLine,
  joinFieldText,
  noFieldBytes,
  noFieldText,
} from '../wire/field-text.ts';
import {
  createDropTable,
  type FieldEdits,
  forwardingIds,
  hopByHopIds,
  type OutgoingHead,
  ownIds,
  requestHeadOut,
} from '../wire/head-writer.ts';
import type { FieldLines } from '../wire/field-lines.ts';
import { type HeaderId, headerIds } from '../wire/header-id.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { editsForWire, linesForWire, targetForWire } from './edits-for-wire.ts';
import type { RequestEdits } from './exchange.ts';
import { countHop } from './max-forwards.ts';
import { isSoundRequestId, type RequestIds } from './request-id.ts';

/** What is left out of a request. */
const DROPS = {
  fromStrangers: createDropTable([...hopByHopIds, ...ownIds, ...forwardingIds]),
  fromTrusted: createDropTable([...hopByHopIds, ...ownIds]),
};
/** The same where a request has one id, which is written at the end. */
const DROPS_WITH_ID = {
  fromStrangers: createDropTable([...hopByHopIds, ...ownIds, ...forwardingIds, headerIds.xRequestId]),
  fromTrusted: createDropTable([...hopByHopIds, ...ownIds, headerIds.xRequestId]),
};
const FORWARDING: ReadonlySet<HeaderId> = new Set(forwardingIds);
/** Lists that a trusted proxy began. */
const APPENDED: ReadonlySet<HeaderId> = new Set([headerIds.xForwardedFor, headerIds.forwarded]);

/** A client that takes trailers may say so to the member; the option has to go with it (RFC 9110 §10.1.4). */
const ADDED_TE = joinFieldText(fieldLine('TE', 'trailers'), fieldLine('Connection', 'TE'));

/** What is the same for all connections of a lane. */
export interface ForwardingOptions extends ForwardingSettings {
  /** Name of this process in the loop mark: [a-z0-9.-]. */
  readonly viaName: string;
  /** Peers whose word is passed on; null: nobody's. */
  readonly trusted: BlockList | null;
  readonly requestIds: RequestIds;
}

/** The headers of the requests of one client connection. */
export class ForwardingHeaders {
  /** Address of the client's end of the connection. */
  readonly peer: FieldValue;
  readonly #isTrusted: boolean;
  readonly #options: ForwardingOptions;
  readonly #scheme: 'http' | 'https';
  /** The lines of the request before, which nearly always are those of the next one. */
  #lines = noFieldBytes;
  #linesHost: string | null = null;
  #linesVersion = 1;
  /** Of the request that is under way; '' while nobody has asked for it. */
  #requestId = '';

  constructor(options: ForwardingOptions, peerAddress: string, scheme: 'http' | 'https') {
    const address = peerAddress.startsWith('::ffff:') ? peerAddress.slice(7) : peerAddress;
    this.peer = checkFieldValue(address);
    const { trusted } = options;
    this.#isTrusted = trusted !== null && address !== '' && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    this.#options = options;
    this.#scheme = scheme;
  }

  get isSecure(): boolean {
    return this.#scheme === 'https';
  }

  /**
   * Whether this process has seen the request before. To be asked once for each request, before all else. Goes by the loop
   * mark of RFC 8586, which unlike Via changes nothing in how members answer.
   */
  isLoop(head: RequestHead): boolean {
    this.#requestId = '';
    const { fields } = head;
    for (let line = fields.find(headerIds.cdnLoop); line !== -1; line = fields.find(headerIds.cdnLoop, line + 1)) {
      const names = fields.value(line).split(',');
      if (names.some((name) => name.trim().split(';', 1)[0] === this.#options.viaName)) return true;
    }
    return false;
  }

  /** The id of the request, the same for all its attempts; '' where requests have none. */
  requestId(head: RequestHead): string {
    const { requestId, requestIds } = this.#options;
    if (requestId === 'off') return '';
    if (this.#requestId === '') {
      const given = this.#isTrusted || requestId === 'pass' ? givenId(head.fields) : '';
      this.#requestId = given === '' ? requestIds.next() : copyOf(given);
    }
    return this.#requestId;
  }

  /** The line that an answer of this version (HTTP/1.x) gets on its way to the client; none where Via is not sent. */
  viaLine(minorVersion: number): FieldText {
    const { sendsVia, viaName } = this.#options;
    return sendsVia ? fieldLine('Via', `1.${minorVersion} ${viaName}`) : noFieldText;
  }

  /**
   * The head for a member. `memberHost` stands in for a Host that an HTTP/1.0 client did not send, and
   * for every other one where `replacesHost`.
   */
  write(head: RequestHead, memberHost: string, asked: RequestEdits | null = null, replacesHost = false): OutgoingHead {
    const { fields, minorVersion } = head;
    const target = asked === null ? null : targetForWire(asked.target);
    let edits = merge(countHop(head), asked === null ? null : editsForWire(asked.lines));
    const hostLine = fields.find(headerIds.host);
    if (replacesHost && hostLine !== -1) edits = merge(edits, new Map([[hostLine, checkFieldValue(memberHost)]]));
    let ours = noFieldBytes;
    let added = noFieldText;
    if (this.#isTrusted) {
      edits = this.#appendedTo(head, edits);
      added = this.#linesFor(head, memberHost, replacesHost);
    } else if (hostLine === -1) {
      added = this.#linesFor(head, memberHost, replacesHost);
    } else {
      if (this.#linesHost === null || !head.isHost(this.#linesHost) || minorVersion !== this.#linesVersion) {
        const host = copyOf(head.host);
        this.#lines = fieldBytes(this.#linesFor(head, memberHost, replacesHost, host));
        this.#linesHost = host;
        this.#linesVersion = minorVersion;
      }
      ours = this.#lines;
    }
    if (asked !== null && asked.added.length > 0) added = joinFieldText(added, linesForWire(asked.added));
    if (minorVersion === 1 && takesTrailers(fields)) added = joinFieldText(added, ADDED_TE);
    if (this.#options.requestId === 'off') {
      const drops = this.#isTrusted ? DROPS.fromTrusted : DROPS.fromStrangers;
      return requestHeadOut(head, target, drops, edits, added, ours);
    }
    added = joinFieldText(added, fieldLine('X-Request-Id', this.requestId(head)));
    const drops = this.#isTrusted ? DROPS_WITH_ID.fromTrusted : DROPS_WITH_ID.fromStrangers;
    return requestHeadOut(head, target, drops, edits, added, ours);
  }

  /** What a trusted proxy said, with ourselves at the end. */
  #appendedTo(head: RequestHead, asked: FieldEdits | null): FieldEdits {
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
    append(headerIds.forwarded, this.#forwardedElement(head.host));
    return edits;
  }

  /** How the request came here, as RFC 7239 has it. Ourselves are named by a name that tells no address. */
  #forwardedElement(host: string): string {
    const { viaName } = this.#options;
    const node = isIPv6(this.peer) ? `"[${this.peer.replace(/%.*/, '')}]"` : this.peer === '' ? 'unknown' : this.peer;
    const asked = host === '' ? '' : `host=${/^[\w.-]+$/.test(host) ? host : `"${host}"`};`;
    return `for=${node};${asked}proto=${this.#scheme};by=_${viaName}`;
  }

  /** Our lines; for a trusted peer only those that it did not send. */
  #linesFor(head: RequestHead, memberHost: string, replacesHost: boolean, host = head.host): FieldText {
    const { fields } = head;
    const { sendsForwarded, viaName } = this.#options;
    let lines = noFieldText;
    const add = (id: HeaderId, name: string, value: string): void => {
      const line = this.#isTrusted ? fields.find(id) : -1;
      if (line === -1 || (!APPENDED.has(id) && fields.isNominated(line))) {
        lines = joinFieldText(lines, fieldLine(name, value));
      }
    };
    // HTTP/1.1 demands a Host, HTTP/1.0 does not; an absolute target may have named it.
    if (fields.find(headerIds.host) === -1) {
      lines = fieldLine('Host', host === '' || replacesHost ? memberHost : host);
    }
    add(headerIds.xForwardedFor, 'X-Forwarded-For', this.peer);
    if (host !== '') add(headerIds.xForwardedHost, 'X-Forwarded-Host', host);
    add(headerIds.xForwardedProto, 'X-Forwarded-Proto', this.#scheme);
    add(headerIds.xRealIp, 'X-Real-IP', this.peer);
    if (sendsForwarded) add(headerIds.forwarded, 'Forwarded', this.#forwardedElement(host));
    lines = joinFieldText(lines, this.viaLine(head.minorVersion));
    return joinFieldText(lines, fieldLine('CDN-Loop', viaName));
  }
}

/** The same text in memory of its own: a part of a head keeps all of it, for as long as the connection is idle. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The lines that are changed for two reasons; no line is changed for both. */
function merge(one: FieldEdits | null, other: FieldEdits | null): FieldEdits | null {
  if (one === null || other === null) return one ?? other;
  return new Map([...one, ...other]);
}

/** The one id that a request came with, if it is sound; else ''. */
function givenId(fields: FieldLines): string {
  const line = fields.find(headerIds.xRequestId);
  if (line === -1 || fields.isNominated(line) || fields.find(headerIds.xRequestId, line + 1) !== -1) return '';
  const id = fields.value(line);
  return isSoundRequestId(id) ? id : '';
}

/** Whether TE names trailers, and the neighbour itself says so: Connection has to name TE (RFC 9110 §10.1.4). */
function takesTrailers(fields: FieldLines): boolean {
  for (let line = fields.find(headerIds.te); line !== -1; line = fields.find(headerIds.te, line + 1)) {
    if (fields.isNominated(line) && /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(fields.value(line))) return true;
  }
  return false;
}
