// From one entry of spec.members to the members it stands for, each by itself; whether they get along with each
// other is settled in members.ts. Pure.
import type { Balancer, Member, ServiceMember, UrlMember } from '../api/balancer.ts';
import { loadFactorHundredths } from '../api/load-factor.ts';
import { refOf } from '../api/parse.ts';
import type { Pod } from '../api/pod.ts';
import { createProblem, type Problem } from '../api/problem.ts';
import { permitsService } from '../api/reference-grant.ts';
import { keyOf, type ResourceSet, type Unread } from '../api/resource-set.ts';
import type { MemberUnit } from '../snapshot/snapshot.ts';
import type { UnresolvedRef } from './conditions.ts';
import type { TranslateOptions } from './options.ts';
import { withSettings } from './overrides.ts';
import { type EndpointsFault, findEndpoints, type ServiceEndpoint } from './service-endpoints.ts';
import { shortHash } from './session-route.ts';

/** A member before names and session routes were compared with its neighbours'. */
export interface MemberDraft {
  readonly unit: MemberUnit;
  /** Names to fall back on, from short to long, when the unit's own is taken. */
  readonly otherNames: readonly string[];
  /** Whether the user chose the session route, so that a clash is the user's fault. */
  readonly isRouteChosen: boolean;
  /** The pod behind it, if known: two ports of one pod share its session route by nature. */
  readonly pod: string | null;
  /** The pod's name, if known. */
  readonly podName: string | null;
  /** What is wrong with what the pod says of itself. */
  readonly podProblems: readonly Problem[];
  /** Where the entry stands, such as `spec.members[2]`. */
  readonly field: string;
}

export interface EntryDrafts {
  readonly drafts: readonly MemberDraft[];
  readonly unresolved: readonly UnresolvedRef[];
}

