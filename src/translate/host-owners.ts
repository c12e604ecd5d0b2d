// Which namespace a host belongs to: the one whose Balancer is known to hold it, or else the one whose claim is the oldest.
// Pure; paths play no part here.
import { formatRef, type ResourceRef } from '../api/problem.ts';
import { catchAllHost, wildcardOver } from './host-and-path.ts';
import type { TranslateOptions } from './options.ts';

/** Who wants hosts. */
export interface HostClaimant {
  readonly ref: ResourceRef;
  readonly claims: readonly { readonly host: string }[];
  /** Normalised hosts that its status records; only those count that it still claims. Empty where there is no status. */
  readonly heldHosts: readonly string[];
}

/** What one claimant gets. */
export interface HostShare {
  /** Why it does not get a host, by host. */
  readonly refusals: ReadonlyMap<string, string>;
  /** Those of its hosts that its status is to record: sorted, each once. Empty under `Shared`. */
  readonly toRecord: readonly string[];
}

export type HostTerms = Pick<TranslateOptions, 'hostOwnership' | 'catchAllNamespaces'>;

interface Owner {
  readonly ref: ResourceRef;
  /** Whether a status says so; else only its age does. */
  readonly isRecorded: boolean;
}

type Owners = Map<string, Owner>;

/**
 * The shares of these claimants, oldest first. What is recorded comes before what is not, whatever the ages; of two records
 * of one host the older claimant's counts. A wildcard takes the names one label below it too, but those that belong to
 * others already.
 *
 * Recording any part of the shares leaves all of them as they are, in whatever order that is done and seen. So a wildcard
 * is recorded only when the names below it that belong to others are: else it would seem to have been there before them.
 */
export function settleHosts<Claimant extends HostClaimant>(
  ordered: readonly Claimant[],
  terms: HostTerms,
): ReadonlyMap<Claimant, HostShare> {
  const isStrict = terms.hostOwnership === 'Strict';
  const owners = isStrict ? recordedOwners(ordered, terms) : new Map<string, Owner>();
  const settled = ordered.map((claimant) => {
    const refusals = new Map<string, string>();
    const granted: string[] = [];
    for (const host of hostsOf(claimant)) {
      const refusal = refuseHost(host, claimant.ref, owners, terms);
      if (refusal !== null) {
        refusals.set(host, refusal);
        continue;
      }
      granted.push(host);
      if (isStrict && !owners.has(host)) owners.set(host, { ref: claimant.ref, isRecorded: false });
    }
    return { claimant, refusals, granted };
  });
  const early = isStrict ? earlyWildcards(owners) : null;
  return new Map(
    settled.map(({ claimant, refusals, granted }) => {
      const toRecord = early === null ? [] : granted.filter((host) => !early.has(host)).sort();
      return [claimant, { refusals, toRecord }];
    }),
  );
}

function recordedOwners(ordered: readonly HostClaimant[], terms: HostTerms): Owners {
  const owners: Owners = new Map();
  for (const { ref, claims, heldHosts } of ordered) {
    if (heldHosts.length === 0) continue;
    const held = new Set(heldHosts);
    for (const { host } of claims) {
      const isOwner = held.has(host) && !owners.has(host) && isAllowed(host, ref, terms);
      if (isOwner) owners.set(host, { ref, isRecorded: true });
    }
  }
  return owners;
}

/** Wildcards over names of other namespaces that are not recorded yet. */
function earlyWildcards(owners: Owners): ReadonlySet<string> {
  const early = new Set<string>();
  for (const [host, { ref, isRecorded }] of owners) {
    const wildcard = isRecorded ? null : wildcardOver(host);
    const over = wildcard === null ? undefined : owners.get(wildcard);
    if (wildcard !== null && over !== undefined && over.ref.namespace !== ref.namespace) early.add(wildcard);
  }
  return early;
}

function hostsOf({ claims }: HostClaimant): ReadonlySet<string> {
  return new Set(claims.map(({ host }) => host));
}

function isAllowed(host: string, { namespace }: ResourceRef, { catchAllNamespaces }: HostTerms): boolean {
  return host !== catchAllHost || catchAllNamespaces === 'all' || catchAllNamespaces.has(namespace);
}

/** Why a namespace may not have a host; null if it may. */
function refuseHost(host: string, ref: ResourceRef, owners: Owners, terms: HostTerms): string | null {
  if (!isAllowed(host, ref, terms)) {
    return `namespace ${ref.namespace} may not take every host; name the hosts, or have the operator allow it`;
  }
  const owner = owners.get(host)?.ref;
  if (owner !== undefined) {
    if (owner.namespace === ref.namespace) return null;
    const what = host === catchAllHost ? 'the catch-all host' : `host ${host}`;
    return `${what} belongs to namespace ${owner.namespace}, which claimed it first by ${formatRef(owner)}`;
  }
  const wildcard = wildcardOver(host);
  const wildcardOwner = wildcard === null ? undefined : owners.get(wildcard)?.ref;
  if (wildcardOwner === undefined || wildcardOwner.namespace === ref.namespace) return null;
  return (
    `host ${host} is covered by ${wildcard}, which belongs to namespace ${wildcardOwner.namespace}, ` +
    `which claimed it first by ${formatRef(wildcardOwner)}`
  );
}
