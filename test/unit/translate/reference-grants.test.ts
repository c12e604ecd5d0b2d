import { describe, expect, it } from 'vitest';
import { parseReferenceGrant, permitsService, type ReferenceGrant } from '../../../src/api/reference-grant.ts';
import { createTranslator, type Translator, translate } from '../../../src/translate/translate.ts';
import { parseResource } from '../../../src/api/parse.ts';
import { createResourceSetBuilder, type ResourceSet } from '../../../src/api/resource-set.ts';
import { testOptions } from './test-options.ts';

function grant(from: Record<string, string> = {}, to: Record<string, string> = {}): ReferenceGrant {
  return parseReferenceGrant({
    metadata: { name: 'g', namespace: 'elsewhere' },
    spec: {
      from: [{ group: 'evenkeel.dev', kind: 'Balancer', namespace: 'shop', ...from }],
      to: [{ group: '', kind: 'Service', ...to }],
    },
  })!;
}

describe('a ReferenceGrant', () => {
  it.each([
    ['all Services', grant(), true],
    ['this Service', grant({}, { name: 'app' }), true],
    ['another Service', grant({}, { name: 'other' }), false],
    ['another kind', grant({}, { kind: 'Secret' }), false],
    ['a Service of another group', grant({}, { group: 'example.com' }), false],
    ['another namespace', grant({ namespace: 'ops' }), false],
    ['another kind of referrer', grant({ kind: 'HTTPRoute' }), false],
    ['another group of referrers', grant({ group: 'gateway.networking.k8s.io' }), false],
  ])('about %s: %s', (_, given, isPermitted) => {
    expect(permitsService([given], 'shop', 'app')).toBe(isPermitted);
  });

  it('that makes no sense grants nothing', () => {
    expect(parseReferenceGrant({ metadata: { name: 'g' } })).toBeUndefined();
    expect(permitsService([], 'shop', 'app')).toBe(false);
  });
});

describe('a member from another namespace', () => {
  function resources(): ResourceSet {
    const builder = createResourceSetBuilder();
    const metadata = { name: 'app', namespace: 'elsewhere' };
    const labels = { 'kubernetes.io/service-name': 'app' };
    for (const document of [
      {
        apiVersion: 'evenkeel.dev/v1alpha1',
        kind: 'Balancer',
        metadata: { name: 'one', namespace: 'shop' },
        spec: { members: [{ service: { name: 'app', namespace: 'elsewhere', port: 80 } }] },
      },
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, labels },
        addressType: 'IPv4',
        ports: [{ port: 8080 }],
        endpoints: [{ addresses: ['10.0.0.1'] }],
      },
    ]) {
      builder.add(parseResource(document).resource!, 0);
    }
    return builder.build();
  }

  const options = { ...testOptions, allowsForeignServices: false };

  function membersWith(
    grants: readonly ReferenceGrant[],
    set = resources(),
    { translate: translateSet }: Pick<Translator, 'translate'> = { translate: (each) => translate(each, options) },
  ): { members: number; reason: string } {
    const translated = translateSet({ ...set, referenceGrants: new Map([['elsewhere', grants]]) });
    const { unit, conditions } = translated.balancers.get('shop/one')!;
    return { members: unit?.members.length ?? 0, reason: conditions.resolvedRefs.reason };
  }

  it('is there only while a ReferenceGrant permits it', () => {
    expect(membersWith([grant()])).toEqual({ members: 1, reason: 'ResolvedRefs' });
    expect(membersWith([])).toEqual({ members: 0, reason: 'ServiceNotPermitted' });
    expect(membersWith([grant({}, { name: 'other' })])).toEqual({ members: 0, reason: 'ServiceNotPermitted' });
  });

  it.each([
    ['in that namespace', 'elsewhere'],
    ['at all', null],
  ])('is not there when grants cannot be read %s, and the reason is told', (_, namespace) => {
    const translator = createTranslator(options);
    const why = 'the API server answers 500';
    const unread = { services: new Map(), secrets: new Map(), referenceGrants: new Map([[namespace, why]]) };
    const resolvedRefs = (set: ResourceSet) =>
      translator.translate(set).balancers.get('shop/one')!.conditions.resolvedRefs;
    const known = resources();
    expect(resolvedRefs(known).message).toContain('as no ReferenceGrant in elsewhere permits more');
    expect(resolvedRefs({ ...known, unread })).toMatchObject({
      reason: 'ServiceNotPermitted',
      message: expect.stringContaining(`as ReferenceGrants in elsewhere cannot be read: ${why}`),
    });
    // What was granted before stays.
    expect(membersWith([grant()], { ...known, unread }, translator).members).toBe(1);
  });

  it('says why where its Service cannot be read, rather than that there is none', () => {
    const translator = createTranslator(testOptions);
    const known = resources();
    const why = 'the controller has no right to read it (403 Forbidden)';
    const unread = { services: new Map([['elsewhere/app', why]]), secrets: new Map(), referenceGrants: new Map() };
    const missing = { ...known, services: new Map() };
    const resolvedRefs = (set: ResourceSet) =>
      translator.translate(set).balancers.get('shop/one')!.conditions.resolvedRefs;
    expect(resolvedRefs(missing).message).toContain('there is no Service elsewhere/app');
    for (const set of [missing, { ...known, endpointSlices: new Map() }]) {
      expect(resolvedRefs({ ...set, unread })).toMatchObject({
        reason: 'ServiceNotFound',
        message: expect.stringContaining(`Service elsewhere/app cannot be read: ${why}`),
      });
    }
    expect(resolvedRefs(known).reason).toBe('ResolvedRefs');
  });

  it('comes and goes with the ReferenceGrant while everything else is the same object', () => {
    const translator = createTranslator(options);
    const set = resources();
    for (const grants of [[], [grant()], [grant({}, { name: 'other' })], [grant()]]) {
      expect(membersWith(grants, set, translator)).toEqual(membersWith(grants));
    }
  });

  it('is not looked at again while the ReferenceGrants are the same', () => {
    const translator = createTranslator(options);
    const set = { ...resources(), referenceGrants: new Map([['elsewhere', [grant()]]]) };
    const first = translator.translate(set).balancers.get('shop/one');
    expect(first?.unit?.members).toHaveLength(1);
    const again = { ...set, referenceGrants: new Map([...set.referenceGrants, ['ops', [grant()]]]) };
    expect(translator.translate(again).balancers.get('shop/one')?.unit).toBe(first?.unit);
  });
});
