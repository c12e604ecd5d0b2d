// What tests write into a cluster: namespaces, Services, EndpointSlices over member processes, Balancers.
import type { KubeObject } from './api-client.ts';
import type { MemberProcess } from './member-process.ts';

let namespaces = 0;

/** One that no test had before: nothing empties a namespace here, so none is used twice. */
export function newNamespace(name: string): KubeObject {
  namespaces += 1;
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${name}-${namespaces}` } };
}

/** A Service without selector, whose EndpointSlices the test writes. */
export function serviceNamed(namespace: string, name: string, portName = 'http'): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ports: [{ name: portName, port: 80, targetPort: 8080 }] },
  };
}

/** In which state of its life a pod is, as its endpoint says it. */
export type PodState = 'Ready' | 'Starting' | 'Terminating' | 'Terminated';

const conditions: Readonly<Record<PodState, Readonly<Record<string, boolean>>>> = {
  Ready: { ready: true, serving: true, terminating: false },
  Starting: { ready: false, serving: false, terminating: false },
  Terminating: { ready: false, serving: true, terminating: true },
  Terminated: { ready: false, serving: false, terminating: true },
};

/** Members, each with the state it is in. */
export type Pods = ReadonlyMap<MemberProcess, PodState>;

/** The EndpointSlice that Kubernetes would write for these pods. They must listen on the same port, if there are any. */
export function sliceOf(namespace: string, service: string, pods: Pods, name = `${service}-1`): KubeObject {
  const [first] = pods.keys();
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: first?.port ?? 8080, protocol: 'TCP' }],
    endpoints: [...pods].map(([pod, state]) => ({
      addresses: [pod.address],
      conditions: conditions[state],
      targetRef: { kind: 'Pod', namespace, name: pod.name, uid: pod.uid },
    })),
  };
}

export function readyPods(...members: readonly MemberProcess[]): Pods {
  return new Map(members.map((member) => [member, 'Ready']));
}

export function balancerNamed(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): KubeObject {
  return { apiVersion: 'evenkeel.dev/v1alpha1', kind: 'Balancer', metadata: { name, namespace }, spec };
}

/** A Balancer over one Service, for one host. */
export function balancerOver(namespace: string, service: string, host: string): KubeObject {
  return balancerNamed(namespace, service, {
    rules: [{ hosts: [host] }],
    members: [{ service: { name: service, port: 'http' }, routeFrom: 'PodName' }],
  });
}
