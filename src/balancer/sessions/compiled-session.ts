// The session rules of one balancer as one lane applies them. Made anew when the rules or the members change;
// holds no state of requests.
import type { SessionUnit } from '../../snapshot/session-unit.ts';
import { createCookieText, type InsertedCookie } from './inserted-cookie.ts';
import { balancerTag, createRouteHashes, type RouteHashes } from './route-hash.ts';
import { createSigner, type Signer } from './signer.ts';

export interface CompiledSession {
  readonly unit: SessionUnit;
  readonly routes: RouteHashes;
  /** Hashes of session routes whose members were known here and are gone, the latest last. */
  readonly goneHashes: ReadonlySet<string>;
  /** What tokens of this balancer say of it. */
  readonly tag: string;
  /** Null: nothing is signed. */
  readonly signer: Signer | null;
  /** In lower case; null: none. */
  readonly headerName: string | null;
  /** Code of the separator; -1 without one. */
  readonly separatorCode: number;
  /** Whether the separator may stand in a parameter of a URL; where not, nothing is appended to URLs. */
  readonly isSeparatorUrlSafe: boolean;
  /** The cookie of Insert; null under other strategies. */
  readonly inserted: InsertedCookie | null;
  /** How long a token is valid, in milliseconds; Infinity: for ever. */
  readonly validMs: number;
  /** The age from which a token is better replaced, in milliseconds; Infinity: never. */
  readonly staleMs: number;
}

/** So many members that are gone are remembered, per balancer and lane. */
const maxGone = 1024;

/** Separators that end a parameter, begin a fragment, or that browsers encode. */
const urlUnsafeSeparators = '#&/^|';

/**
 * `sessionRoutes`: those of all members, usable or not. `previous`: what was compiled before for this balancer, whose
 * hashes are re-used.
 */
export function compileSession(
  unit: SessionUnit,
  balancerKey: string,
  sessionRoutes: Iterable<string>,
  previous: CompiledSession | null,
): CompiledSession {
  const { signing, attributes, separator } = unit;
  const validMs = signing?.maxAgeMs ?? Infinity;
  const lifeMs = Math.min(validMs, attributes?.maxAgeMs ?? Infinity);
  // Under Route nobody asks for hashes.
  const hashedRoutes = unit.strategy === 'Route' ? [] : sessionRoutes;
  const routes = createRouteHashes(balancerKey, hashedRoutes, previous?.routes ?? null);
  return {
    unit,
    routes,
    goneHashes: goneSince(previous, routes),
    tag: balancerTag(balancerKey),
    signer: signing === null ? null : createSigner(signing.keys, unit.strategy, balancerKey),
    headerName: unit.header === null ? null : unit.header.toLowerCase(),
    separatorCode: separator === '' ? -1 : separator.charCodeAt(0),
    isSeparatorUrlSafe: separator !== '' && !urlUnsafeSeparators.includes(separator),
    inserted: attributes === null || unit.cookie === null ? null : createCookieText(unit.cookie, attributes),
    validMs,
    staleMs: lifeMs / 2,
  };
}

function goneSince(previous: CompiledSession | null, { balancerKey, byHash }: RouteHashes): ReadonlySet<string> {
  if (previous === null || previous.routes.balancerKey !== balancerKey) return new Set();
  const gone = [...previous.goneHashes, ...previous.routes.byHash.keys()].filter((hash) => !byHash.has(hash));
  return new Set(gone.slice(-maxGone));
}
