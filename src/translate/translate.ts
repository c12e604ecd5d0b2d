// PURE: what users and the cluster wrote → what lanes serve, with the problems found on the way. One bad resource takes
// nothing else down. No clock, no randomness, no I/O; the only state is the memo of createTranslator, which changes no result.
import type { Balancer } from '../api/balancer.ts';
import type { EndpointSlice } from '../api/endpoint-slice.ts';
import type { Problem } from '../api/problem.ts';
import { keyOf, type ResourceSet } from '../api/resource-set.ts';
import type { Service } from '../api/service.ts';
import type { BalancerUnit, Snapshot } from '../snapshot/snapshot.ts';
import { claimsOf, isServed, unitOf } from './balancer-entry.ts';
import { acceptedCondition, type BalancerConditions, resolvedRefsCondition } from './conditions.ts';
import { type TranslatedMembers, translateMembers } from './members.ts';
import type { TranslateOptions } from './options.ts';
import { type Award, type Claimant, settleClaims, type Settlement } from './rules.ts';
import { compareText } from './text-order.ts';

export interface Translation {
  /** Balancers by key, in order of keys; only those that have a rule left. */
  readonly snapshot: Snapshot;
  /** Of Balancers of our class, in order of keys. */
  readonly problems: readonly Problem[];
  /** Of every Balancer of our class, by key (`namespace/name`). */
  readonly conditions: ReadonlyMap<string, BalancerConditions>;
}

export interface Translator {
  /** Like the function `translate`, but what did not change since the last call is the same object in the result. */
  translate(set: ResourceSet): Translation;
}

/** Translates once, from nothing. */
export function translate(set: ResourceSet, options: TranslateOptions): Translation {
  return createTranslator(options).translate(set);
}

interface BalancerMemo {
  readonly balancer: Balancer;
  /** The Services and slices that its members came from, to be compared by identity. */
  readonly inputs: readonly MemberInput[];
  readonly members: TranslatedMembers;
  readonly unit: BalancerUnit;
  /** What was said of the Balancer when its rules were settled as in `award`. */
  readonly report: Report | null;
}

interface Report {
  readonly award: Award;
  readonly problems: readonly Problem[];
  readonly conditions: BalancerConditions;
}

type MemberInput = Service | EndpointSlice | undefined;

/**
 * A translator that remembers: a Balancer whose own object and whose Services and EndpointSlices are the same objects as
 * before costs a few comparisons, and rules are settled anew only when Balancers changed. The owner keeps
 * it for as long as results should be re-used; options are fixed for its life.
 */
export function createTranslator(options: TranslateOptions): Translator {
  let memos = new Map<string, BalancerMemo>();
  let claimants = new Map<Balancer, Claimant>();
  let settled: { readonly claimants: readonly Claimant[]; readonly settlement: Settlement } | null = null;

  const settle = (ours: readonly Claimant[]): Settlement => {
    if (settled !== null && isSameList(settled.claimants, ours)) return settled.settlement;
    const settlement = settleClaims(ours, options);
    settled = { claimants: ours, settlement };
    return settlement;
  };

  const recall = (key: string, balancer: Balancer, set: ResourceSet): BalancerMemo => {
    const inputs = memberInputs(balancer, set);
    const memo = memos.get(key);
    if (memo !== undefined && memo.balancer === balancer && isSameList(memo.inputs, inputs)) return memo;
    const members = translateMembers(balancer, set, options);
    return { balancer, inputs, members, unit: unitOf(balancer, members.members, options), report: null };
  };

  return {
    translate(set) {
      const ours = [...set.balancers]
        .filter(([, { balancer }]) => isServed(balancer, options))
        .sort(([a], [b]) => compareText(a, b));

      const nextClaimants = new Map<Balancer, Claimant>();
      for (const [, { balancer, age }] of ours) {
        const before = claimants.get(balancer);
        nextClaimants.set(balancer, before?.age === age ? before : claimsOf(balancer, age));
      }
      claimants = nextClaimants;
      const { rules, awards } = settle([...claimants.values()]);

      const nextMemos = new Map<string, BalancerMemo>();
      const balancers = new Map<string, BalancerUnit>();
      const conditions = new Map<string, BalancerConditions>();
      const problems: Problem[] = [];
      for (const [key, { balancer }] of ours) {
        const memo = recall(key, balancer, set);
        const award = awards.get(key)!;
        const report = memo.report?.award === award ? memo.report : reportOn(award, memo.members);
        nextMemos.set(key, memo.report === report ? memo : { ...memo, report });
        if (award.ruleCount > 0) balancers.set(key, memo.unit);
        problems.push(...report.problems);
        conditions.set(key, report.conditions);
      }
      memos = nextMemos;
      return { snapshot: { balancers, rules }, problems, conditions };
    },
  };
}

function reportOn(award: Award, members: TranslatedMembers): Report {
  const faults = [...award.problems, ...members.problems];
  return {
    award,
    problems: [...faults, ...members.unresolved.map(({ problem }) => problem)],
    conditions: {
      accepted: acceptedCondition(award.ruleCount, faults),
      resolvedRefs: resolvedRefsCondition(members.unresolved),
    },
  };
}

/** Everything outside the Balancer that translateMembers may look at for it. */
function memberInputs(balancer: Balancer, set: ResourceSet): MemberInput[] {
  const inputs: MemberInput[] = [];
  for (const { service } of balancer.spec.members) {
    if (service === undefined) continue;
    const key = keyOf(service.namespace ?? balancer.metadata.namespace, service.name);
    const slices = set.endpointSlices.get(key) ?? [];
    // An absent slice list ends in the next Service or in nothing, so that lists of different shape never look alike.
    inputs.push(undefined, set.services.get(key), ...slices);
  }
  return inputs;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
