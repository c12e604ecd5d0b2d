import { describe, expect, it } from 'vitest';
import { addressesOf, PublishedAddresses, toAddress } from '../../../../src/control/status/published-addresses.ts';
import { ApiError } from '../../../../src/provider/kubernetes/api-error.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { RecordedLog } from '../fixtures.ts';

function texts(service: unknown): string[] {
  return addressesOf(service).map(({ type, value }) => `${type} ${value}`);
}

describe('the addresses of a Service', () => {
  it.each<[string, object, string[]]>([
    [
      'its load balancer has',
      {
        spec: { type: 'LoadBalancer', clusterIPs: ['10.0.0.1'] },
        status: {
          loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example.com' }, { ip: '192.0.2.1' }] },
        },
      },
      ['IPAddress 192.0.2.1', 'Hostname lb.example.com'],
    ],
    ['it waits for its load balancer', { spec: { type: 'LoadBalancer', clusterIPs: ['10.0.0.1'] }, status: {} }, []],
    [
      'it is inside only',
      { spec: { type: 'ClusterIP', clusterIPs: ['10.0.0.1', '2001:db8::1'] } },
      ['IPAddress 10.0.0.1', 'IPAddress 2001:db8::1'],
    ],
    ['it is headless', { spec: { clusterIPs: ['None'] } }, []],
    [
      'others lead to it',
      { spec: { type: 'NodePort', clusterIPs: ['10.0.0.1'], externalIPs: ['192.0.2.9'] } },
      ['IPAddress 192.0.2.9'],
    ],
    [
      'it is a name',
      { spec: { type: 'ExternalName', externalName: 'proxy.example.com' } },
      ['Hostname proxy.example.com'],
    ],
    ['it is none', {}, []],
  ])('are right when %s', (_, service, expected) => {
    expect(texts(service)).toEqual(expected);
  });
});

describe('published addresses', () => {
  function setUp() {
    const time = new ManualTime();
    const log = new RecordedLog();
    const state = { isLeading: true, answer: {} as object, fault: null as Error | null, asked: [] as string[] };
    const addresses = new PublishedAddresses({
      origin: { service: { namespace: 'edge', name: 'proxy' } },
      api: {
        request: async (_, path) => {
          state.asked.push(path);
          if (state.fault !== null) throw state.fault;
          return state.answer;
        },
      },
      isLeading: () => state.isLeading,
      timers: time.timers,
      log,
    });
    const advance = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 100) {
        time.advance(Math.min(100, left));
        for (let turn = 0; turn < 10; turn += 1) await null;
      }
    };
    return { addresses, log, state, advance };
  }

  it('are not known until the Service was read, and followed from then on', async () => {
    const { addresses, state, advance } = setUp();
    addresses.start();
    expect(addresses.current).toBeNull();
    state.answer = { spec: { clusterIPs: ['10.0.0.1'] } };
    await advance(100);
    expect(state.asked).toEqual(['/api/v1/namespaces/edge/services/proxy']);
    const first = addresses.current;
    expect(first).toEqual([toAddress('10.0.0.1')]);
    await advance(10_000);
    expect(state.asked).toHaveLength(2);
    expect(addresses.current).toBe(first);
    state.answer = { spec: { clusterIPs: ['10.0.0.2'] } };
    await advance(10_000);
    expect(addresses.current).toEqual([toAddress('10.0.0.2')]);
    addresses.stop();
    await advance(60_000);
    expect(state.asked).toHaveLength(3);
  });

  it('stay through faults, and go with the Service', async () => {
    const { addresses, state, advance, log } = setUp();
    state.answer = { spec: { clusterIPs: ['10.0.0.1'] } };
    addresses.start();
    await advance(100);
    state.fault = new ApiError('500', { status: 500 });
    await advance(30_000);
    expect(addresses.current).toEqual([toAddress('10.0.0.1')]);
    state.fault = new ApiError('404', { status: 404 });
    await advance(10_000);
    expect(addresses.current).toEqual([]);
    state.fault = null;
    await advance(10_000);
    expect(addresses.current).toEqual([toAddress('10.0.0.1')]);
    expect(log.take()).toEqual([
      'warn the Service whose addresses are published cannot be read; trying on',
      'warn the Service whose addresses are published cannot be read; trying on',
      'info the Service whose addresses are published can be read',
    ]);
  });

  it('are asked for by the leader only', async () => {
    const { addresses, state, advance } = setUp();
    state.isLeading = false;
    addresses.start();
    await advance(60_000);
    expect(state.asked).toEqual([]);
    state.isLeading = true;
    await advance(600);
    expect(state.asked).toHaveLength(1);
  });

  it('are not known any more once the lead is lost, and are asked for soon when it is had again', async () => {
    const { addresses, state, advance } = setUp();
    state.answer = { spec: { clusterIPs: ['10.0.0.1'] } };
    addresses.start();
    await advance(100);
    expect(addresses.current).toEqual([toAddress('10.0.0.1')]);
    state.isLeading = false;
    await advance(10_000);
    expect(addresses.current).toBeNull();
    state.fault = new ApiError('500', { status: 500 });
    state.isLeading = true;
    await advance(1_000);
    expect(addresses.current).toBeNull();
    state.fault = null;
    state.answer = { spec: { clusterIPs: ['10.0.0.2'] } };
    await advance(600);
    expect(addresses.current).toEqual([toAddress('10.0.0.2')]);
  });
});
