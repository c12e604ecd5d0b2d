// The one place where claims to hosts and paths are settled, whatever kind of resource made them:
// who may take a host, who wins when two want the same path. Pure; members play no part here.
import { createProblem, formatRef, type Problem, type ResourceRef } from '../api/problem.ts';
import type { RuleUnit } from '../snapshot/snapshot.ts';
import { catchAllHost } from './host-and-path.ts';
import { type HostClaimant, type HostTerms, settleHosts } from './host-owners.ts';
import { compareText } from './text-order.ts';

/** One host and one path that a resource wants. */
export interface RuleClaim {
  /** Normalised. */
  readonly host: string;
  readonly pathType: RuleUnit['pathType'];
  /** Normalised. */
  readonly path: string;
  /** The path as the user wrote it, for messages. */
  readonly pathText: string;
  /** Where the resource names the host, and the path. */
  readonly hostField: string;
  readonly pathField: string;
}

/** All that one resource wants, in the order in which it says so. */
export interface Claimant extends HostClaimant {
  /** Key of the balancer that its rules lead to. */
  readonly balancer: string;
  /** Smaller is older. */
  readonly age: number;
  readonly claims: readonly RuleClaim[];
}

/** What a claimant got. */
export interface Award {
  readonly ruleCount: number;
  /** One for each host that it may not have and each path that it lost; at most `maxProblems`. */
  readonly problems: readonly Problem[];
  /** Those of its hosts that its status is to record as its namespace's: sorted. Empty under `Shared`. */
  readonly hosts: readonly string[];
}

export interface Settlement {
  /** Sorted by host, path and type. */
  readonly rules: readonly RuleUnit[];
  /** By the balancer of the claimant. */
  readonly awards: ReadonlyMap<string, Award>;
}

/** Most problems told of one claimant: a large Balancer that loses everything needs no thousand lines. */
const maxProblems = 32;

/**
 * Settles all claims: hosts as in settleHosts, and of the paths under them the older claimant first, then by namespace and
 * name. A loser keeps the rest of its rules.
 */
export function settleClaims(claimants: readonly Claimant[], terms: HostTerms): Settlement {
  const ordered = claimants.toSorted(
    (a, b) => a.age - b.age || compareText(a.ref.namespace, b.ref.namespace) || compareText(a.ref.name, b.ref.name),
  );
  const winners = new Map<string, { readonly rule: RuleUnit; readonly claimant: Claimant }>();
  const awards = new Map<string, Award>();

  for (const [claimant, { refusals, toRecord }] of settleHosts(ordered, terms)) {
    const problems: Problem[] = [];
    const told = new Set<string>();
    let ruleCount = 0;
    for (const claim of claimant.claims) {
      const refusal = refusals.get(claim.host);
      if (refusal !== undefined) {
        if (!told.has(claim.hostField)) {
          problems.push(createProblem(claimant.ref, claim.hostField, `${claim.hostField}: ${refusal}`, claim.host));
        }
        told.add(claim.hostField);
        continue;
      }
      const key = `${claim.host} ${claim.pathType} ${claim.path}`;
      const winner = winners.get(key);
      if (winner === undefined) {
        const { host, pathType, path } = claim;
        winners.set(key, { rule: { host, pathType, path, balancer: claimant.balancer }, claimant });
        ruleCount += 1;
      } else {
        problems.push(lostPath(claim, claimant, winner.claimant));
      }
    }
    awards.set(claimant.balancer, { ruleCount, problems: bounded(problems, claimant.ref), hosts: toRecord });
  }

  const rules = [...winners.values()].map(({ rule }) => rule);
  return { rules: rules.sort(compareRules), awards };
}

function lostPath(claim: RuleClaim, loser: Claimant, winner: Claimant): Problem {
  const host = claim.host === catchAllHost ? 'every host' : `host ${claim.host}`;
  const what = `path ${claim.pathText} (${claim.pathType}) of ${host}`;
  const why =
    winner === loser
      ? 'is listed twice'
      : `is already taken by ${formatRef(winner.ref)}, which is ${rank(winner, loser)}`;
  return createProblem(loser.ref, claim.pathField, `${claim.pathField}: ${what} ${why}`, claim.pathText);
}

function rank(winner: Claimant, loser: Claimant): string {
  return winner.age < loser.age ? 'older' : 'as old and first by name';
}

function bounded(problems: readonly Problem[], ref: ResourceRef): readonly Problem[] {
  if (problems.length <= maxProblems) return problems;
  const kept = problems.slice(0, maxProblems - 1);
  const left = problems.length - kept.length;
  return [...kept, createProblem(ref, 'spec.rules', `${left} more rules are lost to others in the same way`)];
}

function compareRules(a: RuleUnit, b: RuleUnit): number {
  return compareText(a.host, b.host) || compareText(a.path, b.path) || compareText(a.pathType, b.pathType);
}
