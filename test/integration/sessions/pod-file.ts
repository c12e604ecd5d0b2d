// Files with a Balancer over the endpoints of a Service, as a cluster would have them: applications that are pods, which
// end one by one.
import { stringify } from 'yaml';
import type { Application } from './application.ts';
import type { Fields } from './sticky-file.ts';

/** Every application is a pod with an EndpointSlice of its own, since they differ in their port. */
export interface PodFile {
  readonly pods: readonly Pick<Application, 'name' | 'port'>[];
  readonly stickySession: Fields;
  /** Names of pods that are terminating but serving. */
  readonly terminating?: ReadonlySet<string>;
  /** Members with URLs besides. */
  readonly members?: readonly Fields[];
  /** More of the Balancer. */
  readonly spec?: Fields;
}

/** A Balancer named `test`. */
export function podFile({ pods, stickySession, terminating, members = [], spec = {} }: PodFile): string {
  const balancer = {
    apiVersion: 'evenkeel.dev/v1alpha1',
    kind: 'Balancer',
    metadata: { name: 'test' },
    spec: { members: [...members, { service: { name: 'app', port: 'http' } }], stickySession, ...spec },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'app' },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
  const slices = pods.map(({ name, port }) => {
    const isTerminating = terminating?.has(name) ?? false;
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `app-${name}`, labels: { 'kubernetes.io/service-name': 'app' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port }],
      endpoints: [
        {
          addresses: ['127.0.0.1'],
          conditions: { ready: !isTerminating, serving: true, terminating: isTerminating },
          targetRef: { kind: 'Pod', name, uid: `uid-of-${name}` },
        },
      ],
    };
  });
  return [balancer, service, ...slices].map((document) => stringify(document)).join('---\n');
}
