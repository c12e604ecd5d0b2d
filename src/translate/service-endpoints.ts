// From a Service and its EndpointSlices to the addresses behind one of its ports: slices merged, duplicates
// dropped, one family chosen. Pure, and independent of the order in which slices come.
import ipaddr from 'ipaddr.js';
import type { Endpoint, EndpointSlice } from '../api/endpoint-slice.ts';
import { subdomainPattern } from '../api/metadata.ts';
import type { Service, ServicePort } from '../api/service.ts';
import { compareText } from './text-order.ts';

/** One address behind a Service's port that takes requests of some sort. */
export interface ServiceEndpoint {
  /** IP address without brackets, or a name (ExternalName only). */
  readonly address: string;
  readonly port: number;
  /** `ready` takes all requests; `terminating` is about to go and keeps what it has. */
  readonly phase: 'ready' | 'terminating';
  /** Pod UID; null where nothing stands behind the address that has one. */
  readonly uid: string | null;
  /** Pod name. */
  readonly podName: string | null;
}

export type EndpointsFault =
  | 'port-not-found'
  | 'no-slices'
  | 'name-addresses'
  | 'bad-address'
  | 'port-not-offered'
  | 'external-name';

export interface ServiceEndpoints {
  /** Sorted by pod name, then address. */
  readonly endpoints: readonly ServiceEndpoint[];
  /** What kept endpoints out; each fault once, with a detail for people. */
  readonly faults: ReadonlyMap<EndpointsFault, string>;
}

/** What is decided elsewhere about which endpoints may be used. */
export interface EndpointsOptions {
  /** Whether a Service of type ExternalName has an endpoint. */
  readonly allowsExternalNames: boolean;
  /** Endpoints that are meant for other zones are left out, where the hints of all of them say so; null: hints are ignored. */
  readonly zone: string | null;
}

/** An endpoint and the zones that it is meant for; null: it has no hint. */
interface Hinted extends ServiceEndpoint {
  readonly forZones: ReadonlySet<string> | null;
}

/** The endpoints behind `port` (a name or a number of the Service) as of `slices`. */
export function findEndpoints(
  service: Service,
  port: string | number,
  slices: readonly EndpointSlice[],
  options: EndpointsOptions,
): ServiceEndpoints {
  const faults = new Map<EndpointsFault, string>();
  const note = (fault: EndpointsFault, detail: string): void => {
    if (!faults.has(fault)) faults.set(fault, detail);
  };
  const servicePort = findPort(service, port);
  if (servicePort === null) {
    note('port-not-found', describePorts(service));
    return { endpoints: [], faults };
  }
  if (service.spec.type === 'ExternalName') {
    if (options.allowsExternalNames) return findExternal(service, servicePort, faults);
    note('external-name', '');
    return { endpoints: [], faults };
  }
  if (slices.length === 0) note('no-slices', '');

  const families = new Map<EndpointSlice['addressType'], Hinted[]>();
  const silent: string[] = [];
  for (const slice of slices.toSorted((a, b) => compareText(a.metadata.name, b.metadata.name))) {
    if (slice.addressType === 'FQDN') {
      note('name-addresses', slice.metadata.name);
      continue;
    }
    const number = portOfSlice(slice, servicePort);
    if (number === null) {
      if (slice.endpoints.length > 0) silent.push(slice.metadata.name);
      continue;
    }
    const family = families.get(slice.addressType) ?? [];
    families.set(slice.addressType, family);
    for (const endpoint of slice.endpoints) {
      const phase = phaseOf(endpoint, service.spec.publishNotReadyAddresses);
      if (phase === null) continue;
      // kube-proxy uses the first address only, too.
      const address = normaliseAddress(endpoint.addresses[0] ?? '', slice.addressType);
      if (address === null) {
        note('bad-address', `${endpoint.addresses[0]} in ${slice.metadata.name}`);
        continue;
      }
      const { uid = '', name = '' } = endpoint.targetRef ?? {};
      const podName = isObjectName(name) ? name : null;
      const zones = endpoint.hints?.forZones ?? [];
      const forZones = zones.length === 0 ? null : new Set(zones.map((zone) => zone.name));
      family.push({ address, port: number, phase, uid: uid === '' ? null : uid, podName, forZones });
    }
  }
  // Pods of which only some offer a port are on their way from one version to the next; none offering it is a fault.
  if (families.size === 0 && silent[0] !== undefined) note('port-not-offered', silent[0]);
  const chosen = withoutDuplicates(chooseFamily(service, families));
  const endpoints = chooseZone(chosen, options.zone).map(({ forZones, ...endpoint }) => endpoint);
  return { endpoints, faults };
}

/** A number also works for a Service that lists no ports, as headless and ExternalName ones may. */
function findPort(service: Service, port: string | number): ServicePort | null {
  const ports = service.spec.ports.filter(({ protocol }) => protocol === 'TCP');
  const found = ports.find((candidate) => (typeof port === 'string' ? candidate.name : candidate.port) === port);
  if (found !== undefined) return found;
  if (typeof port === 'number' && service.spec.ports.length === 0) return { name: '', port, protocol: 'TCP' };
  return null;
}

