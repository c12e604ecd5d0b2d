// The tree of directives → what httpd would proxy. Every directive is either taken in here or remarked upon.
import type { FindingLog } from '../finding.ts';
import type { Directive } from './directive-tree.ts';
import { isOn, readParameters, readTimeMs } from './parameters.ts';
import { type PathMatch, readPattern, withoutSlash } from './path-pattern.ts';
import { type BalancerConfig, balancerOf, newServer, type ServerConfig } from './proxy-config.ts';
import { type ProxyTarget, readTarget } from './proxy-target.ts';
import { remarkOn } from './unused-directives.ts';

/** Where a directive stands. */
interface Scope {
  readonly server: ServerConfig;
  /** What a <Location> around it matches; `unknown`: something that no rule can say. */
  readonly location: PathMatch | 'unknown' | null;
  /** The balancer of a <Proxy balancer://…> around it. */
  readonly balancer: BalancerConfig | null;
}

/** Returns the main server and the virtual hosts, in order. */
export function readProxyConfig(directives: readonly Directive[], log: FindingLog): readonly ServerConfig[] {
  const main = newServer({ file: directives[0]?.file ?? '', line: 1 }, null);
  const servers = [main];
  const reader = new ProxyReader(log);
  // The main server is read whole before the virtual hosts: they inherit what stands below them, too.
  reader.read(
    directives.filter(({ name }) => name !== 'virtualhost'),
    { server: main, location: null, balancer: null },
  );
  for (const directive of directives) {
    if (directive.name !== 'virtualhost') continue;
    const server = newServer(directive, main);
    servers.push(server);
    reader.read(directive.children ?? [], { server, location: null, balancer: null });
  }
  return servers;
}

class ProxyReader {
  readonly #log: FindingLog;

  constructor(log: FindingLog) {
    this.#log = log;
  }

  read(directives: readonly Directive[], scope: Scope): void {
    for (const [index, directive] of directives.entries()) {
      if (directive.children !== null) this.#readSection(directive, directive.children, scope);
      else this.#readDirective(directive, scope, directives[index - 1]);
    }
  }

