// Makes the head that goes out from the head that came in: drops and replaces lines, appends ours, and copies
// everything between as it was sent, in runs. Which lines is the caller's choice; framing is not invented here.
import type { FieldLines } from './field-lines.ts';
import { type FieldBytes, type FieldText, type FieldValue, noFieldBytes, type TargetText } from './field-text.ts';
import { type HeaderId, headerIdCount, headerIds } from './header-id.ts';
import { CR, LF } from './octets.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** What stands around a value that is put in place of another. */
const EDIT_BYTES = ': \r\n'.length;

const keep = 0;
const drop = 1;
const dropLookAlike = 2;

/** Which known headers are left out, by id. Made once, not for each message. */
export type DropTable = Readonly<Uint8Array>;

/** Changes to single lines by index: a new value in place of the old, or null to leave the line out. */
export type FieldEdits = ReadonlyMap<number, FieldValue | null>;

/** The headers that concern one connection only (RFC 9110 §7.6.1). Transfer-Encoding is not here: its framing is passed on. */
export const hopByHopIds: readonly HeaderId[] = [
  headerIds.connection,
  headerIds.keepAlive,
  headerIds.proxyConnection,
  headerIds.te,
  headerIds.upgrade,
  headerIds.http2Settings,
];

/** What a client may not tell a member about where a request came from, unless the client is trusted. */
export const forwardingIds: readonly HeaderId[] = [
  headerIds.forwarded,
  headerIds.xForwardedFor,
  headerIds.xForwardedHost,
  headerIds.xForwardedProto,
  headerIds.xForwardedPort,
  headerIds.xForwardedServer,
  headerIds.xForwardedPrefix,
  headerIds.xForwardedOther,
  headerIds.xRealIp,
];

/** What members are told by us alone, and what clients tell us alone: never passed on, whoever sends it. */
export const ownIds: readonly HeaderId[] = [
  headerIds.xBalancerName,
  headerIds.xBalancerMember,
  headerIds.xBalancerMemberRoute,
  headerIds.xBalancerSessionSource,
  headerIds.xBalancerSessionRoute,
  headerIds.xBalancerRouteChanged,
  headerIds.xEvenkeelExplain,
];

/**
 * A dropped header is dropped in both spellings, with dashes and with underscores. Underscore spellings of headers that
 * frame or route a message are dropped always: a member that took them for the real ones would be fooled.
 */
export function createDropTable(ids: readonly HeaderId[]): DropTable {
  const table = new Uint8Array(headerIdCount);
  for (const id of [headerIds.host, headerIds.contentLength, headerIds.transferEncoding]) table[id] = dropLookAlike;
  for (const id of ids) table[id] = drop;
  return table;
}

/**
 * A head that goes out: the first line, the lines that came without those in `drops`, those named by Connection and those
 * in `edits`, then those of `ours` and `added`. Reads the head that came when it is written, so it is good as long as that one.
 */
export class OutgoingHead {
  readonly #line: string;
  readonly #fields: FieldLines;
  readonly #start: number;
  readonly #drops: DropTable;
  readonly #edits: FieldEdits | null;
  readonly #added: FieldText;
  readonly #ours: FieldBytes;

  /** `line`: comes before the text that came, of which what is before `start` is left out. */
  constructor(
    line: string,
    fields: FieldLines,
    start: number,
    drops: DropTable,
    edits: FieldEdits | null,
    added: FieldText,
    ours = noFieldBytes,
  ) {
    this.#line = line;
    this.#fields = fields;
    this.#start = start;
    this.#drops = drops;
    this.#edits = edits;
    this.#added = added;
    this.#ours = ours;
  }

  /** Room that `write` may need. Bytes. */
  get maxBytes(): number {
    let bytes = this.#line.length + this.#fields.length + this.#ours.length + this.#added.length;
    if (this.#edits !== null) for (const value of this.#edits.values()) bytes += (value?.length ?? 0) + EDIT_BYTES;
    return bytes;
  }

  /** Writes it to `into[at…]`, which has room for `maxBytes`. Returns where it ends. */
  write(into: Buffer, at: number): number {
    let end = this.#line === '' ? at : at + into.write(this.#line, at, 'latin1');
    end = this.#writeKept(into, end);
    into.set(this.#ours, end);
    end += this.#ours.length;
    if (this.#added !== '') end += into.write(this.#added, end, 'latin1');
    into[end] = CR;
    into[end + 1] = LF;
    return end + 2;
  }

  /** The same as latin1 text. */
  toString(): string {
    const bytes = Buffer.allocUnsafe(this.maxBytes);
    return bytes.toString('latin1', 0, this.write(bytes, 0));
  }

  #writeKept(into: Buffer, at: number): number {
    const fields = this.#fields;
    const edits = this.#edits;
    const { bytes, count } = fields;
    let runStart = this.#start;
    let end = at;
    for (let i = 0; i < count; i++) {
      const edit = edits?.get(i);
      if (edit === undefined && !isDropped(fields, i, this.#drops)) continue;
      // What gets another value keeps its name, as it was sent.
      end += bytes.copy(into, end, runStart, typeof edit === 'string' ? fields.nameEnd(i) : fields.nameStart(i));
      if (typeof edit === 'string') end += into.write(`: ${edit}\r\n`, end, 'latin1');
      runStart = fields.lineEnd(i);
    }
    return end + bytes.copy(into, end, runStart, fields.endOffset);
  }
}

/**
 * The outgoing request head: `target` instead of the target that came (null: that one, in origin form), HTTP/1.1, and its
 * lines. See `OutgoingHead`.
 */
export function requestHeadOut(
  head: RequestHead,
  target: TargetText | null,
  drops: DropTable,
  edits: FieldEdits | null,
  added: FieldText,
  ours = noFieldBytes,
): OutgoingHead {
  const isLineKept = target === null && head.minorVersion === 1 && head.targetForm !== 'absolute';
  if (isLineKept) return new OutgoingHead('', head.fields, head.lineStart, drops, edits, added, ours);
  const line = `${head.method} ${target ?? head.originTarget} HTTP/1.1\r\n`;
  return new OutgoingHead(line, head.fields, firstLineStart(head.fields), drops, edits, added, ours);
}

/** The outgoing response head; status and reason stay. See `OutgoingHead`. */
export function responseHeadOut(
  head: ResponseHead,
  drops: DropTable,
  edits: FieldEdits | null,
  added: FieldText,
): OutgoingHead {
  if (head.minorVersion === 1 && !head.lacksReasonSpace) {
    return new OutgoingHead('', head.fields, 0, drops, edits, added);
  }
  const line = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  return new OutgoingHead(line, head.fields, firstLineStart(head.fields), drops, edits, added);
}

function firstLineStart(fields: FieldLines): number {
  return fields.count > 0 ? fields.nameStart(0) : fields.endOffset;
}

function isDropped(fields: FieldLines, index: number, drops: DropTable): boolean {
  const rule = drops[fields.looseId(index)]!;
  if (rule === keep) return fields.hasNominated && fields.isNominated(index);
  return rule === drop || fields.isLookAlike(index);
}
