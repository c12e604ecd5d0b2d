// PURE: what is known of a Balancer → the status that says so. It writes nothing and knows no API server; what the status
// said before only gives it the times of conditions that still hold.
import type { Balancer } from '../../api/balancer.ts';
import type { RefusedBalancer } from '../../api/refused-balancer.ts';
import type { HostRecord } from '../../api/resource-set.ts';
import { type AcceptedReason, type Condition, type ResolvedRefsReason, summarise } from '../../translate/conditions.ts';
import type { BalancerFacts } from '../reconcile.ts';
import type { MemberCounts } from './member-counts.ts';

/** What a Balancer's status can say. */
export type BalancerStatus = NonNullable<Balancer['status']>;
export type StatusCondition = NonNullable<BalancerStatus['conditions']>[number];
export type StatusAddress = NonNullable<BalancerStatus['addresses']>[number];

/**
 * Whether every lane serves what the Balancer says. `Pending`: it is on its way to them. `NotServed`: there is nothing to
 * serve, see Accepted. `OlderVersion`: that cannot be read, and the version before it is served on. `NoRoom`: the shared memory is full. `SnapshotRefused`: a fault of ours; what was served stays.
 */
export type ProgrammedReason = 'Programmed' | 'Pending' | 'NotServed' | 'OlderVersion' | 'NoRoom' | 'SnapshotRefused';

/**
 * Whether a request would be answered by a member now. `NotAccepted`, `NotProgrammed`: the condition of that name says why.
 * `NoMembers`: it has none. `NoMemberReady`: none of those it has takes new sessions.
 */
export type ReadyReason = 'Ready' | 'NotAccepted' | 'NotProgrammed' | 'NoMembers' | 'NoMemberReady';

/** Every reason there is, by type of the condition; docs/status.md lists the same. */
export interface ConditionReasons {
  /** `Invalid`: the version cannot be read. */
  readonly Accepted: AcceptedReason | 'Invalid';
  readonly ResolvedRefs: ResolvedRefsReason;
  readonly Programmed: ProgrammedReason;
  readonly Ready: ReadyReason;
}

/** Our conditions; others in the same list belong to others. */
export const conditionTypes: readonly (keyof ConditionReasons)[] = ['Accepted', 'ResolvedRefs', 'Programmed', 'Ready'];

export interface StatusInputs {
  readonly facts: BalancerFacts;
  readonly members: MemberCounts;
  /** Null: not known at the moment; those that the status has stay. */
  readonly addresses: readonly StatusAddress[] | null;
  /** The status as it is; undefined: there is none. */
  readonly before: BalancerStatus | undefined;
  readonly wallMs: number;
}

/** What is said of a version that does not parse. */
export interface RefusedInputs extends Omit<StatusInputs, 'facts'> {
  readonly refused: RefusedBalancer;
  /** Of the version that stays; null: there is none. */
  readonly facts: BalancerFacts | null;
}

/** A condition, and the generation that it is about. */
interface Claim {
  readonly type: keyof ConditionReasons;
  readonly condition: Condition<string>;
  readonly generation: number | undefined;
}

/** As much as a condition's message may be: far below what the schema takes, and enough for a person. */
const MAX_MESSAGE_LENGTH = 2_000;

/** The whole of what we have to say. A condition keeps its time for as long as its status stays the same. */
export function desiredStatus({ facts, members, addresses, before, wallMs }: StatusInputs): BalancerStatus {
  const { accepted, resolvedRefs } = facts.conditions;
  const programmed = programmedCondition(facts);
  const { generation } = facts.balancer.metadata;
  const claims: readonly Claim[] = [
    { type: 'Accepted', condition: accepted, generation },
    { type: 'ResolvedRefs', condition: resolvedRefs, generation },
    { type: 'Programmed', condition: programmed, generation },
    { type: 'Ready', condition: readyCondition(facts, programmed, members), generation },
  ];
  return statusOf(generation, claims, facts.hostRecord, { members, addresses, before, wallMs });
}

/**
 * The same for a version that does not parse: of references nothing is known but what was known of the version before it,
 * if there is one.
 */
export function refusedStatus({ refused, facts, ...inputs }: RefusedInputs): BalancerStatus {
  const { generation } = refused.metadata;
  const isServed = facts?.conditions.accepted.isTrue ?? false;
  const rest = isServed ? 'The version before it is served on.' : 'Nothing is served of it.';
  const accepted: Condition<string> = {
    isTrue: false,
    reason: 'Invalid',
    message: `This version cannot be read: ${summarise(refused.problems)} ${rest}`,
  };
  const claims: Claim[] = [{ type: 'Accepted', condition: accepted, generation }];
  if (facts !== null) {
    const about = facts.balancer.metadata.generation;
    claims.push({ type: 'ResolvedRefs', condition: facts.conditions.resolvedRefs, generation: about });
  }
  claims.push(
    { type: 'Programmed', condition: isServed ? olderVersion : notServed, generation },
    { type: 'Ready', condition: notAccepted, generation },
  );
  return statusOf(generation, claims, facts?.hostRecord ?? null, inputs);
}

