import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type BalancerStatus,
  type ConditionReasons,
  conditionTypes,
  desiredStatus,
  hasOurConditions,
  isSameStatus,
  refusedStatus,
  transitions,
} from '../../../../src/control/status/desired-status.ts';
import { countMembers, type MemberCounts } from '../../../../src/control/status/member-counts.ts';
import type { BalancerFacts } from '../../../../src/control/reconcile.ts';
import { balancer, member } from '../fixtures.ts';
import { balancerObject, counts, factsOf } from './fixtures.ts';

const firstMs = Date.parse('2026-01-02T03:04:05.678Z');
const laterMs = firstMs + 60_000;

function statusOf(
  facts: Partial<BalancerFacts> = {},
  members: Partial<MemberCounts> = {},
  more: { before?: BalancerStatus; wallMs?: number; generation?: number } = {},
): BalancerStatus {
  const object = balancerObject('a', { generation: more.generation ?? 3 });
  return desiredStatus({
    facts: factsOf(object, facts),
    members: counts(members),
    addresses: [],
    before: more.before,
    wallMs: more.wallMs ?? firstMs,
  });
}

function condition(status: BalancerStatus, type: keyof ConditionReasons) {
  const { status: value, reason, message } = status.conditions!.find((each) => each.type === type)!;
  return `${value} ${reason}: ${message}`;
}

