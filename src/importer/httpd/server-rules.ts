// Which requests of a server httpd gives to which balancer, as rules of hosts and paths. httpd takes the first mapping
// that matches, the product the most specific one: mappings that are never reached are left out.
import type { FindingLog } from '../finding.ts';
import { covers } from './path-pattern.ts';
import type { Mapping, ServerConfig } from './proxy-config.ts';

/** Mappings of a server in the order in which httpd looks at them; those of the main server come last. */
export function mappingsOf(server: ServerConfig): readonly Mapping[] {
  const locations = [...server.locations].sort((a, b) => b.match.path.length - a.match.path.length);
  const inherited = server.parent === null || !server.inherits ? [] : mappingsOf(server.parent);
  return [...locations, ...server.mappings, ...inherited];
}

/** The mappings that requests can reach and that lead to a balancer or a server. */
export function reachableMappings(server: ServerConfig, log: FindingLog): readonly Mapping[] {
  const reached: Mapping[] = [];
  for (const mapping of mappingsOf(server)) {
    const earlier = reached.find(({ match }) => covers(match, mapping.match));
    if (earlier !== undefined) {
      if (earlier.at.line === mapping.at.line && earlier.at.file === mapping.at.file) continue;
      const message = `httpd never gets to it: line ${earlier.at.line} takes its paths`;
      log.add('skipped', mapping.at, mapping.text, message);
      continue;
    }
    reached.push(mapping);
  }
  for (const { target, at, text, match } of reached) {
    if (target.kind !== 'none') continue;
    const wider = reached.find((other) => other.target.kind !== 'none' && covers(other.match, match));
    if (wider === undefined) log.add('skipped', at, text, 'nothing would proxy this path');
    else {
      const message = `paths cannot be left out of a rule: they go to the members of line ${wider.at.line} now`;
      log.add('lost', at, text, `${message}; add a Balancer for what serves them`);
    }
  }
  return reached.filter(({ target }) => target.kind !== 'none');
}

/** Host names of a server as rules have them; empty: every host. */
export function hostsOf(server: ServerConfig, isFirst: boolean, log: FindingLog): readonly string[] {
  const hosts = new Set<string>();
  for (const { name, at } of server.hosts) {
    const host = name
      .replace(/^[a-z]+:\/\//i, '')
      .replace(/:[0-9]+$/, '')
      .replace(/\.$/, '')
      .toLowerCase();
    if (/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(host)) {
      if (host.startsWith('*.'))
        log.add('changed', at, name, 'the * of a rule stands for one label, in httpd for several');
      hosts.add(host);
    } else if (host === '*') return [];
    else log.add('lost', at, name, 'no rule can have this host');
  }
  if (server.parent === null) return [];
  if (hosts.size === 0)
    log.add('changed', server.at, '<VirtualHost>', 'it has no ServerName: its rules take every host');
  else if (isFirst) {
    const message = 'httpd gives requests for unknown hosts to its first virtual host; here they get 404';
    log.add('changed', server.at, '<VirtualHost>', `${message}, unless you add a rule without hosts`);
  }
  return [...hosts];
}
