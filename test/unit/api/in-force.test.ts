// The lists of fields that are and are not acted on, and the notices made from them.
import { describe, expect, test } from 'vitest';
import { type Balancer, balancerSchema } from '../../../src/api/balancer.ts';
import { fieldsInForce, fieldsNotYet, forceOf, isWithin, noticesFor, valuesNotYet } from '../../../src/api/in-force.ts';
import { parseResource } from '../../../src/api/parse.ts';
import { leavesOf, schemaTree } from '../../../src/api/schema/tree.ts';
import { balancerDocument, specWith } from './documents.ts';

const listed = [...fieldsInForce, ...Object.keys(fieldsNotYet)];
const leaves = leavesOf(schemaTree(balancerSchema.shape.spec), 'spec').map(({ path }) => path);

function balancerWith(fields: Readonly<Record<string, unknown>>): Balancer {
  const { resource } = parseResource(balancerDocument(specWith(fields)));
  if (resource?.kind !== 'Balancer') throw new Error('the document is not a valid Balancer');
  return resource;
}

function noticedPaths(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return noticesFor(balancerWith(fields)).map(({ path }) => path);
}

describe('the two lists', () => {
  test.each(leaves)('name %s exactly once', (leaf) => {
    expect(listed.filter((entry) => isWithin(leaf, entry))).toHaveLength(1);
  });

  test('name no field that does not exist', () => {
    for (const entry of [...listed, ...Object.keys(valuesNotYet)]) {
      expect(
        leaves.some((leaf) => isWithin(leaf, entry)),
        entry,
      ).toBe(true);
    }
  });

  test('tell of any field how much of it is in force', () => {
    expect(forceOf('spec.rules[].hosts')).toBe('yes');
    expect(forceOf(Object.keys(fieldsNotYet)[0] ?? '')).toBe('not yet');
    expect(forceOf('spec')).toBe('partly');
  });
});

describe('notices', () => {
  test('there are none for fields that are in force, nor for defaults', () => {
    expect(
      noticedPaths({ rules: [{ hosts: ['a.com'] }], timeouts: { connect: '1s' }, lbMethod: 'byrequests' }),
    ).toEqual([]);
    // What the API server makes of a Balancer in which nothing but the members was written.
    expect(noticesFor(parseAgain(balancerWith({})))).toEqual([]);
    expect(noticedPaths({ limits: { maxWaiting: 0 }, drain: { unreadyGrace: '0s' }, tls: [] })).toEqual([]);
  });

  test('name each place where a field that is not in force is used', () => {
    for (const [path, instead] of Object.entries(fieldsNotYet)) {
      const sample = samples[path];
      expect(sample, `${path} needs a sample here`).toBeDefined();
      expect(
        noticesFor(balancerWith(sample ?? {})).find((notice) => notice.path === path.replace('[]', '[0]')),
      ).toEqual({
        resource: { kind: 'Balancer', namespace: 'web', name: 'shop' },
        path: path.replace('[]', '[0]'),
        message: `${path.replace('[]', '[0]')} is not in force yet: ${instead}`,
        severity: 'notice',
      });
    }
  });

  test('name values that are not in force', () => {
    for (const [path, { values, instead }] of Object.entries(valuesNotYet)) {
      const field = path.replace('spec.', '');
      for (const value of values) {
        const messages = noticesFor(balancerWith({ [field]: value })).map(({ message }) => message);
        expect(messages).toEqual([`${path} ${String(value)} is not in force yet: ${instead}`]);
      }
    }
  });
});

function parseAgain(balancer: Balancer): Balancer {
  const { resource } = parseResource(JSON.parse(JSON.stringify(balancer)));
  if (resource?.kind !== 'Balancer') throw new Error('the document is not a valid Balancer');
  return resource;
}

/** A use of each field that may ever be on the list of those that are not in force. */
const samples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'spec.tls': { tls: [{ hosts: ['a.com'], secretName: 'a' }] },
  'spec.hash': { lbMethod: 'hash', hash: {} },
  'spec.members[].redirect': { members: [{ url: 'http://a', redirect: 'b' }] },
  'spec.members[].ignoreErrors': { members: [{ url: 'http://a', ignoreErrors: true }] },
  'spec.overrides': { overrides: [{ member: 'a', state: 'Draining' }] },
  'spec.stickySession': { stickySession: { cookie: 'S' } },
  'spec.drain': { drain: { timeout: '10m' } },
  'spec.failover.failOnStatus': { failover: { failOnStatus: [503] } },
  'spec.failover.failOnTimeout': { failover: { failOnTimeout: true } },
  'spec.timeouts.wait': { timeouts: { wait: '1s' } },
  'spec.limits.maxConnectionsPerMember': { limits: { maxConnectionsPerMember: 5 } },
  'spec.limits.maxWaiting': { limits: { maxWaiting: 5 } },
  'spec.healthCheck': { healthCheck: {} },
};
