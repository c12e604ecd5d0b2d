// Which namespace a host belongs to when statuses record it: the record comes first, then age; and what is recorded never
// changes who has what, in whatever order it is written and seen.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostTerms } from '../../../src/translate/host-owners.ts';
import { type Claimant, type Settlement, settleClaims } from '../../../src/translate/rules.ts';

const strict: HostTerms = { hostOwnership: 'Strict', catchAllNamespaces: new Set(['a', 'b']) };
const shared: HostTerms = { ...strict, hostOwnership: 'Shared' };

/** The Balancer of that key and age, which wants all paths of these hosts. */
function claimant(key: string, age: number, hosts: readonly string[], heldHosts: readonly string[] = []): Claimant {
  const [namespace = '', name = ''] = key.split('/');
  return {
    ref: { kind: 'Balancer', namespace, name },
    balancer: key,
    age,
    heldHosts,
    claims: hosts.map((host, index) => ({
      host,
      pathType: 'Prefix',
      path: '/',
      pathText: '/',
      hostField: `spec.rules[0].hosts[${index}]`,
      pathField: 'spec.rules[0].paths[0]',
    })),
  };
}

/** Who serves each host, and what each is to record. */
function outcome({ rules, awards }: Settlement) {
  return {
    served: Object.fromEntries(rules.map(({ host, balancer }) => [host, balancer])),
    recorded: Object.fromEntries([...awards].map(([key, { hosts }]) => [key, hosts])),
  };
}

function settle(claimants: readonly Claimant[], terms = strict) {
  return outcome(settleClaims(claimants, terms));
}

describe('a host that a status records', () => {
  test('stays with its holder, however old those are that claim it later', () => {
    const holder = claimant('a/app', 9, ['shop.example.com'], ['shop.example.com']);
    const intruder = claimant('b/old', 1, ['shop.example.com', 'b.example.com']);
    const settlement = settleClaims([holder, intruder], strict);
    expect(outcome(settlement)).toEqual({
      served: { 'shop.example.com': 'a/app', 'b.example.com': 'b/old' },
      recorded: { 'a/app': ['shop.example.com'], 'b/old': ['b.example.com'] },
    });
    expect(settlement.awards.get('b/old')?.problems.map(({ message }) => message)).toEqual([
      'spec.rules[0].hosts[0]: host shop.example.com belongs to namespace a, which claimed it first by Balancer a/app',
    ]);
  });

  test('goes by age where nobody holds it, and is recorded then', () => {
    const claims = [claimant('a/app', 9, ['shop.example.com']), claimant('b/old', 1, ['shop.example.com'])];
    expect(settle(claims)).toEqual({
      served: { 'shop.example.com': 'b/old' },
      recorded: { 'a/app': [], 'b/old': ['shop.example.com'] },
    });
  });

  test('is free when its holder does not claim it any more', () => {
    const holder = claimant('a/app', 9, ['other.example.com'], ['other.example.com', 'shop.example.com']);
    expect(settle([holder, claimant('b/old', 1, ['shop.example.com'])])).toEqual({
      served: { 'other.example.com': 'a/app', 'shop.example.com': 'b/old' },
      recorded: { 'a/app': ['other.example.com'], 'b/old': ['shop.example.com'] },
    });
  });

  test('goes by age among those that hold it; the other one is to forget it', () => {
    const claims = [
      claimant('a/app', 9, ['shop.example.com'], ['shop.example.com']),
      claimant('b/old', 5, ['shop.example.com'], ['shop.example.com']),
      claimant('c/oldest', 1, ['shop.example.com']),
    ];
    expect(settle(claims)).toEqual({
      served: { 'shop.example.com': 'b/old' },
      recorded: { 'a/app': [], 'b/old': ['shop.example.com'], 'c/oldest': [] },
    });
  });

  test('is the whole namespace’s: there the older one wins a path, and whoever claims the host records it', () => {
    const claims = [
      claimant('a/holder', 9, ['shop.example.com'], ['shop.example.com']),
      claimant('a/older', 5, ['shop.example.com']),
      claimant('b/oldest', 1, ['shop.example.com']),
    ];
    const recorded = { 'a/holder': ['shop.example.com'], 'a/older': ['shop.example.com'], 'b/oldest': [] };
    expect(settle(claims)).toEqual({ served: { 'shop.example.com': 'a/older' }, recorded });
  });

  test('stays when it is the catch-all host, for as long as the namespace may have that', () => {
    const claims = [
      claimant('a/app', 9, ['*'], ['*']),
      claimant('b/old', 1, ['*']),
      claimant('c/not', 0, ['*'], ['*']),
    ];
    expect(settle(claims)).toEqual({
      served: { '*': 'a/app' },
      recorded: { 'a/app': ['*'], 'b/old': [], 'c/not': [] },
    });
    expect(settle(claims, { ...strict, catchAllNamespaces: new Set(['b']) }).served).toEqual({ '*': 'b/old' });
  });

  test('counts for nothing, and is not recorded, where namespaces share hosts', () => {
    const claims = [
      claimant('a/app', 9, ['shop.example.com'], ['shop.example.com']),
      claimant('b/old', 1, ['shop.example.com']),
    ];
    expect(settle(claims, shared)).toEqual({
      served: { 'shop.example.com': 'b/old' },
      recorded: { 'a/app': [], 'b/old': [] },
    });
  });
});