function describePorts(service: Service): string {
  const ports = service.spec.ports.slice(0, 8).map(({ name, port }) => (name === '' ? `${port}` : `${name} (${port})`));
  return ports.length === 0 ? 'none' : ports.join(', ');
}

function findExternal(service: Service, port: ServicePort, faults: Map<EndpointsFault, string>): ServiceEndpoints {
  const address = (service.spec.externalName ?? '').toLowerCase().replace(/\.$/, '');
  if (!/^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9])?$/.test(address)) {
    faults.set('bad-address', `${service.spec.externalName ?? 'no name'} in spec.externalName`);
    return { endpoints: [], faults };
  }
  return { endpoints: [{ address, port: port.port, phase: 'ready', uid: null, podName: null }], faults };
}

/**
 * The number behind the Service's port in one slice: by name, since a named target port may have different numbers in
 * different slices. A slice without a list of ports, or a port without a number, means any port: then the target
 * port, unless that is a name, which such a slice does not explain.
 */
function portOfSlice(slice: EndpointSlice, servicePort: ServicePort): number | null {
  const { targetPort, port } = servicePort;
  const fallback = typeof targetPort === 'string' ? null : (targetPort ?? port);
  if (slice.ports.length === 0) return fallback;
  const found = slice.ports.find(({ name, protocol }) => name === servicePort.name && protocol === 'TCP');
  return found === undefined ? null : (found.port ?? fallback);
}

/**
 * A Service that publishes addresses that are not ready has them in its slices as ready, terminating ones included, which
 * keep what they have here as anywhere else; slices written by hand may say otherwise.
 */
function phaseOf({ conditions }: Endpoint, publishesNotReady: boolean): ServiceEndpoint['phase'] | null {
  if (publishesNotReady) return conditions.terminating ? 'terminating' : 'ready';
  if (conditions.ready) return 'ready';
  return conditions.serving && conditions.terminating ? 'terminating' : null;
}

/** Hand-written slices may say anything; a name becomes a label of metrics and part of cookies. */
function isObjectName(text: string): boolean {
  return text.length <= 253 && subdomainPattern.test(text);
}

function normaliseAddress(text: string, family: 'IPv4' | 'IPv6'): string | null {
  if (family === 'IPv4') return ipaddr.IPv4.isValidFourPartDecimal(text) ? text : null;
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  return ipaddr.IPv6.parse(text).toString();
}

/**
 * Dual stack lists each pod once per family: the Service's first family counts, which is that of its cluster IP; the other
 * one if that has no endpoints.
 */
function chooseFamily(
  { spec }: Service,
  families: ReadonlyMap<EndpointSlice['addressType'], readonly Hinted[]>,
): readonly Hinted[] {
  const [ipv4, ipv6] = [families.get('IPv4') ?? [], families.get('IPv6') ?? []];
  const isIpv6 = spec.ipFamilies?.[0] === undefined ? spec.clusterIP?.includes(':') : spec.ipFamilies[0] === 'IPv6';
  const [preferred, other] = isIpv6 ? [ipv6, ipv4] : [ipv4, ipv6];
  return preferred.length > 0 ? preferred : other;
}

/**
 * As kube-proxy: hints count only if every ready endpoint has one, and some are for the own zone. Those that terminate
 * stay wherever they are, since they get nothing new.
 */
function chooseZone(endpoints: readonly Hinted[], zone: string | null): readonly Hinted[] {
  const ready = endpoints.filter(({ phase }) => phase === 'ready');
  if (zone === null || ready.some(({ forZones }) => forZones === null)) return endpoints;
  if (!ready.some(({ forZones }) => forZones?.has(zone))) return endpoints;
  return endpoints.filter(({ phase, forZones }) => phase !== 'ready' || forZones?.has(zone));
}

/**
 * While an endpoint moves between slices it stands in two, perhaps with different conditions: the ready one counts.
 * First by pod, then by address: an address that was given to a new pod is no longer the old one's.
 */
function withoutDuplicates(endpoints: readonly Hinted[]): Hinted[] {
  const ordered = endpoints.toSorted(compareEndpoints);
  const byPhase = [
    ...ordered.filter(({ phase }) => phase === 'ready'),
    ...ordered.filter(({ phase }) => phase === 'terminating'),
  ];
  const kept = new Set<Hinted>();
  const seen = new Set<string>();
  for (const endpoint of byPhase) {
    const keys = [`address ${endpoint.address} ${endpoint.port}`];
    if (endpoint.uid !== null) keys.push(`uid ${endpoint.uid} ${endpoint.port}`);
    if (keys.some((key) => seen.has(key))) continue;
    for (const key of keys) seen.add(key);
    kept.add(endpoint);
  }
  return ordered.filter((endpoint) => kept.has(endpoint));
}

function compareEndpoints(a: ServiceEndpoint, b: ServiceEndpoint): number {
  return (
    compareText(a.podName ?? a.address, b.podName ?? b.address) ||
    compareText(a.address, b.address) ||
    compareText(a.uid ?? '', b.uid ?? '') ||
    a.port - b.port
  );
}
