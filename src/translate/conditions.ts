// What translation says of a Balancer as a whole: two conditions with reasons from closed lists.
// Data only: who writes them to a status, and when, is not decided here.
import type { Problem } from '../api/problem.ts';

/**
 * Why a Balancer is served, or is not.
 * `Accepted`: as written. `PartlyAccepted`: served, but without some of its rules, members or session routes. `NoRulesLeft`: others own all its rules.
 */
export type AcceptedReason = 'Accepted' | 'PartlyAccepted' | 'NoRulesLeft';

/** Why what a Balancer refers to was found, or was not; of several faults the first in order of the members, Secrets last. */
export type ResolvedRefsReason =
  | 'ResolvedRefs'
  | 'ServiceNotFound'
  | 'ServiceNotPermitted'
  | 'PortNotFound'
  | 'EndpointsNotFound'
  | 'EndpointsNotUsable'
  | 'SecretNotFound'
  | 'SecretNotUsable';

export interface Condition<Reason extends string> {
  readonly isTrue: boolean;
  readonly reason: Reason;
  /** For people; at most a few sentences. */
  readonly message: string;
}

export interface BalancerConditions {
  readonly accepted: Condition<AcceptedReason>;
  readonly resolvedRefs: Condition<ResolvedRefsReason>;
}

/** A reference that leads nowhere, or to less than it should. */
export interface UnresolvedRef {
  readonly reason: Exclude<ResolvedRefsReason, 'ResolvedRefs'>;
  readonly problem: Problem;
}

/** `ruleCount`: rules that are left; `faults`: what is wrong with the Balancer's rules and members, references apart. */
export function acceptedCondition(ruleCount: number, faults: readonly Problem[]): Condition<AcceptedReason> {
  if (ruleCount === 0) return { isTrue: false, reason: 'NoRulesLeft', message: summarise(faults) };
  if (faults.length > 0) return { isTrue: true, reason: 'PartlyAccepted', message: summarise(faults) };
  return { isTrue: true, reason: 'Accepted', message: 'The Balancer is served.' };
}

export function resolvedRefsCondition(unresolved: readonly UnresolvedRef[]): Condition<ResolvedRefsReason> {
  const [first] = unresolved;
  if (first === undefined) return { isTrue: true, reason: 'ResolvedRefs', message: 'All references are resolved.' };
  return { isTrue: false, reason: first.reason, message: summarise(unresolved.map(({ problem }) => problem)) };
}

const maxSummarised = 4;

/** The first of them, and how many more there are. */
export function summarise(problems: readonly Problem[]): string {
  const sentences = problems.slice(0, maxSummarised).map(({ message }) => `${message}.`);
  const more = problems.length - sentences.length;
  return more > 0 ? `${sentences.join(' ')} And ${more} more.` : sentences.join(' ');
}