function statusOf(
  generation: number | undefined,
  claims: readonly Claim[],
  hostRecord: HostRecord | null,
  { members, addresses, before, wallMs }: Omit<StatusInputs, 'facts'>,
): BalancerStatus {
  const published = addresses ?? before?.addresses ?? [];
  return {
    ...observed(generation),
    members: { total: members.total, ready: members.ready, draining: members.draining },
    ...(published.length === 0 ? {} : { addresses: published.map(({ type, value }) => ({ type, value })) }),
    ...hostRecord,
    conditions: claims.map(({ type, condition, generation: about }): StatusCondition => {
      const status = condition.isTrue ? 'True' : 'False';
      const last = before?.conditions?.find((each) => each.type === type);
      return {
        type,
        status,
        ...observed(about),
        lastTransitionTime: last?.status === status ? last.lastTransitionTime : rfc3339(wallMs),
        reason: condition.reason,
        message: shortened(condition.message),
      };
    }),
  };
}

function observed(generation: number | undefined): Pick<BalancerStatus, 'observedGeneration'> {
  return generation === undefined ? {} : { observedGeneration: generation };
}

/** Whether it says the same, whatever others added to it. */
export function isSameStatus(desired: BalancerStatus, actual: BalancerStatus | undefined): boolean {
  return actual !== undefined && textOf(desired) === textOf(actual);
}

/** Conditions that are new or say something else in status or reason. */
export function transitions(before: BalancerStatus | undefined, after: BalancerStatus): readonly StatusCondition[] {
  return (after.conditions ?? []).filter((condition) => {
    const last = before?.conditions?.find(({ type }) => type === condition.type);
    // That something is right from the start is no news, but that it is ready is what people wait for.
    if (last === undefined) return condition.status === 'False' || condition.type === 'Ready';
    return last.status !== condition.status || last.reason !== condition.reason;
  });
}

/** Whether a status has conditions such as ours. */
export function hasOurConditions(status: BalancerStatus | undefined): boolean {
  return status?.conditions?.some(({ type }) => isOurType(type)) ?? false;
}

const notServed: Condition<ProgrammedReason> = {
  isTrue: false,
  reason: 'NotServed',
  message: 'There is nothing to serve, since the Balancer is not accepted.',
};

const olderVersion: Condition<ProgrammedReason> = {
  isTrue: false,
  reason: 'OlderVersion',
  message: 'Lanes go on with the version before this one, which is not accepted.',
};

const notAccepted: Condition<ReadyReason> = {
  isTrue: false,
  reason: 'NotAccepted',
  message: 'The Balancer is not accepted; see the condition Accepted.',
};

function programmedCondition({ isProgrammed, hindrance, conditions }: BalancerFacts): Condition<ProgrammedReason> {
  if (!conditions.accepted.isTrue) return notServed;
  if (hindrance !== null) return { isTrue: false, ...hindrance };
  if (!isProgrammed) {
    return { isTrue: false, reason: 'Pending', message: 'The newest version is on its way to the lanes.' };
  }
  return { isTrue: true, reason: 'Programmed', message: 'Every lane serves the newest version.' };
}

function readyCondition(
  { conditions }: BalancerFacts,
  programmed: Condition<ProgrammedReason>,
  { total, ready, draining, inError, off }: MemberCounts,
): Condition<ReadyReason> {
  if (!conditions.accepted.isTrue) return notAccepted;
  // What was served before is served on, but it is not what the Balancer says.
  if (!programmed.isTrue) {
    return {
      isTrue: false,
      reason: 'NotProgrammed',
      message: 'Not every lane serves it; see the condition Programmed.',
    };
  }
  if (total === 0) {
    const why = conditions.resolvedRefs.isTrue ? 'its Services have no endpoints' : 'see the condition ResolvedRefs';
    return { isTrue: false, reason: 'NoMembers', message: `There are no members, so that requests get 503: ${why}.` };
  }
  const rest = [
    draining > 0 ? `${draining} ${draining === 1 ? 'drains' : 'drain'}` : '',
    inError > 0 ? `${inError} ${inError === 1 ? 'rests' : 'rest'} after a failure` : '',
    off > 0 ? `${off} ${off === 1 ? 'is' : 'are'} switched off` : '',
  ].filter((part) => part !== '');
  const others = rest.length === 0 ? '' : `; ${rest.join(', ')}`;
  const members = `${total} ${total === 1 ? 'member' : 'members'}`;
  if (ready === 0) {
    return { isTrue: false, reason: 'NoMemberReady', message: `None of ${members} takes new sessions${others}.` };
  }
  return {
    isTrue: true,
    reason: 'Ready',
    message: `${ready} of ${members} ${ready === 1 ? 'takes' : 'take'} new sessions${others}.`,
  };
}

/** Conditions as one text, ours only, in our order: the API server and other writers may keep the list in another one. */
function textOf({ observedGeneration, members, addresses, className, hosts, conditions }: BalancerStatus): string {
  const ours = conditionTypes.map((type) => {
    const found = conditions?.find((each) => each.type === type);
    if (found === undefined) return null;
    const { status, reason, message, lastTransitionTime } = found;
    return [status, found.observedGeneration, reason, message, Date.parse(lastTransitionTime)];
  });
  const counts = members === undefined ? null : [members.total, members.ready, members.draining];
  const published = (addresses ?? []).map(({ type, value }) => [type, value]);
  return JSON.stringify([observedGeneration, counts, published, className, hosts, ours]);
}

function isOurType(type: string): boolean {
  return conditionTypes.some((each) => each === type);
}

function shortened(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…`;
}

/** In whole seconds, as Kubernetes keeps the times of conditions. */
function rfc3339(wallMs: number): string {
  return new Date(Math.floor(wallMs / 1000) * 1000).toISOString().replace('.000Z', 'Z');
}
