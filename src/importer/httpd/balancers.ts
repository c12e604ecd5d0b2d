// Servers and balancers of httpd → Balancers. The order in which things are said of one is that of the resource's fields.
import type { FindingLog } from '../finding.ts';
import { type BalancerDraft, claimName, type Field, type Fields } from '../manifest.ts';
import { failoverOf, lbMethodOf, limitsOf, remarkOnParameters, timeoutsOf } from './balancer-settings.ts';
import { healthCheckOf } from './health-check.ts';
import { importMembers, type ServiceTarget } from './members.ts';
import type { PathMatch } from './path-pattern.ts';
import type { BalancerConfig, Mapping, MemberLine, ServerConfig } from './proxy-config.ts';
import { hostsOf, reachableMappings } from './server-rules.ts';
import { stickySessionOf } from './sticky-session.ts';

export interface BalancersOptions {
  readonly namespace: string | null;
  readonly className: string | null;
  /** Services in place of the members, by the balancer's name in lower case. */
  readonly services: ReadonlyMap<string, ServiceTarget>;
  readonly log: FindingLog;
}

/** A balancer, or a single server that a mapping leads to, with all that leads there. */
interface Group {
  readonly config: BalancerConfig;
  /** Where it is defined, or first mapped to. */
  readonly server: ServerConfig;
  readonly uses: { readonly server: ServerConfig; readonly hosts: readonly string[]; readonly mapping: Mapping }[];
}

/** Balancers that nothing leads to are reported and left out. */
export function importBalancers(servers: readonly ServerConfig[], options: BalancersOptions): readonly BalancerDraft[] {
  const { log } = options;
  const groups = new Map<string, Group>();
  const named = servers.filter(({ parent }) => parent !== null);
  const claimed = new Map<string, string>();
  for (const server of servers) {
    const hosts = hostsOf(server, server === named[0], log);
    // The main server serves hosts that no virtual host names: with virtual hosts, those are the first one's.
    if (server.parent === null && named.length > 0) continue;
    for (const mapping of reachableMappings(server, log)) {
      const group = groupOf(mapping, server, groups);
      if (group === null) {
        log.add('lost', mapping.at, mapping.text, 'there is no balancer of this name');
        continue;
      }
      addUse(group, { server, hosts, mapping }, claimed, log);
    }
  }
  for (const { balancers } of servers) {
    for (const config of balancers.values()) {
      if ([...groups.values()].some((group) => group.config === config)) continue;
      log.add('lost', config.at, `balancer://${config.name}`, 'no ProxyPass leads to it');
    }
  }
  const names = new Set<string>();
  return [...groups.values()].flatMap((group) => draftOf(group, names, options) ?? []);
}

function groupOf(mapping: Mapping, server: ServerConfig, groups: Map<string, Group>): Group | null {
  const { target } = mapping;
  if (target.kind === 'none') return null;
  if (target.kind === 'balancer') {
    const owner = [server, server.parent].find((candidate) => candidate?.balancers.has(target.name));
    const config = owner?.balancers.get(target.name);
    if (owner === undefined || owner === null || config === undefined) return null;
    const key = `${owner.at.file}:${owner.at.line} ${owner.parent === null} ${target.name}`;
    const group = groups.get(key) ?? { config, server: owner, uses: [] };
    groups.set(key, group);
    return group;
  }
  const { scheme, host, port } = target.address;
  const url = `${scheme}://${host}${port === null ? '' : `:${port}`}`;
  const key = `server ${url}`;
  const member: MemberLine = { at: mapping.at, text: mapping.text, url, parameters: mapping.parameters };
  const config = {
    name: `${host}${port === null ? '' : `-${port}`}`,
    members: [member],
    parameters: new Map(),
    at: mapping.at,
  };
  const group = groups.get(key) ?? { config, server, uses: [] };
  groups.set(key, group);
  return group;
}

/** The same host and path twice (for port 80 and for port 443, say) is one rule; two balancers for it are one too many. */
function addUse(group: Group, use: Group['uses'][number], claimed: Map<string, string>, log: FindingLog): void {
  const { match, at, text, parameters } = use.mapping;
  const owner = `${group.config.at.file}:${group.config.at.line} ${group.config.name}`;
  const hosts = (use.hosts.length === 0 ? ['*'] : use.hosts).filter((host) => {
    const key = `${host} ${match.type} ${match.path}`;
    const before = claimed.get(key);
    claimed.set(key, before ?? owner);
    if (before !== undefined && before !== owner) {
      const message = `another balancer has ${host}${match.path} already; ports of virtual hosts are not told apart`;
      log.add('lost', at, text, message);
    }
    return before === undefined;
  });
  for (const [key, value] of parameters) {
    if (use.mapping.target.kind === 'balancer') group.config.parameters.set(key, { value, at });
  }
  if (hosts.length > 0) group.uses.push({ ...use, hosts: hosts[0] === '*' ? [] : hosts });
}

