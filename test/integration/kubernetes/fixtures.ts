import type { Logger } from '../../../src/lib/logger.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemTimers } from '../../../src/lib/hold-off.ts';
import type { Surroundings } from '../../../src/provider/kubernetes/reflector.ts';
import type { Stored } from './fake-api-server.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The real clock, short random draws, and a log that keeps its lines. */
export function createMachine(): Omit<Surroundings, 'client'> & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const write =
    (level: Line['level']) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      lines.push({ level, message, fields });
    };
  const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  return { clock: systemClock, timers: systemTimers, random: Math.random, log, lines };
}

export function balancer(name: string, services: readonly string[], extra: Record<string, unknown> = {}): Stored {
  const members = services.map((service) => {
    const [namespace, plain] = service.includes('/') ? service.split('/') : [undefined, service];
    return { service: { name: plain, port: 80, ...(namespace === undefined ? {} : { namespace }) } };
  });
  const spec = { members: members.length === 0 ? [{ url: 'http://10.0.0.1' }] : members, ...extra };
  return { apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata: { name, namespace: 'shop' }, spec };
}

export function service(name: string, namespace = 'shop'): Stored {
  const spec = { clusterIP: '10.96.0.1', ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] };
  return { metadata: { name, namespace }, spec };
}

export function slice(name: string, serviceName: string, addresses: readonly string[], namespace = 'shop'): Stored {
  return {
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name: `pod-${address.replaceAll('.', '-')}`, namespace, uid: `pod-${address}` },
    })),
  };
}
