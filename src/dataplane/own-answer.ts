// The answers that we make ourselves: short, the same for everyone, without a word about members.
import { STATUS_CODES } from 'node:http';
import { systemClock } from '../lib/clock.ts';
import { type FieldText, fieldLine, joinFieldText, noFieldText } from '../wire/field-text.ts';
import { createDropTable, hopByHopIds, requestHeadOut } from '../wire/head-writer.ts';
import { headerIds } from '../wire/header-id.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { httpDate } from './http-date.ts';
import { type RequestFault, reasonOf, statusOf } from './proxy-error.ts';

export const ADDED_CLOSE = fieldLine('Connection', 'close');
/** HTTP/1.0 clients must be told that the connection stays. */
export const ADDED_KEEP_ALIVE = fieldLine('Connection', 'keep-alive');
export const ADDED_CHUNKED = fieldLine('Transfer-Encoding', 'chunked');
export const ADDED_UPGRADE = joinFieldText(fieldLine('Connection', 'Upgrade'), fieldLine('Upgrade', 'websocket'));

/** What a TRACE must not show to whoever sent it by a foreign script. */
const UNTRACED = createDropTable([
  ...hopByHopIds,
  headerIds.cookie,
  headerIds.authorization,
  headerIds.proxyAuthorization,
  headerIds.contentLength,
  headerIds.transferEncoding,
  headerIds.xEvenkeelExplain,
]);

/** The whole answer as latin1 text. `added`: lines for this client only. */
export function ownAnswer(
  fault: RequestFault,
  isHead: boolean,
  isLast: boolean,
  minorVersion: number,
  added = noFieldText,
): string {
  const status = statusOf(fault);
  const body = `${status} ${STATUS_CODES[status] ?? ''}\n${reasonOf(fault)}.\n`;
  return answer(status, 'text/plain', isLast, minorVersion, body, isHead, added);
}

/** The answer to a TRACE or OPTIONS that may go no further (RFC 9110 §7.6.2): what came, or nothing. */
export function lastHopAnswer(head: RequestHead, isLast: boolean): string {
  const body = head.method === 'TRACE' ? requestHeadOut(head, null, UNTRACED, null, noFieldText).toString() : '';
  return answer(200, 'message/http', isLast, head.minorVersion, body, false, noFieldText);
}

function answer(
  status: number,
  type: string,
  isLast: boolean,
  minorVersion: number,
  body: string,
  isHead: boolean,
  added: FieldText,
): string {
  const connection = isLast ? ADDED_CLOSE : minorVersion === 0 ? ADDED_KEEP_ALIVE : '';
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${type}\r\nCache-Control: no-store\r\n` +
    `Date: ${httpDate(systemClock.wallMs())}\r\nContent-Length: ${body.length}\r\n${connection}${added}\r\n${isHead ? '' : body}`
  );
}