function draftOf(group: Group, names: Set<string>, options: BalancersOptions): BalancerDraft | null {
  const { config, server } = group;
  const { log, namespace, className, services } = options;
  const service = services.get(config.name) ?? null;
  const members = importMembers(config.members, service, log);
  if (members.fields.length === 0) {
    log.add('lost', config.at, `balancer://${config.name}`, 'it has no member that can be reached; it is left out');
    return null;
  }
  const user = group.uses[0]?.server;
  if (user === undefined) return null;
  for (const { mapping } of group.uses) checkMemberPath(mapping, members.path, log);
  const spec: Fields = {
    className: className ?? undefined,
    rules: rulesOf(group),
    lbMethod: lbMethodOf(config, log),
    members: members.fields,
    stickySession: stickySessionOf(config, cookiesOf(group), log),
    failover: failoverOf(config, members.lines, log),
    timeouts: timeoutsOf(config, user, members.lines, log),
    limits: limitsOf(user, members.lines, log),
    forwarding: forwardingOf(group, log),
    healthCheck: healthCheckOf(members.lines, server, log),
  };
  remarkOnParameters(config, members.lines, log);
  const origin = `balancer://${config.name} of ${config.at.file}:${config.at.line}`;
  return { name: claimName(config.name, names), namespace, spec, origin };
}

/** One rule for each list of hosts, in order. No rule at all: every host and every path. */
function rulesOf({ uses }: Group): readonly Field[] | undefined {
  const byHosts = new Map<string, { readonly hosts: readonly string[]; readonly paths: PathMatch[] }>();
  for (const { hosts, mapping } of uses) {
    const key = hosts.join();
    const rule = byHosts.get(key) ?? { hosts, paths: [] };
    byHosts.set(key, rule);
    rule.paths.push(mapping.match);
  }
  const rules = [...byHosts.values()].map(({ hosts, paths }): Fields => {
    const isEverything = paths.some(({ type, path }) => type === 'Prefix' && path === '/');
    const listed = paths.map(({ type, path }): Fields => (type === 'Prefix' ? { value: path } : { type, value: path }));
    return {
      hosts: hosts.length === 0 ? undefined : hosts,
      paths: isEverything && paths.length === 1 ? undefined : listed,
    };
  });
  const [only] = rules;
  return rules.length === 1 && only?.hosts === undefined && only?.paths === undefined ? undefined : rules;
}

/** The product forwards paths as they came. */
function checkMemberPath({ at, text, match, memberPath, target }: Mapping, path: string | null, log: FindingLog): void {
  if (path === null) return log.add('lost', at, text, 'paths of the members’ URLs differ and are left out');
  const given = target.kind === 'balancer' && memberPath !== null ? memberPath : '/';
  const rest = target.kind === 'server' && memberPath !== null ? memberPath : given;
  const full = `${path}${rest === '/' ? '' : rest}` || '/';
  if (memberPath !== null && full === match.path) return;
  const example = match.path === '/' ? '/x' : `${match.path}/x`;
  log.add('lost', at, text, `paths are forwarded as they came: ${example} reaches members as ${example}`);
}

function cookiesOf({ server, uses }: Group) {
  return [...new Set([server, ...uses.map((use) => use.server)])].flatMap(({ parent, routeCookies }) => [
    ...routeCookies,
    ...(parent?.routeCookies ?? []),
  ]);
}

/** The Host header that members get: httpd gives them their own unless ProxyPreserveHost is On. */
function forwardingOf({ uses }: Group, log: FindingLog): Fields {
  const replacing = uses.find(({ server }) => !(server.preservesHost ?? server.parent?.preservesHost ?? false));
  if (replacing === undefined) return {};
  const { server, mapping } = replacing;
  if (!server.hasReverse && !server.parent?.hasReverse) return { host: 'Replace' };
  const message =
    'Location headers are not rewritten; members get the Host of the client, so that they write right ones';
  log.add('changed', mapping.at, 'ProxyPassReverse', message);
  return {};
}
