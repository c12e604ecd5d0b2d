// From spec.stickySession to what lanes know of sessions, with the keys of a Secret, and whether the members' session
// routes can be told apart. Pure: keys of before are an argument. No key ever stands in a message.
import type { Balancer, StickySession } from '../api/balancer.ts';
import { durationMs } from '../api/duration.ts';
import { refOf } from '../api/parse.ts';
import { createProblem, type Problem } from '../api/problem.ts';
import { keyOf, type ResourceSet, type Unread } from '../api/resource-set.ts';
import type { Secret } from '../api/secret.ts';
import { createRouteHashes, type RouteHashes } from '../balancer/sessions/route-hash.ts';
import type { SessionCookieUnit, SessionUnit } from '../snapshot/session-unit.ts';
import type { MemberUnit } from '../snapshot/snapshot.ts';
import type { UnresolvedRef } from './conditions.ts';
import { readSigningKeys } from './signing-keys.ts';

export interface TranslatedSession {
  /** Null: sessions are not kept. */
  readonly unit: SessionUnit | null;
  readonly unresolved: readonly UnresolvedRef[];
}

/** The Secret with the signing keys of a Balancer, from its own namespace; undefined: there is none, or none is named. */
export function signingSecretOf(balancer: Balancer, set: Pick<ResourceSet, 'secrets'>): Secret | undefined {
  const name = balancer.spec.stickySession?.signing?.secretName;
  return name === undefined ? undefined : set.secrets.get(keyOf(balancer.metadata.namespace, name));
}

/** Why that Secret is not known; undefined: it is known whether there is one. */
export function unreadSecretOf({ metadata, spec }: Balancer, unread: Unread | undefined): string | undefined {
  const name = spec.stickySession?.signing?.secretName;
  return name === undefined ? undefined : unread?.secrets.get(keyOf(metadata.namespace, name));
}

/**
 * Translates the session rules of a Balancer. `unread`: why its Secret is not known. `lastKeys`: the keys that were in force until now, which stay when the
 * Secret is missing or holds none; without any, what was to be signed is neither signed nor recognised.
 */
export function translateSession(
  balancer: Balancer,
  secret: Secret | undefined,
  unread: string | undefined,
  lastKeys: readonly string[],
): TranslatedSession {
  const { stickySession } = balancer.spec;
  if (stickySession === undefined) return { unit: null, unresolved: [] };
  const { cookie, header, urlParameter, strategy, separator, onMemberDown, rejectStatus, signing } = stickySession;
  const { keys, unresolved } =
    signing === undefined
      ? { keys: [], unresolved: [] }
      : resolveKeys(balancer, signing.secretName, secret, unread, lastKeys);
  const unit: SessionUnit = {
    strategy,
    cookie: cookie ?? null,
    header: header ?? null,
    urlParameter: urlParameter ?? null,
    separator,
    attributes: attributesOf(stickySession),
    signing: signing === undefined ? null : { mode: signing.mode, keys, maxAgeMs: ageOf(signing.maxAge) },
    onMemberDown,
    rejectStatus,
    informsMember: stickySession.informMember,
  };
  return { unit, unresolved };
}

function attributesOf({ attributes, cacheControl }: StickySession): SessionCookieUnit | null {
  if (attributes === undefined) return null;
  const { path, domain, sameSite, secure, httpOnly, partitioned, maxAge } = attributes;
  const marksPrivate = cacheControl !== 'Unchanged';
  return { path, domain, sameSite, secure, httpOnly, partitioned, maxAgeMs: ageOf(maxAge), marksPrivate };
}

function ageOf(duration: string | undefined): number | null {
  return duration === undefined ? null : durationMs(duration);
}

function resolveKeys(
  balancer: Balancer,
  secretName: string,
  secret: Secret | undefined,
  unread: string | undefined,
  lastKeys: readonly string[],
): { readonly keys: readonly string[]; readonly unresolved: readonly UnresolvedRef[] } {
  const path = 'spec.stickySession.signing.secretName';
  const name = keyOf(balancer.metadata.namespace, secretName);
  const unresolved = (reason: UnresolvedRef['reason'], message: string): UnresolvedRef => {
    return { reason, problem: createProblem(refOf(balancer), path, `${path}: ${message}`, secretName) };
  };
  const instead =
    lastKeys.length > 0
      ? '; the keys in force until now stay'
      : '; until there are keys, nothing is signed and nothing signed is recognised';
  if (secret === undefined) {
    const fault = unread === undefined ? `there is no Secret ${name}` : `Secret ${name} cannot be read: ${unread}`;
    return { keys: lastKeys, unresolved: [unresolved('SecretNotFound', `${fault}${instead}`)] };
  }
  const { keys, faults } = readSigningKeys(secret);
  const end = keys.length === 0 ? instead : '';
  return {
    keys: keys.length === 0 ? lastKeys : keys,
    unresolved: faults.map((fault) => unresolved('SecretNotUsable', `Secret ${name}: ${fault}${end}`)),
  };
}

export interface HashedRoutes {
  /** Null: no hash of a session route is asked for. */
  readonly routes: RouteHashes | null;
  readonly problems: readonly Problem[];
}

/** Most collisions told of one balancer. One is a chance of one in millions of millions. */
const maxCollisions = 8;

/** Finds session routes that have one hash, where sessions carry hashes. `previous`: as of before, whose hashes are re-used. */
export function hashRoutes(
  balancer: Balancer,
  members: readonly MemberUnit[],
  previous: RouteHashes | null,
): HashedRoutes {
  const { metadata, spec } = balancer;
  if (spec.stickySession === undefined || spec.stickySession.strategy === 'Route')
    return { routes: null, problems: [] };
  const key = keyOf(metadata.namespace, metadata.name);
  const sessionRoutes = members.map(({ sessionRoute }) => sessionRoute);
  const routes = createRouteHashes(key, sessionRoutes, previous);
  const problems = routes.collided.slice(0, maxCollisions).map((route) => {
    const first = routes.byHash.get(routes.byRoute.get(route)!)!;
    const nameOf = (wanted: string): string => members.find(({ sessionRoute }) => sessionRoute === wanted)!.name;
    const message =
      `spec.members: sessions of member ${nameOf(route)} go to member ${nameOf(first)}, because their session routes ` +
      `${route} and ${first} have one hash; give one of the two another session route`;
    return createProblem(refOf(balancer), 'spec.members', message, route);
  });
  return { routes, problems };
}
