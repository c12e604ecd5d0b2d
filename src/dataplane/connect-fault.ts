// What it means when a connection to a member cannot be made: whose fault it is decides whether the member rests.
// Knows error codes of the system and nothing of sockets.
import type { ProxyErrorCode } from './proxy-error.ts';

/** The code of the error that a connection to an address gets that members may not have. */
export const NOT_ALLOWED = 'EMEMBERNOTALLOWED';

/** This process or machine has run out of something; the member has done nothing wrong. */
const OUR_SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** The fault for an error of connecting. A name with several addresses fails with one error that holds the others. */
export function faultOfConnecting(error: NodeJS.ErrnoException): ProxyErrorCode {
  const code = error.code ?? '';
  if (OUR_SHORTAGES.has(code)) return 'out-of-sockets';
  if (code === NOT_ALLOWED) return 'member-not-allowed';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name-not-resolved';
  return code === 'ETIMEDOUT' ? 'connect-timeout' : 'connect-refused';
}