  #readSection(directive: Directive, children: readonly Directive[], scope: Scope): void {
    const [argument = ''] = directive.args;
    switch (directive.name) {
      case 'proxy': {
        const target = readTarget(argument);
        if (target?.kind === 'balancer') {
          this.read(children, { ...scope, balancer: balancerOf(scope.server, target.name, directive) });
        } else this.read(children, scope);
        return;
      }
      case 'location':
        if (argument === '~')
          this.read(children, { ...scope, location: readPattern(directive.args[1] ?? '') ?? 'unknown' });
        else this.read(children, { ...scope, location: { type: 'Prefix', path: withoutSlash(argument) } });
        return;
      case 'locationmatch':
        this.read(children, { ...scope, location: readPattern(argument) ?? 'unknown' });
        return;
      case 'directory':
      case 'directorymatch':
      case 'files':
      case 'filesmatch':
        // What happens to files does not concern requests that are proxied.
        this.#remark(directive, 'skipped', 'it is about files');
        return;
      case 'if':
      case 'elseif':
      case 'else':
        this.#remark(directive, 'lost', 'conditions on requests cannot be expressed; nothing in the section is read');
        return;
      case 'limit':
      case 'limitexcept':
      case 'requireall':
      case 'requireany':
      case 'requirenone':
        this.#remarkUnused(directive);
        return;
      default:
        this.#remark(directive, 'lost', 'this section is not known here; nothing in it is read');
    }
  }

  #readDirective(directive: Directive, scope: Scope, before: Directive | undefined): void {
    const { server } = scope;
    const { args } = directive;
    switch (directive.name) {
      case 'servername':
      case 'serveralias':
        for (const name of args) server.hosts.push({ name, at: directive });
        return;
      case 'proxypass':
        return this.#readProxyPass(directive, scope);
      case 'proxypassmatch':
        return this.#readPatternMapping(directive, scope, args[0] ?? '', args[1] ?? '', args.slice(2));
      case 'rewriterule':
        return this.#readRewriteRule(directive, scope, before);
      case 'balancermember':
        return this.#readMember(directive, scope);
      case 'proxyset':
        return this.#readProxySet(directive, scope);
      case 'proxypassreverse':
        server.hasReverse = true;
        return;
      case 'proxypassinherit':
        server.inherits = isOn(args[0]);
        return;
      case 'proxypreservehost':
        server.preservesHost = isOn(args[0]);
        return;
      case 'proxytimeout':
        server.proxyTimeoutMs = readTimeMs(args[0]);
        return;
      case 'timeout':
        server.timeoutMs = readTimeMs(args[0]);
        return;
      case 'limitrequestbody':
        server.maxBodyBytes = /^[0-9]{1,15}$/.test(args[0] ?? '') ? Number(args[0]) : null;
        return;
      case 'proxyhctemplate':
        server.checks.set(args[0] ?? '', readParameters(args.slice(1)));
        return;
      case 'proxyhcexpr':
        server.conditions.set(args[0] ?? '', args.slice(1).join(' '));
        return;
      case 'header':
        return this.#readHeader(directive, scope);
      case 'requestheader':
        if (/^x-forwarded-(proto|port|for|host)$/i.test(args[1] ?? '')) {
          this.#remark(directive, 'skipped', 'forwarding headers are made by Evenkeel');
        } else this.#remarkUnused(directive);
        return;
      default:
        this.#remarkUnused(directive);
    }
  }

  #readProxyPass(directive: Directive, { server, location }: Scope): void {
    const isInLocation = location !== null;
    const [path = '', url = ''] = isInLocation ? ['', directive.args[0]] : directive.args;
    const parameters = readParameters(directive.args.slice(isInLocation ? 1 : 2));
    if (location === 'unknown')
      return this.#remark(directive, 'lost', 'no rule can say which paths its section matches');
    const match = location ?? { type: 'Prefix', path: withoutSlash(path) };
    const target = readTarget(url);
    if (target === null) return this.#remark(directive, 'lost', `${url || 'its target'} is not a URL that can be read`);
    if (!match.path.startsWith('/')) return this.#remark(directive, 'lost', `${path} is not a path`);
    const mapping = {
      at: directive,
      text: directive.text,
      match,
      target,
      memberPath: target.kind === 'none' ? null : withoutSlash(target.path),
      parameters,
    };
    (isInLocation ? server.locations : server.mappings).push(mapping);
  }

  #readPatternMapping(
    directive: Directive,
    { server }: Scope,
    pattern: string,
    url: string,
    words: readonly string[],
  ): void {
    const match = readPattern(pattern);
    const target = readTarget(url);
    if (match === null) {
      const advice = 'write rules for the paths that it stands for';
      return this.#remark(directive, 'lost', `no rule can say what ${pattern} matches; ${advice}`);
    }
    if (target === null) return this.#remark(directive, 'lost', `${url || 'its target'} is not a URL that can be read`);
    server.mappings.push({
      at: directive,
      text: directive.text,
      match: { type: match.type, path: match.path },
      target,
      memberPath: memberPathOf(match.path, match.group, target),
      parameters: readParameters(words),
    });
  }

  /** `RewriteRule ^/app/(.*)$ balancer://c/app/$1 [P,L]` is a mapping; others are not carried over. */
  #readRewriteRule(directive: Directive, scope: Scope, before: Directive | undefined): void {
    const [pattern = '', url = '', flags = ''] = directive.args;
    const names = flags.replaceAll(/[[\]\s]/g, '').split(',');
    const isProxied = names.some((name) => /^(p|proxy)$/i.test(name));
    if (!isProxied) return this.#remark(directive, 'lost', 'requests are not redirected or rewritten');
    if (before?.name === 'rewritecond') {
      return this.#remark(directive, 'lost', 'conditions on requests cannot be expressed');
    }
    this.#readPatternMapping(directive, scope, pattern.startsWith('/') ? `^${pattern}` : pattern, url, []);
  }

  #readMember(directive: Directive, { server, balancer }: Scope): void {
    const isOutside = balancer === null;
    const [balancerUrl = '', url = ''] = isOutside ? directive.args : ['', directive.args[0]];
    const words = directive.args.slice(isOutside ? 2 : 1);
    const outer = isOutside ? readTarget(balancerUrl) : null;
    if (isOutside && outer?.kind !== 'balancer') {
      return this.#remark(directive, 'lost', `${balancerUrl || 'it'} is not the URL of a balancer`);
    }
    const config = balancer ?? balancerOf(server, (outer as { readonly name: string }).name, directive);
    config.members.push({ at: directive, text: directive.text, url, parameters: readParameters(words) });
  }

  #readProxySet(directive: Directive, { server, balancer }: Scope): void {
    const [first = ''] = directive.args;
    const target = first.includes('://') && !first.includes('=') ? readTarget(first) : null;
    if (target !== null && target.kind !== 'balancer') {
      return this.#remark(
        directive,
        'lost',
        'parameters of single servers are read from BalancerMember and ProxyPass only',
      );
    }
    const config = target === null ? balancer : balancerOf(server, target.name, directive);
    if (config === null) return this.#remark(directive, 'lost', 'it names no balancer');
    const words = target === null ? directive.args : directive.args.slice(1);
    for (const [key, value] of readParameters(words)) config.parameters.set(key, { value, at: directive });
  }

  /** `Header add Set-Cookie "ROUTEID=.%{BALANCER_WORKER_ROUTE}e; path=/" env=BALANCER_ROUTE_CHANGED`. */
  #readHeader(directive: Directive, { server }: Scope): void {
    const line = directive.args.join(' ');
    const match = /\bset-cookie:? ([^=\s]+)=[^;]*%\{BALANCER_WORKER_ROUTE\}e(.*?)(?: env=\S+)?$/i.exec(line);
    if (match === null) return this.#remarkUnused(directive);
    const attributes = match[2]!.split(';').map((part) => part.trim());
    server.routeCookies.push({ at: directive, name: match[1]!, attributes: attributes.filter((part) => part !== '') });
  }

  #remarkUnused(directive: Directive): void {
    const { weight, message } = remarkOn(directive.name, directive.args);
    this.#remark(directive, weight, message);
  }

  #remark(directive: Directive, weight: 'lost' | 'changed' | 'skipped', message: string): void {
    this.#log.add(weight, directive, directive.text, message);
  }
}

/** What a member gets in place of the matched path; null: the same, or it cannot be told. */
function memberPathOf(path: string, group: { readonly start: number } | null, target: ProxyTarget): string | null {
  if (target.kind === 'none') return null;
  const at = target.path.search(/\$[0-9]/);
  if (at === -1 || group === null) return group === null && at === -1 ? withoutSlash(target.path || path) : null;
  // The rest of the path goes behind what stands before $1; the same is meant where that is what the group leaves out.
  const before = target.path.slice(0, at);
  const left = path === '/' ? '/'.slice(0, group.start) : `${path}/`.slice(0, group.start);
  return before === left ? path : withoutSlash(before);
}