/** The member of an entry with a URL. */
export function draftUrlMember(member: UrlMember, field: string): MemberDraft {
  const url = new URL(member.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const unit: MemberUnit = {
    identity: `url:${url.origin}`,
    name: member.url,
    host,
    port: url.port === '' ? 80 : Number(url.port),
    sessionRoute: member.route ?? shortHash(url.origin),
    ...commonFields(member),
    pod: null,
    isLeaving: false,
  };
  const isRouteChosen = member.route !== undefined;
  return { unit, otherNames: [], isRouteChosen, pod: null, podName: null, podProblems: [], field };
}

/** The members behind an entry with a Service; none, and why, if there is nothing behind it. */
export function draftServiceMembers(
  balancer: Balancer,
  member: ServiceMember,
  field: string,
  set: Pick<ResourceSet, 'services' | 'endpointSlices' | 'referenceGrants' | 'pods' | 'unread'>,
  options: Pick<TranslateOptions, 'allowsForeignServices' | 'allowsExternalNames' | 'zone'>,
): EntryDrafts {
  const own = balancer.metadata.namespace;
  const { name, port, namespace = own } = member.service;
  const key = keyOf(namespace, name);
  const unresolved: UnresolvedRef[] = [];
  const fail = (reason: UnresolvedRef['reason'], subfield: string, message: string, value?: unknown): void => {
    const problem: Problem = createProblem(refOf(balancer), `${field}.service${subfield}`, message, value);
    unresolved.push({ reason, problem });
  };

  const isPermitted =
    namespace === own ||
    options.allowsForeignServices ||
    permitsService(set.referenceGrants?.get(namespace) ?? [], own, name);
  if (!isPermitted) {
    const why = unreadGrantsOf(namespace, set.unread);
    const cause =
      why === undefined
        ? `no ReferenceGrant in ${namespace} permits more`
        : `ReferenceGrants in ${namespace} cannot be read: ${why}`;
    const message = `${field}.service.namespace is ${namespace}; only Services of the Balancer's own namespace ${own} may be used, as ${cause}`;
    fail('ServiceNotPermitted', '.namespace', message, namespace);
    return { drafts: [], unresolved };
  }
  const service = set.services.get(key);
  const slices = set.endpointSlices.get(key) ?? [];
  const why = set.unread?.services.get(key);
  if (why !== undefined && (service === undefined || slices.length === 0)) {
    fail('ServiceNotFound', '.name', `${field}.service.name: Service ${key} cannot be read: ${why}`, name);
    return { drafts: [], unresolved };
  }
  if (service === undefined) {
    fail('ServiceNotFound', '.name', `${field}.service.name: there is no Service ${key}`, name);
    return { drafts: [], unresolved };
  }
  const { allowsExternalNames } = options;
  // A session may begin at a replica in one zone and go on at one in another: both must know its member.
  const zone = balancer.spec.stickySession === undefined ? options.zone : null;
  const { endpoints, faults } = findEndpoints(service, port, slices, { allowsExternalNames, zone });
  for (const [fault, detail] of faults) {
    const { reason, subfield, message } = describeFault(fault, detail, key, port);
    fail(reason, subfield, `${field}.service${subfield}: ${message}`, subfield === '.port' ? port : name);
  }
  const owner = service.metadata.uid ?? key;
  const drafts = endpoints.map((endpoint) =>
    draftEndpoint(endpoint, member, owner, namespace, field, podOf(endpoint, namespace, set)),
  );
  return { drafts, unresolved };
}

/** Why it is not known who may refer to a namespace; undefined: it is. */
export function unreadGrantsOf(namespace: string, unread: Unread | undefined): string | undefined {
  return unread?.referenceGrants.get(namespace) ?? unread?.referenceGrants.get(null);
}

function draftEndpoint(
  endpoint: ServiceEndpoint,
  member: ServiceMember,
  owner: string,
  namespace: string,
  field: string,
  said: Pod | null,
): MemberDraft {
  const { address, port, uid, podName, phase } = endpoint;
  const authority = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  // The address is the last resort: it says nothing of who answers there tomorrow.
  const identity = uid === null ? `endpoint:${owner}:${authority}` : `pod:${uid}:${port}`;
  const routeSource = uid ?? (podName === null ? identity : keyOf(namespace, podName));
  const takesPodName = member.routeFrom === 'PodName' && podName !== null;
  const unit: MemberUnit = {
    identity,
    name: podName ?? authority,
    host: address,
    port,
    sessionRoute: takesPodName ? podName : shortHash(routeSource),
    ...commonFields(member),
    pod: podName === null ? null : keyOf(namespace, podName),
    isLeaving: phase === 'terminating',
  };
  const otherNames = podName === null ? [] : [`${podName}:${port}`, `${podName}@${authority}`];
  return {
    unit: said === null ? unit : withSettings(unit, said.settings),
    otherNames,
    isRouteChosen: false,
    pod: uid ?? podName,
    podName,
    podProblems: said?.problems ?? [],
    field,
  };
}

/** Null: nothing is known of it. A pod of the same name that is another one has nothing to say. */
function podOf({ uid, podName }: ServiceEndpoint, namespace: string, { pods }: Pick<ResourceSet, 'pods'>): Pod | null {
  const pod = podName === null ? undefined : pods?.get(keyOf(namespace, podName));
  return pod === undefined || (uid !== null && pod.uid !== null && uid !== pod.uid) ? null : pod;
}

function commonFields(
  member: Member,
): Pick<MemberUnit, 'redirect' | 'factor' | 'lbSet' | 'role' | 'state' | 'ignoreErrors'> {
  const { redirect = null, loadFactor, lbSet, role, state, ignoreErrors } = member;
  return { redirect, factor: loadFactorHundredths(loadFactor), lbSet, role, state, ignoreErrors };
}

interface FaultText {
  readonly reason: UnresolvedRef['reason'];
  readonly subfield: '.name' | '.port';
  readonly message: string;
}

function describeFault(fault: EndpointsFault, detail: string, key: string, port: string | number): FaultText {
  switch (fault) {
    case 'port-not-found': {
      const message = `Service ${key} has no TCP port ${JSON.stringify(port)}; its ports are: ${detail}`;
      return { reason: 'PortNotFound', subfield: '.port', message };
    }
    case 'port-not-offered': {
      const message = `EndpointSlice ${detail} of Service ${key} offers no TCP port of the name that port ${JSON.stringify(port)} has in the Service`;
      return { reason: 'PortNotFound', subfield: '.port', message };
    }
    case 'no-slices': {
      const message = `Service ${key} has no EndpointSlice; check its selector, or create one with the label kubernetes.io/service-name`;
      return { reason: 'EndpointsNotFound', subfield: '.name', message };
    }
    case 'name-addresses': {
      const message = `EndpointSlice ${detail} of Service ${key} has addressType FQDN, which is not used; use IPv4, IPv6 or an ExternalName Service`;
      return { reason: 'EndpointsNotUsable', subfield: '.name', message };
    }
    case 'bad-address': {
      const message = `Service ${key} has an address that cannot be used: ${detail}`;
      return { reason: 'EndpointsNotUsable', subfield: '.name', message };
    }
    case 'external-name': {
      const message = `Service ${key} is of type ExternalName, which this controller does not allow`;
      return { reason: 'ServiceNotPermitted', subfield: '.name', message };
    }
    default:
      return fault satisfies never;
  }
}
