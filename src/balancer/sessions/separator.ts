// The separator before a token.
import type { CompiledSession } from './compiled-session.ts';
import { percentDecoded } from './octets.ts';

/**
 * Where the separator begins that stands before `tokenStart`, at or after `start`; -1: there is none. In a URL (`isUrl`) it may
 * be percent-encoded, as a client may have done to it.
 */
export function separatorBefore(
  { separatorCode }: CompiledSession,
  text: string,
  start: number,
  tokenStart: number,
  isUrl: boolean,
): number {
  if (tokenStart > start && text.charCodeAt(tokenStart - 1) === separatorCode) return tokenStart - 1;
  const at = tokenStart - 3;
  return isUrl && at >= start && percentDecoded(text, at, tokenStart) === separatorCode ? at : -1;
}
