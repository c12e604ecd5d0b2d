// The members of one balancer: those of all entries in order, with identities, names and session routes unique, and as
// spec.overrides has them.
// Apart from the rules, because endpoints change far more often. Pure; the result depends on nothing but the arguments.
import type { Balancer } from '../api/balancer.ts';
import { refOf } from '../api/parse.ts';
import { createNotice, createProblem, type Problem } from '../api/problem.ts';
import type { ResourceSet } from '../api/resource-set.ts';
import type { MemberUnit } from '../snapshot/snapshot.ts';
import type { UnresolvedRef } from './conditions.ts';
import { draftServiceMembers, draftUrlMember, type EntryDrafts, type MemberDraft } from './member-drafts.ts';
import type { TranslateOptions } from './options.ts';
import { createOverrides } from './overrides.ts';
import { shortHash } from './session-route.ts';

export interface TranslatedMembers {
  /** In order of the entries; endpoints of one Service by pod name, then address. */
  readonly members: readonly MemberUnit[];
  /** Members that are left out or changed because of others of the same balancer. */
  readonly problems: readonly Problem[];
  readonly unresolved: readonly UnresolvedRef[];
  /** What has no effect: because there is no such member now, or because a pod says it of itself and it is wrong. */
  readonly notices: readonly Problem[];
}

/** Translates the members of a Balancer. Having none is legal: its requests are answered with 503. */
export function translateMembers(
  balancer: Balancer,
  set: Pick<ResourceSet, 'services' | 'endpointSlices' | 'referenceGrants' | 'pods' | 'unread'>,
  options: Pick<TranslateOptions, 'allowsForeignServices' | 'allowsExternalNames' | 'zone'>,
): TranslatedMembers {
  const entries = balancer.spec.members.map((member, index): EntryDrafts => {
    const field = `spec.members[${index}]`;
    if (member.url !== undefined) return { drafts: [draftUrlMember(member, field)], unresolved: [] };
    return draftServiceMembers(balancer, member, field, set, options);
  });
  const { settled, problems } = settleMembers(
    balancer,
    entries.flatMap(({ drafts }) => drafts),
  );
  const overrides = createOverrides(balancer);
  const members = settled.map(({ unit, podName }) => {
    const overridden = overrides.apply(unit, podName);
    // What is about to go drains, whatever else is said of it, unless it is out of use anyway.
    return overridden.isLeaving && overridden.state === 'Enabled' ? asDraining(overridden) : overridden;
  });
  // Two ports of one pod are two members.
  const podProblems = new Set(settled.flatMap((draft) => draft.podProblems));
  const notices = [...overrides.unused(), ...findLostRedirects(balancer, members), ...podProblems].slice(
    0,
    maxProblems,
  );
  return { members, problems, unresolved: entries.flatMap(({ unresolved }) => unresolved), notices };
}

function asDraining(unit: MemberUnit): MemberUnit {
  return { ...unit, state: 'Draining' };
}

/** Redirects to session routes that no member has. */
function findLostRedirects(balancer: Balancer, members: readonly MemberUnit[]): Problem[] {
  if (balancer.spec.stickySession === undefined) return [];
  const routes = new Set(members.map(({ sessionRoute }) => sessionRoute));
  return balancer.spec.members.flatMap(({ redirect }, index) => {
    if (redirect === undefined || routes.has(redirect)) return [];
    const path = `spec.members[${index}].redirect`;
    const message = `${path}: no member has the session route ${redirect} now; nobody takes the sessions over`;
    return [createNotice(refOf(balancer), path, message)];
  });
}

/** Most problems told of one balancer's members: two entries for one large Service need no thousand lines. */
const maxProblems = 32;

/** The drafts that are left, with names and session routes as they stay. */
function settleMembers(
  balancer: Balancer,
  drafts: readonly MemberDraft[],
): { readonly settled: readonly MemberDraft[]; readonly problems: readonly Problem[] } {
  const settled: MemberDraft[] = [];
  const problems: Problem[] = [];
  const fieldOfIdentity = new Map<string, string>();
  const routeHolders = new Map<string, MemberDraft>();
  const names = new Set<string>();
  const tell = (path: string, message: string, value: string): void => {
    if (problems.length < maxProblems) problems.push(createProblem(refOf(balancer), path, message, value));
  };
  // Routes that users chose come first, so that no generated one takes their place.
  const chosenRoutes = new Set(drafts.filter((draft) => draft.isRouteChosen).map((draft) => draft.unit.sessionRoute));

  for (const draft of drafts) {
    const { unit, otherNames, isRouteChosen, pod, field } = draft;
    const twin = fieldOfIdentity.get(unit.identity);
    if (twin !== undefined) {
      tell(field, `${field}: member ${unit.name} is already a member by ${twin}, which is used`, unit.name);
      continue;
    }
    fieldOfIdentity.set(unit.identity, field);

    let { sessionRoute } = unit;
    const holder = routeHolders.get(sessionRoute);
    if (holder !== undefined || (!isRouteChosen && chosenRoutes.has(sessionRoute))) {
      const other = shortHash(unit.identity);
      if (holder === undefined || pod === null || pod !== holder.pod) {
        const path = isRouteChosen ? `${field}.route` : field;
        const owner = holder?.field ?? 'another member';
        const message = `session route ${sessionRoute} is already that of ${owner}; member ${unit.name} gets ${other}`;
        tell(path, `${path}: ${message}`, sessionRoute);
      }
      sessionRoute = other;
    }
    routeHolders.set(sessionRoute, draft);

    const name = [unit.name, ...otherNames, unit.identity].find((candidate) => !names.has(candidate)) ?? unit.identity;
    names.add(name);
    settled.push({ ...draft, unit: { ...unit, name, sessionRoute } });
  }
  return { settled, problems };
}