describe('a wildcard that a status records', () => {
  test('keeps the names below it, but for those that others hold', () => {
    const claims = [
      claimant('a/wild', 9, ['*.example.com'], ['*.example.com']),
      claimant('b/held', 10, ['early.example.com'], ['early.example.com']),
      claimant('c/old', 1, ['late.example.com', 'early.example.com', '*.example.com', 'c.example.org']),
    ];
    expect(settle(claims)).toEqual({
      served: { '*.example.com': 'a/wild', 'early.example.com': 'b/held', 'c.example.org': 'c/old' },
      recorded: { 'a/wild': ['*.example.com'], 'b/held': ['early.example.com'], 'c/old': ['c.example.org'] },
    });
  });

  test('is recorded only after the names below it that belong to others', () => {
    const wild = claimant('a/wild', 9, ['*.example.com', 'a.example.org']);
    const before = claimant('b/before', 1, ['early.example.com']);
    const served = { '*.example.com': 'a/wild', 'early.example.com': 'b/before', 'a.example.org': 'a/wild' };
    expect(settle([wild, before])).toEqual({
      served,
      recorded: { 'a/wild': ['a.example.org'], 'b/before': ['early.example.com'] },
    });
    expect(settle([wild, { ...before, heldHosts: ['early.example.com'] }])).toEqual({
      served,
      recorded: { 'a/wild': ['*.example.com', 'a.example.org'], 'b/before': ['early.example.com'] },
    });
  });
});

const hosts = ['*', 'x.test', 'y.test', '*.test', 'z.x.test', '*.x.test'];
const someHosts = fc.uniqueArray(fc.constantFrom(...hosts), { maxLength: 4 });
/** Few ages, so that some are equal. */
const someClaimants = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(4), someHosts, someHosts), { maxLength: 6 })
  .map((list) =>
    list.map(([namespace, age, claimed, held], index) => claimant(`${namespace}/${index}`, age, claimed, held)),
  );

/** As the leader leaves it when it has written all there is to write. */
function recorded(claimants: readonly Claimant[]): readonly Claimant[] {
  const { awards } = settleClaims(claimants, strict);
  return claimants.map((each) => ({ ...each, heldHosts: awards.get(each.balancer)!.hosts }));
}

function refusals(claimants: readonly Claimant[]) {
  const { rules, awards } = settleClaims(claimants, strict);
  return {
    rules,
    problems: [...awards].map(([key, { problems }]) => [key, problems.map(({ path, value }) => [path, value])]),
  };
}

describe('whatever is claimed and recorded', () => {
  test('a host that is held does not change its owner while a holder claims it, whatever the others do', () => {
    fc.assert(
      fc.property(someClaimants, someClaimants, fc.array(fc.nat(5)), (first, others, stay) => {
        // Two rounds: wildcards may have to wait for the names below them.
        const held = recorded(recorded(first));
        const staying = held.filter((_, index) => stay.includes(index));
        const newcomers = others.map((each) => ({ ...each, balancer: `${each.balancer}-new`, heldHosts: [] }));
        const { rules, awards } = settleClaims([...staying, ...newcomers], strict);
        for (const { balancer, ref, heldHosts } of staying) {
          expect(awards.get(balancer)?.hosts).toEqual(expect.arrayContaining([...heldHosts]));
          for (const { host, balancer: winner } of rules) {
            if (heldHosts.includes(host)) expect(winner.split('/')[0]).toBe(ref.namespace);
          }
        }
      }),
    );
  });

  test('recording any part of the outcome changes nothing, and in the end there is nothing left to record', () => {
    fc.assert(
      fc.property(someClaimants, fc.array(fc.nat(5), { maxLength: 12 }), (claimants, order) => {
        const before = refusals(claimants);
        let current = claimants;
        for (const at of order) {
          const target = recorded(current)[at];
          if (target === undefined) continue;
          current = current.with(at, target);
          expect(refusals(current)).toEqual(before);
        }
        const settled = recorded(recorded(current));
        expect(refusals(settled)).toEqual(before);
        expect(recorded(settled)).toEqual(settled);
      }),
      { numRuns: 1_000 },
    );
  });
});
