// PURE: what users and the cluster wrote → what lanes serve, with the problems found on the way. One bad resource takes
// nothing else down. No clock, no randomness, no I/O; the only state is that of createTranslator: a memo, which changes no
// result, and the last good signing keys of each Balancer, which do when a Secret goes missing.
import type { Balancer } from '../api/balancer.ts';
import type { EndpointSlice } from '../api/endpoint-slice.ts';
import type { Pod } from '../api/pod.ts';
import type { Problem } from '../api/problem.ts';
import type { ReferenceGrant } from '../api/reference-grant.ts';
import { type HostRecord, keyOf, type ResourceSet } from '../api/resource-set.ts';
import type { Secret } from '../api/secret.ts';
import type { Service } from '../api/service.ts';
import type { BalancerUnit, Snapshot } from '../snapshot/snapshot.ts';
import { claimsOf, isServed, unitOf } from './balancer-entry.ts';
import { acceptedCondition, type BalancerConditions, resolvedRefsCondition } from './conditions.ts';
import { type TranslatedMembers, translateMembers } from './members.ts';
import type { TranslateOptions } from './options.ts';
import { unreadGrantsOf } from './member-drafts.ts';
import { type Award, type Claimant, type Settlement, settleClaims } from './rules.ts';
import {
  type HashedRoutes,
  hashRoutes,
  signingSecretOf,
  type TranslatedSession,
  translateSession,
  unreadSecretOf,
} from './session.ts';
import { compareText } from './text-order.ts';

export interface Translation {
  /** Balancers by key, in order of keys; only those that have a rule left. */
  readonly snapshot: Snapshot;
  /** Every Balancer of our class by key (`namespace/name`), in order of keys. */
  readonly balancers: ReadonlyMap<string, TranslatedBalancer>;
}

/** One Balancer, and what is to be said of it. */
export interface TranslatedBalancer {
  /** Null: no rule is left, so that it is not served. */
  readonly unit: BalancerUnit | null;
  readonly problems: readonly Problem[];
  readonly conditions: BalancerConditions;
  /** What its status is to record of its hosts; null: nothing. */
  readonly hostRecord: HostRecord | null;
}

export interface Translator {
  /**
   * Like the function `translate`, but what did not change since the last call is the same object in the result, and
   * where a Secret with signing keys is missing or holds none, the keys that its Balancer had until then stay.
   */
  translate(set: ResourceSet): Translation;
  /**
   * For a set that differs from the one translated last in nothing but these Services (keys) and their EndpointSlices:
   * the Balancers that have members of them, by key; no other one changes. The work does not grow with the others.
   */
  translateServices(set: ResourceSet, services: ReadonlySet<string>): ReadonlyMap<string, TranslatedBalancer>;
}

/** Translates once, from nothing: no keys are remembered. */
export function translate(set: ResourceSet, options: TranslateOptions): Translation {
  return createTranslator(options).translate(set);
}

interface BalancerMemo {
  readonly balancer: Balancer;
  /** The Services and slices that its members came from, and who permits that, to be compared by identity. */
  readonly inputs: readonly MemberInput[];
  readonly members: TranslatedMembers;
  /** The Secret with the signing keys, likewise. */
  readonly secret: Secret | undefined;
  /** Why that is not known. */
  readonly unreadSecret: string | undefined;
  /** Holds the last good keys. */
  readonly session: TranslatedSession;
  readonly hashed: HashedRoutes;
  readonly unit: BalancerUnit;
  /** What was said of the Balancer when its rules were settled as in `award`. */
  readonly report: Report;
}

type UnreportedMemo = Omit<BalancerMemo, 'report'> & { readonly report: null };

interface Report {
  readonly award: Award;
  readonly problems: readonly Problem[];
  readonly conditions: BalancerConditions;
  readonly hostRecord: HostRecord | null;
}

const noHosts: readonly string[] = [];

type MemberInput = Service | EndpointSlice | readonly ReferenceGrant[] | Pod | string | undefined;

/**
 * A translator that remembers: a Balancer whose own object and whose Services, EndpointSlices and ReferenceGrants are the same objects
 * as before costs a few comparisons, and rules are settled anew only when Balancers changed. The owner keeps
 * it for as long as results should be re-used; options are fixed for its life.
 *
 * It also keeps the signing keys that are in force for a Balancer, for as long as that is ours and asks for signing:
 * should its Secret be deleted, emptied or renamed away, sessions go on to be signed and recognised by them.
 */
