import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../../../src/api/endpoint-slice.ts';
import { parseResource } from '../../../src/api/parse.ts';
import type { Service } from '../../../src/api/service.ts';
import { type EndpointsOptions, findEndpoints } from '../../../src/translate/service-endpoints.ts';

const all: EndpointsOptions = { allowsExternalNames: true, zone: null };

function service(spec: Record<string, unknown> = {}): Service {
  const document = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'app' },
    spec: { ports: [{ port: 80 }], ...spec },
  };
  return parseResource(document).resource as Service;
}

interface Given {
  readonly address: string;
  readonly zones?: readonly string[];
  readonly conditions?: Readonly<Record<string, boolean>>;
}

function slice(endpoints: readonly Given[], addressType = 'IPv4'): EndpointSlice {
  const document = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `app-${addressType.toLowerCase()}`, labels: { 'kubernetes.io/service-name': 'app' } },
    addressType,
    ports: [{ port: 8080 }],
    endpoints: endpoints.map(({ address, zones, conditions = {} }) => ({
      addresses: [address],
      conditions,
      ...(zones === undefined ? {} : { hints: { forZones: zones.map((name) => ({ name })) } }),
    })),
  };
  return parseResource(document).resource as EndpointSlice;
}

function found(of: Service, slices: readonly EndpointSlice[], options: EndpointsOptions = all): readonly string[] {
  return findEndpoints(of, 80, slices, options).endpoints.map(({ address, phase }) =>
    phase === 'ready' ? address : `${address} ${phase}`,
  );
}

describe('hints for zones', () => {
  const [a, b, ab] = [
    { address: '10.0.0.1', zones: ['a'] },
    { address: '10.0.0.2', zones: ['b'] },
    { address: '10.0.0.3', zones: ['a', 'b'] },
  ];
  const inZone = (zone: string | null) => ({ ...all, zone });

  it('are followed where every endpoint has one', () => {
    expect(found(service(), [slice([a, b, ab])], inZone('a'))).toEqual(['10.0.0.1', '10.0.0.3']);
    expect(found(service(), [slice([a, b, ab])], inZone('b'))).toEqual(['10.0.0.2', '10.0.0.3']);
  });

  it.each([
    ['the own zone is not known', [a, b], null],
    ['no endpoint is for the own zone', [a, b], 'c'],
    ['one endpoint has none', [a, b, { address: '10.0.0.4' }], 'a'],
    ['one endpoint has an empty one', [a, b, { address: '10.0.0.4', zones: [] }], 'a'],
  ])('are ignored where %s', (_, endpoints, zone) => {
    expect(found(service(), [slice(endpoints)], inZone(zone))).toEqual(endpoints.map(({ address }) => address));
  });

  it('do not concern endpoints that terminate', () => {
    const leaving = { address: '10.0.0.9', conditions: { ready: false, serving: true, terminating: true } };
    expect(found(service(), [slice([a, b, leaving])], inZone('a'))).toEqual(['10.0.0.1', '10.0.0.9 terminating']);
  });
});

describe('the family of addresses', () => {
  const four = slice([{ address: '10.0.0.1' }]);
  const six = slice([{ address: 'fd00::1' }], 'IPv6');

  it.each([
    [{ ipFamilies: ['IPv4', 'IPv6'], clusterIP: '10.96.0.1' }, '10.0.0.1'],
    [{ ipFamilies: ['IPv6', 'IPv4'], clusterIP: 'fd00::96' }, 'fd00::1'],
    [{ ipFamilies: ['IPv6', 'IPv4'], clusterIP: 'None' }, 'fd00::1'],
    [{ clusterIP: 'fd00::96' }, 'fd00::1'],
    [{}, '10.0.0.1'],
  ])('of %j is the first one of the Service', (spec, address) => {
    expect(found(service(spec), [four, six])).toEqual([address]);
  });

  it('is the other one where the first has no endpoints', () => {
    expect(found(service({ ipFamilies: ['IPv6'] }), [four])).toEqual(['10.0.0.1']);
  });
});

describe('a Service that publishes addresses that are not ready', () => {
  const publishes = service({ publishNotReadyAddresses: true });
  const unready = { address: '10.0.0.1', conditions: { ready: false, serving: false } };
  const leaving = { address: '10.0.0.2', conditions: { ready: true, serving: true, terminating: true } };

  it('has them as members, and drains those that terminate', () => {
    expect(found(publishes, [slice([unready, leaving])])).toEqual(['10.0.0.1', '10.0.0.2 terminating']);
  });

  it('is the exception', () => {
    expect(found(service(), [slice([unready])])).toEqual([]);
  });
});

describe('a Service of type ExternalName', () => {
  const external = service({ type: 'ExternalName', externalName: 'db.example.com' });

  it('has one endpoint, unless that is not allowed', () => {
    expect(found(external, [])).toEqual(['db.example.com']);
    const { endpoints, faults } = findEndpoints(external, 80, [], { ...all, allowsExternalNames: false });
    expect(endpoints).toEqual([]);
    expect([...faults.keys()]).toEqual(['external-name']);
  });
});