describe('the status of a Balancer', () => {
  it('says all of a sound one, with the generation in each condition', () => {
    const times = { observedGeneration: 3, lastTransitionTime: '2026-01-02T03:04:05Z', status: 'True' };
    expect(statusOf({}, { total: 2, ready: 2 })).toEqual({
      observedGeneration: 3,
      members: { total: 2, ready: 2, draining: 0 },
      conditions: [
        { ...times, type: 'Accepted', reason: 'Accepted', message: 'The Balancer is served.' },
        { ...times, type: 'ResolvedRefs', reason: 'ResolvedRefs', message: 'All references are resolved.' },
        { ...times, type: 'Programmed', reason: 'Programmed', message: 'Every lane serves the newest version.' },
        { ...times, type: 'Ready', reason: 'Ready', message: '2 of 2 members take new sessions.' },
      ],
    });
  });

  it.each<[string, Partial<BalancerFacts>, Partial<MemberCounts>, string, string]>([
    [
      'it is not accepted',
      {
        conditions: {
          accepted: { isTrue: false, reason: 'NoRulesLeft', message: 'Others own its hosts.' },
          resolvedRefs: { isTrue: true, reason: 'ResolvedRefs', message: '' },
        },
        isProgrammed: false,
      },
      { total: 0, ready: 0 },
      'False NotServed: There is nothing to serve, since the Balancer is not accepted.',
      'False NotAccepted: The Balancer is not accepted; see the condition Accepted.',
    ],
    [
      'it is on its way',
      { isProgrammed: false },
      {},
      'False Pending: The newest version is on its way to the lanes.',
      'False NotProgrammed: Not every lane serves it; see the condition Programmed.',
    ],
    [
      'there is no room',
      { isProgrammed: false, hindrance: { reason: 'NoRoom', message: 'It found no room.' } },
      {},
      'False NoRoom: It found no room.',
      'False NotProgrammed: Not every lane serves it; see the condition Programmed.',
    ],
    [
      'there are no endpoints',
      {},
      { total: 0, ready: 0 },
      'True Programmed: Every lane serves the newest version.',
      'False NoMembers: There are no members, so that requests get 503: its Services have no endpoints.',
    ],
    [
      'nobody is ready',
      {},
      { total: 4, ready: 0, draining: 1, inError: 2, off: 1 },
      'True Programmed: Every lane serves the newest version.',
      'False NoMemberReady: None of 4 members takes new sessions; 1 drains, 2 rest after a failure, 1 is switched off.',
    ],
    [
      'some are ready',
      {},
      { total: 5, ready: 1, draining: 2, inError: 1, off: 1 },
      'True Programmed: Every lane serves the newest version.',
      'True Ready: 1 of 5 members takes new sessions; 2 drain, 1 rests after a failure, 1 is switched off.',
    ],
  ])('tells when %s', (_, facts, members, programmed, ready) => {
    const status = statusOf(facts, members);
    expect(condition(status, 'Programmed')).toBe(programmed);
    expect(condition(status, 'Ready')).toBe(ready);
  });

  it('keeps the time of a condition until its status changes, whatever else of it does', () => {
    const before = statusOf({}, { total: 2, ready: 2 });
    const after = statusOf({}, { total: 2, ready: 0, inError: 2 }, { before, wallMs: laterMs, generation: 4 });
    const times = after.conditions!.map(({ lastTransitionTime, observedGeneration }) => [
      lastTransitionTime,
      observedGeneration,
    ]);
    expect(times).toEqual([
      ['2026-01-02T03:04:05Z', 4],
      ['2026-01-02T03:04:05Z', 4],
      ['2026-01-02T03:04:05Z', 4],
      ['2026-01-02T03:05:05Z', 4],
    ]);
  });

  it('keeps the addresses that it has while they are not known', () => {
    const facts = factsOf(balancerObject('a'));
    const address = { type: 'IPAddress' as const, value: '192.0.2.1' };
    const known = desiredStatus({ facts, members: counts(), addresses: [address], before: undefined, wallMs: firstMs });
    expect(known.addresses).toEqual([address]);
    const unknown = desiredStatus({ facts, members: counts(), addresses: null, before: known, wallMs: laterMs });
    expect(isSameStatus(unknown, known)).toBe(true);
    const gone = desiredStatus({ facts, members: counts(), addresses: [], before: known, wallMs: laterMs });
    expect(isSameStatus(gone, known)).toBe(false);
    expect(gone.addresses).toBeUndefined();
  });

  it('records hosts and the class that they are recorded for, and drops what is lost', () => {
    const hostRecord = { className: 'evenkeel', hosts: ['a.example.com', 'b.example.com'] };
    const before = statusOf({ hostRecord });
    expect(before).toMatchObject(hostRecord);
    expect(isSameStatus(statusOf({ hostRecord }), before)).toBe(true);
    expect(isSameStatus(statusOf({ hostRecord: { ...hostRecord, hosts: ['a.example.com'] } }), before)).toBe(false);
    expect(isSameStatus(statusOf({ hostRecord: { ...hostRecord, className: 'other' } }), before)).toBe(false);
    const after = statusOf({ hostRecord: null }, {}, { before });
    expect(isSameStatus(after, before)).toBe(false);
    expect(after).not.toHaveProperty('hosts');
    expect(after).not.toHaveProperty('className');
  });

  it('records the hosts of the version that stays where the newest cannot be read, and none where there is no other', () => {
    const hostRecord = { className: 'evenkeel', hosts: ['a.example.com'] };
    const object = balancerObject('a');
    const refused = { metadata: object.metadata, spec: {}, problems: [] };
    const inputs = { refused, members: counts(), addresses: [], before: undefined, wallMs: firstMs };
    expect(refusedStatus({ ...inputs, facts: factsOf(object, { hostRecord }) })).toMatchObject(hostRecord);
    expect(refusedStatus({ ...inputs, facts: null })).not.toHaveProperty('hosts');
  });

  it('is the same whatever others added, in whatever order', () => {
    const ours = statusOf();
    const foreign = { ...ours.conditions![0]!, type: 'example.com/Audited' };
    const seen = { ...ours, conditions: [foreign, ...ours.conditions!.toReversed()] };
    expect(isSameStatus(ours, seen)).toBe(true);
    expect(isSameStatus(ours, undefined)).toBe(false);
    for (const missing of ours.conditions!) {
      expect(
        isSameStatus(ours, { ...seen, conditions: seen.conditions.filter(({ type }) => type !== missing.type) }),
      ).toBe(false);
    }
    expect(isSameStatus(ours, { ...seen, members: { total: 1, ready: 0, draining: 0 } })).toBe(false);
  });

  it('cuts messages that nobody would read to the end', () => {
    const accepted = { isTrue: true, reason: 'PartlyAccepted', message: 'x'.repeat(5_000) } as const;
    const { conditions } = factsOf(balancerObject('a'));
    const status = statusOf({ conditions: { ...conditions, accepted } });
    expect(status.conditions![0]!.message).toHaveLength(2_000);
  });

  it('is recognised by its conditions', () => {
    expect(hasOurConditions(statusOf())).toBe(true);
    expect(hasOurConditions({ conditions: [] })).toBe(false);
    expect(hasOurConditions({ conditions: [{ ...statusOf().conditions![0]!, type: 'Audited' }] })).toBe(false);
    expect(hasOurConditions(undefined)).toBe(false);
  });
});

