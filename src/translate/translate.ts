// PURE: what users and the cluster wrote → what lanes serve, with the problems found on the way. One bad resource takes
// nothing else down. No clock, no randomness, no I/O; the only state is that of createTranslator: a memo, which changes no
// result, and the last good signing keys of each Balancer, which do when a Secret goes missing.
import type { Balancer } from '../api/balancer.ts';
import type { EndpointSlice } from '../api/endpoint-slice.ts';
import type { Problem } from '../api/problem.ts';
import { keyOf, type ResourceSet } from '../api/resource-set.ts';
import type { Secret } from '../api/secret.ts';
import type { Service } from '../api/service.ts';
import type { BalancerUnit, Snapshot } from '../snapshot/snapshot.ts';
import { claimsOf, isServed, unitOf } from './balancer-entry.ts';
import { acceptedCondition, type BalancerConditions, resolvedRefsCondition } from './conditions.ts';
import { type TranslatedMembers, translateMembers } from './members.ts';
import type { TranslateOptions } from './options.ts';
import { type Award, type Claimant, type Settlement, settleClaims } from './rules.ts';
import { type HashedRoutes, hashRoutes, signingSecretOf, type TranslatedSession, translateSession } from './session.ts';
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
  /**
   * Like the function `translate`, but what did not change since the last call is the same object in the result, and
   * where a Secret with signing keys is missing or holds none, the keys that its Balancer had until then stay.
   */
  translate(set: ResourceSet): Translation;
}

/** Translates once, from nothing: no keys are remembered. */
export function translate(set: ResourceSet, options: TranslateOptions): Translation {
  return createTranslator(options).translate(set);
}

interface BalancerMemo {
  readonly balancer: Balancer;
  /** The Services and slices that its members came from, to be compared by identity. */
  readonly inputs: readonly MemberInput[];
  readonly members: TranslatedMembers;
  /** The Secret with the signing keys, likewise. */
  readonly secret: Secret | undefined;
  /** Holds the last good keys. */
  readonly session: TranslatedSession;
  readonly hashed: HashedRoutes;
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
 *
 * It also keeps the signing keys that are in force for a Balancer, for as long as that is ours and asks for signing:
 * should its Secret be deleted, emptied or renamed away, sessions go on to be signed and recognised by them.
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
    const secret = signingSecretOf(balancer, set);
    const memo = memos.get(key);
    const hasSameMembers = memo !== undefined && memo.balancer === balancer && isSameList(memo.inputs, inputs);
    if (hasSameMembers && memo.secret === secret) return memo;
    const members = hasSameMembers ? memo.members : translateMembers(balancer, set, options);
    const session = translateSession(balancer, secret, memo?.session.unit?.signing?.keys ?? []);
    const hashed = hashRoutes(balancer, members.members, memo?.hashed.routes ?? null);
    const unit = unitOf(balancer, members.members, session.unit, options);
    return { balancer, inputs, members, secret, session, hashed, unit, report: null };
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
        const report = memo.report?.award === award ? memo.report : reportOn(award, memo);
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

function reportOn(award: Award, { members, session, hashed }: BalancerMemo): Report {
  const faults = [...award.problems, ...members.problems, ...hashed.problems];
  const unresolved = [...members.unresolved, ...session.unresolved];
  return {
    award,
    problems: [...faults, ...unresolved.map(({ problem }) => problem), ...members.notices],
    conditions: {
      accepted: acceptedCondition(award.ruleCount, faults),
      resolvedRefs: resolvedRefsCondition(unresolved),
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
