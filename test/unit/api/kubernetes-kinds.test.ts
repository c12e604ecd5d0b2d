// The kinds of Kubernetes itself: what is kept, what is filled in, what is never shown.
import { describe, expect, test } from 'vitest';
import { parseResource } from '../../../src/api/parse.ts';

const metadata = { name: 'app', uid: 'u1', resourceVersion: '7', managedFields: [{}] };

describe('a Service', () => {
  test('is read without what does not matter, and with names for nameless ports', () => {
    const { resource } = parseResource({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { clusterIP: 'None', sessionAffinity: 'None', ports: [{ port: 80, targetPort: 'web', nodePort: 3 }] },
      status: { loadBalancer: {} },
    });
    expect(resource).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'app', namespace: 'default', uid: 'u1', resourceVersion: '7', labels: {}, annotations: {} },
      spec: {
        type: 'ClusterIP',
        clusterIP: 'None',
        ports: [{ name: '', port: 80, targetPort: 'web', protocol: 'TCP' }],
        publishNotReadyAddresses: false,
      },
    });
  });

  test('is refused with the field that is wrong', () => {
    const { problems } = parseResource({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 0 }] } });
    expect(problems?.map(({ message }) => message)).toEqual([
      'spec.ports[0].port is 0; it must be a whole number from 1 to 65535',
    ]);
  });
});

describe('an EndpointSlice', () => {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'app' } },
    addressType: 'IPv4',
  };

  test.each([
    [undefined, { ready: true, serving: true, terminating: false }],
    [{}, { ready: true, serving: true, terminating: false }],
    [{ ready: null }, { ready: true, serving: true, terminating: false }],
    [{ ready: false }, { ready: false, serving: false, terminating: false }],
    [
      { ready: false, serving: true, terminating: true },
      { ready: false, serving: true, terminating: true },
    ],
  ])('with conditions %j means %j', (conditions, meaning) => {
    const document = { ...slice, endpoints: [{ addresses: ['10.0.0.1'], conditions }], ports: [{ port: 80 }] };
    expect(parseResource(document).resource).toMatchObject({
      endpoints: [{ addresses: ['10.0.0.1'], conditions: meaning }],
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
    });
  });

  test('may have null for its lists, as the API server writes them when they are empty', () => {
    const { resource } = parseResource({ ...slice, endpoints: null, ports: null });
    expect(resource).toMatchObject({ endpoints: [], ports: [] });
  });

  test('keeps who is behind an address, and where', () => {
    const endpoint = {
      addresses: ['10.0.0.1'],
      nodeName: 'n1',
      zone: 'z1',
      targetRef: { kind: 'Pod', name: 'app-1', namespace: 'default', uid: 'p1' },
      hints: { forZones: [{ name: 'z1' }] },
    };
    expect(parseResource({ ...slice, endpoints: [endpoint] }).resource).toMatchObject({ endpoints: [endpoint] });
  });
});

describe('a Secret', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata };

  test('keeps data and, from files, stringData', () => {
    const { resource } = parseResource({ ...secret, data: { a: 'YQ==' }, stringData: { b: 'b' } });
    expect(resource).toMatchObject({ type: 'Opaque', data: { a: 'YQ==' }, stringData: { b: 'b' } });
  });

  test('never shows its values, whatever is wrong with it', () => {
    const wrong = { ...secret, data: { key: ['hush-1'] }, stringData: { key: { deep: 'hush-2' } }, type: 5 };
    const { problems } = parseResource(wrong);
    expect(problems).toHaveLength(3);
    expect(JSON.stringify(problems)).not.toContain('hush');
  });
});
