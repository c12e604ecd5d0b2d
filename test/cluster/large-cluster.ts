// A cluster with much in it: so many Balancers, twice as many Services, each with an EndpointSlice. All endpoints are
// addresses that nobody has, but for those of one Balancer, whose only ready member the caller moves about.
import type { ApiClient, KubeObject } from './api-client.ts';
import { balancerNamed } from './objects.ts';

const NAMESPACE = 'default';
const ENDPOINTS = 10;
/** Port of all endpoints. */
export const endpointPort = 8080;
/** Host of the Balancer whose member moves. */
export const movedHost = 'b0.example';
const writers = 24;

/** Balancers; there are twice as many Services, and twenty times as many endpoints. */
export async function fillCluster(admin: ApiClient, balancers: number, firstAddress: string): Promise<void> {
  const objects: KubeObject[] = [];
  for (let service = 0; service < balancers * 2; service += 1) {
    objects.push(headlessService(`s${service}`), sliceWith(service, service === 0 ? firstAddress : null));
  }
  for (let index = 0; index < balancers; index += 1) {
    // The first one has but one member that is ready: each answer says whether the change is known.
    const services = index === 0 ? ['s0'] : [`s${index * 2}`, `s${index * 2 + 1}`];
    const members = services.map((name) => ({ service: { name, port: 'http' } }));
    objects.push(balancerNamed(NAMESPACE, `b${index}`, { rules: [{ hosts: [`b${index}.example`] }], members }));
  }
  let next = 0;
  const write = async (): Promise<void> => {
    for (let object = objects[next++]; object !== undefined; object = objects[next++]) await admin.create(object);
  };
  await Promise.all(Array.from({ length: writers }, write));
}

/** Replaces the pod behind the one ready member; resolves when the API server has acknowledged it. */
export async function moveMember(admin: ApiClient, address: string): Promise<void> {
  await admin.send(`/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/s0-abcde`, {
    method: 'PATCH',
    contentType: 'application/json-patch+json',
    body: [
      { op: 'replace', path: '/endpoints/0/addresses', value: [address] },
      { op: 'replace', path: '/endpoints/0/targetRef/uid', value: crypto.randomUUID() },
    ],
  });
}

function headlessService(name: string): KubeObject {
  const spec = { clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: endpointPort }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: NAMESPACE }, spec };
}

/** As large as the control plane makes them; of one with a ready address all others are not. */
function sliceWith(service: number, readyAddress: string | null): KubeObject {
  const endpoints = Array.from({ length: ENDPOINTS }, (_, index) => {
    const isReady = readyAddress === null || index === 0;
    const address = `10.${100 + Math.floor(service / 256)}.${service % 256}.${index + 1}`;
    return {
      addresses: [isReady && readyAddress !== null ? readyAddress : address],
      conditions: { ready: isReady, serving: isReady, terminating: false },
      nodeName: `node-${index}`,
      zone: 'eu-1a',
      targetRef: {
        kind: 'Pod',
        name: `s${service}-7f9cdcb6c8-p${index}`,
        namespace: NAMESPACE,
        uid: crypto.randomUUID(),
      },
    };
  });
  const labels = {
    'kubernetes.io/service-name': `s${service}`,
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `s${service}-abcde`, namespace: NAMESPACE, labels },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: endpointPort, protocol: 'TCP' }],
    endpoints,
  };
}
