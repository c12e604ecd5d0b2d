// Makes the head that goes out from the head that came in: drops and replaces lines, appends ours, and copies
// everything between as it was sent, in runs. Which lines is the caller's choice; framing is not invented here.
import type { FieldLines } from './field-lines.ts';
import type { FieldText, FieldValue, TargetText } from './field-text.ts';
import { type HeaderId, headerIdCount, headerIds } from './header-id.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

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
 * The outgoing request head as latin1 text: `target` instead of the target that came (null: that one, in origin form), HTTP/1.1,
 * the lines that came without those in `drops`, those named by Connection and those in `edits`, then the lines of `added`.
 */
export function writeRequestHead(
  head: RequestHead,
  target: TargetText | null,
  drops: DropTable,
  edits: FieldEdits | null,
  added: FieldText,
): string {
  const isLineKept = target === null && head.minorVersion === 1 && head.targetForm !== 'absolute';
  if (isLineKept) return copyKept('', head.fields, head.lineStart, drops, edits, added);
  const line = `${head.method} ${target ?? head.originTarget} HTTP/1.1\r\n`;
  return copyKept(line, head.fields, firstLineStart(head.fields), drops, edits, added);
}

/** The outgoing response head as latin1 text; status and reason stay. See `writeRequestHead`. */
export function writeResponseHead(
  head: ResponseHead,
  drops: DropTable,
  edits: FieldEdits | null,
  added: FieldText,
): string {
  if (head.minorVersion === 1 && !head.lacksReasonSpace) return copyKept('', head.fields, 0, drops, edits, added);
  const line = `HTTP/1.1 ${head.status} ${head.reason}\r\n`;
  return copyKept(line, head.fields, firstLineStart(head.fields), drops, edits, added);
}

function firstLineStart(fields: FieldLines): number {
  return fields.count > 0 ? fields.nameStart(0) : fields.endOffset;
}

function copyKept(
  line: string,
  fields: FieldLines,
  start: number,
  drops: DropTable,
  edits: FieldEdits | null,
  added: FieldText,
): string {
  const { text, count } = fields;
  let out = line;
  let runStart = start;
  for (let i = 0; i < count; i++) {
    const edit = edits?.get(i);
    if (edit === undefined && !isDropped(fields, i, drops)) continue;
    const lineStart = fields.nameStart(i);
    if (lineStart > runStart) out += text.slice(runStart, lineStart);
    if (typeof edit === 'string') out += `${fields.name(i)}: ${edit}\r\n`;
    runStart = fields.lineEnd(i);
  }
  return `${out}${text.slice(runStart, fields.endOffset)}${added}\r\n`;
}

function isDropped(fields: FieldLines, index: number, drops: DropTable): boolean {
  const rule = drops[fields.looseId(index)]!;
  if (rule === keep) return fields.hasNominated && fields.isNominated(index);
  return rule === drop || fields.isLookAlike(index);
}
