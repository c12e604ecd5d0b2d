// What a Keep-Alive header says, such as `timeout=5, max=100`. No RFC in force defines it, yet most servers send it, and
// close a connection that has rested for so long.
import type { FieldLines } from './field-lines.ts';
import { headerIds } from './header-id.ts';

const TIMEOUT = /(?:^|[,;])[ \t]*timeout[ \t]*=[ \t]*"?(\d{1,9})/i;

/** For how long the sender keeps an idle connection. Seconds; -1: it does not say. */
export function readKeepAliveTimeout(fields: FieldLines): number {
  const line = fields.find(headerIds.keepAlive);
  if (line === -1) return -1;
  const seconds = TIMEOUT.exec(fields.value(line))?.[1];
  return seconds === undefined ? -1 : Number(seconds);
}