export function createTranslator(options: TranslateOptions): Translator {
  let memos = new Map<string, BalancerMemo>();
  /** Keys of Balancers by keys of the Services that their members come from. */
  let users = new Map<string, string[]>();
  let claimants = new Map<Balancer, Claimant>();
  let settled: { readonly claimants: readonly Claimant[]; readonly settlement: Settlement } | null = null;

  const settle = (ours: readonly Claimant[]): Settlement => {
    if (settled !== null && isSameList(settled.claimants, ours)) return settled.settlement;
    const settlement = settleClaims(ours, options);
    settled = { claimants: ours, settlement };
    return settlement;
  };

  const heldHostsOf = (record: HostRecord | undefined): readonly string[] =>
    record?.className === options.className ? record.hosts : noHosts;

  /** The memo with what is to be said of it when its rules are settled so. */
  const complete = (memo: BalancerMemo | UnreportedMemo, award: Award): BalancerMemo =>
    memo.report !== null && memo.report.award === award
      ? memo
      : { ...memo, report: reportOn(award, memo, options.className) };

  const recall = (key: string, balancer: Balancer, set: ResourceSet): BalancerMemo | UnreportedMemo => {
    const inputs = memberInputs(balancer, set);
    const secret = signingSecretOf(balancer, set);
    const unreadSecret = unreadSecretOf(balancer, set.unread);
    const memo = memos.get(key);
    const hasSameMembers = memo !== undefined && memo.balancer === balancer && isSameList(memo.inputs, inputs);
    if (hasSameMembers && memo.secret === secret && memo.unreadSecret === unreadSecret) return memo;
    const members = hasSameMembers ? memo.members : translateMembers(balancer, set, options);
    const session = translateSession(balancer, secret, unreadSecret, memo?.session.unit?.signing?.keys ?? []);
    const hashed = hashRoutes(balancer, members.members, memo?.hashed.routes ?? null);
    const unit = unitOf(balancer, members.members, session.unit, options);
    return { balancer, inputs, members, secret, unreadSecret, session, hashed, unit, report: null };
  };

  return {
    translate(set) {
      const ours = [...set.balancers]
        .filter(([, { balancer }]) => isServed(balancer, options))
        .sort(([a], [b]) => compareText(a, b));

      const nextClaimants = new Map<Balancer, Claimant>();
      for (const [key, { balancer, age }] of ours) {
        const before = claimants.get(balancer);
        const heldHosts = heldHostsOf(set.hostRecords?.get(key));
        const isSame = before?.age === age && before.heldHosts === heldHosts;
        nextClaimants.set(balancer, isSame ? before : claimsOf(balancer, age, heldHosts));
      }
      claimants = nextClaimants;
      const { rules, awards } = settle([...claimants.values()]);

      const nextMemos = new Map<string, BalancerMemo>();
      users = new Map();
      const units = new Map<string, BalancerUnit>();
      const balancers = new Map<string, TranslatedBalancer>();
      for (const [key, { balancer }] of ours) {
        const memo = complete(recall(key, balancer, set), awards.get(key)!);
        nextMemos.set(key, memo);
        for (const service of serviceKeys(balancer)) {
          const others = users.get(service);
          if (others === undefined) users.set(service, [key]);
          else others.push(key);
        }
        const translated = describe(memo);
        if (translated.unit !== null) units.set(key, translated.unit);
        balancers.set(key, translated);
      }
      memos = nextMemos;
      return { snapshot: { balancers: units, rules }, balancers };
    },

    translateServices(set, services) {
      const translated = new Map<string, TranslatedBalancer>();
      for (const service of services) {
        for (const key of users.get(service) ?? []) {
          const before = memos.get(key)!;
          const memo = complete(recall(key, before.balancer, set), before.report.award);
          memos.set(key, memo);
          translated.set(key, describe(memo));
        }
      }
      return translated;
    },
  };
}

function describe({ unit, report }: BalancerMemo): TranslatedBalancer {
  const { award, problems, conditions, hostRecord } = report;
  return { unit: award.ruleCount > 0 ? unit : null, problems, conditions, hostRecord };
}

function reportOn(award: Award, { members, session, hashed }: Omit<BalancerMemo, 'report'>, className: string): Report {
  const faults = [...award.problems, ...members.problems, ...hashed.problems];
  const unresolved = [...members.unresolved, ...session.unresolved];
  return {
    award,
    problems: [...faults, ...unresolved.map(({ problem }) => problem), ...members.notices],
    conditions: {
      accepted: acceptedCondition(award.ruleCount, faults),
      resolvedRefs: resolvedRefsCondition(unresolved),
    },
    hostRecord: award.hosts.length === 0 ? null : { className, hosts: award.hosts },
  };
}

/** Everything outside the Balancer that translateMembers may look at for it. */
function memberInputs(balancer: Balancer, set: ResourceSet): MemberInput[] {
  const inputs: MemberInput[] = [];
  for (const key of serviceKeys(balancer)) {
    const slices = set.endpointSlices.get(key) ?? [];
    const namespace = key.slice(0, key.indexOf('/'));
    // Slices end before a Pod, an undefined or nothing, and say how many Pods follow: lists of different shape never look alike.
    inputs.push(undefined, unreadGrantsOf(namespace, set.unread), set.unread?.services.get(key));
    inputs.push(set.referenceGrants?.get(namespace), set.services.get(key), ...slices);
    if (set.pods === undefined) continue;
    for (const { endpoints } of slices) {
      for (const { targetRef } of endpoints) inputs.push(set.pods.get(keyOf(namespace, targetRef?.name ?? '')));
    }
  }
  return inputs;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** The Services that members come from, each once, in order. */
function serviceKeys({ spec, metadata }: Balancer): Iterable<string> {
  const named = spec.members.flatMap(({ service }) => (service === undefined ? [] : [service]));
  return new Set(named.map(({ namespace, name }) => keyOf(namespace ?? metadata.namespace, name)));
}