describe('transitions', () => {
  const told = (before: BalancerStatus | undefined, after: BalancerStatus) =>
    transitions(before, after).map(({ type, status, reason }) => `${type} ${status} ${reason}`);

  it('of a new Balancer are what is wrong, and whether it is ready', () => {
    expect(told(undefined, statusOf())).toEqual(['Ready True Ready']);
    expect(told(undefined, statusOf({}, { total: 0, ready: 0 }))).toEqual(['Ready False NoMembers']);
    expect(told(undefined, statusOf({ isProgrammed: false }))).toEqual([
      'Programmed False Pending',
      'Ready False NotProgrammed',
    ]);
  });

  it('are changes of status or reason, and nothing else', () => {
    const before = statusOf({}, { total: 3, ready: 3 });
    expect(told(before, statusOf({}, { total: 9, ready: 1 }, { before, generation: 7 }))).toEqual([]);
    expect(told(before, statusOf({}, { total: 3, ready: 0 }, { before }))).toEqual(['Ready False NoMemberReady']);
    const worded = before.conditions!.map((each) => ({ ...each, status: 'False' as const }));
    expect(told({ ...before, conditions: worded }, before)).toHaveLength(4);
    const none = statusOf({}, { total: 3, ready: 0 });
    expect(told(none, statusOf({}, { total: 0, ready: 0 }, { before: none }))).toEqual(['Ready False NoMembers']);
  });
});

describe('members', () => {
  it('are counted once each, by state and flags', () => {
    const unit = balancer('a', [
      member('1'),
      member('2', { role: 'HotStandby' }),
      member('3'),
      member('4', { state: 'Draining' }),
      member('5', { state: 'Drained' }),
      member('6', { state: 'Disabled' }),
      member('7', { state: 'Stopped' }),
      member('8', { state: 'Draining' }),
      member('9'),
    ]);
    const flags = new Int32Array(new SharedArrayBuffer(64));
    flags[3] = 1;
    flags[8] = 1;
    flags[9] = 1 << 20;
    expect(countMembers({ unit, memberRows: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, { flags })).toEqual({
      total: 9,
      ready: 2,
      draining: 3,
      inError: 1,
      off: 3,
    });
  });
});

describe('docs/status.md', () => {
  it('lists every reason of every condition', () => {
    // The compiler keeps this list complete.
    const reasons: { readonly [T in keyof ConditionReasons]: Readonly<Record<ConditionReasons[T], true>> } = {
      Accepted: { Accepted: true, PartlyAccepted: true, NoRulesLeft: true, Invalid: true },
      ResolvedRefs: {
        ResolvedRefs: true,
        ServiceNotFound: true,
        ServiceNotPermitted: true,
        PortNotFound: true,
        EndpointsNotFound: true,
        EndpointsNotUsable: true,
        SecretNotFound: true,
        SecretNotUsable: true,
      },
      Programmed: {
        Programmed: true,
        Pending: true,
        NotServed: true,
        OlderVersion: true,
        NoRoom: true,
        SnapshotRefused: true,
      },
      Ready: { Ready: true, NotAccepted: true, NotProgrammed: true, NoMembers: true, NoMemberReady: true },
    };
    const page = readFileSync(new URL('../../../../docs/status.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `(\w+)` \| (?:True|False) \| `(\w+)` \|/gm)].map(
      ([, type, reason]) => `${type} ${reason}`,
    );
    const known = conditionTypes.flatMap((type) => Object.keys(reasons[type]).map((reason) => `${type} ${reason}`));
    expect(listed.toSorted()).toEqual(known.toSorted());
  });
});
