// Makes the token that goes behind a value.
import type { CompiledSession } from './compiled-session.ts';
import { routeHash } from './route-hash.ts';
import { sign } from './signer.ts';
import { completeToken, tokenHead } from './token.ts';

/** The hash of a session route; of any, but those of members known to `session` cost nothing. */
export function routeHashFor({ routes }: CompiledSession, route: string): string {
  return routes.byRoute.get(route) ?? routeHash(routes.balancerKey, route);
}

/**
 * The token to put behind `value` and a separator. `issuedMs`: milliseconds since the epoch. Null when it must be signed and
 * there is no key: rather no session than one that claims less than was asked for.
 */
export function issueToken(session: CompiledSession, hash: string, issuedMs: number, value: string): string | null {
  const { signer, tag } = session;
  const head = tokenHead(signer !== null, tag, hash, Math.floor(issuedMs));
  if (signer === null) return completeToken(head, '');
  const mac = sign(signer, head, value);
  return mac === null ? null : completeToken(head, mac);
}
