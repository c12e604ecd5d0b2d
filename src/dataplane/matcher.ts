// Which balancer a request belongs to: the most specific host, then the most specific path.
// A matched host never falls through to a lesser one. Built once per rule table, then only read.
import type { RuleUnit } from '../snapshot/snapshot.ts';
import { pathOf, readPath } from './target-path.ts';

/** The key of the balancer that takes a request, by which rule, or why none does. */
export type Match =
  | { readonly balancer: string; readonly rule: RuleUnit; readonly refused?: never }
  | { readonly balancer?: never; readonly rule?: never; readonly refused: 'no-rule' | 'bad-path' | 'ambiguous-path' };

// Made once, so that matching allocates nothing.
const NO_RULE: Match = { refused: 'no-rule' };
const BAD_PATH: Match = { refused: 'bad-path' };
const AMBIGUOUS_PATH: Match = { refused: 'ambiguous-path' };

/** The paths of one host. */
class PathTable {
  readonly #exact = new Map<string, Match>();
  readonly #prefixes = new Map<string, Match>();
  #everyPath = NO_RULE;
  /** Slashes in the longest prefix: no need to look deeper, however deep a client's path is. */
  #deepest = 0;

  add(rule: RuleUnit): void {
    const match = { balancer: rule.balancer, rule };
    if (rule.pathType === 'Exact') {
      this.#exact.set(rule.path, match);
      return;
    }
    if (rule.path === '/') this.#everyPath = match;
    else {
      this.#prefixes.set(rule.path, match);
      this.#deepest = Math.max(this.#deepest, rule.path.split('/').length - 1);
    }
  }

  find(path: string): Match {
    // Looking up a text that was never looked up before is dear: not where there is nothing.
    const exact = this.#exact.size === 0 ? undefined : this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (let end = this.#deepestEnd(path); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const found = this.#prefixes.get(path.slice(0, end));
      if (found !== undefined) return found;
    }
    return this.#everyPath;
  }

  /** Where the first `#deepest` segments of the path end. */
  #deepestEnd(path: string): number {
    if (this.#deepest === 0) return 0;
    let end = 0;
    for (let segment = 0; segment < this.#deepest; segment += 1) {
      end = path.indexOf('/', end + 1);
      if (end === -1) return path.length;
    }
    return end;
  }
}

export class Matcher {
  readonly #hosts = new Map<string, PathTable>();
  /** By the part behind the first label: `*.example.com` is under `example.com`. */
  readonly #wildcards = new Map<string, PathTable>();
  #everyHost: PathTable | null = null;

  constructor(rules: readonly RuleUnit[]) {
    for (const rule of rules) this.#tableFor(rule.host).add(rule);
  }

  /**
   * `host` may carry a port, upper case and a trailing dot; `target` is in origin form.
   */
  match(host: string, target: string): Match {
    const table = this.#find(host);
    if (table === null) return NO_RULE;
    const path = readPath(pathOf(target));
    if (path === null) return BAD_PATH;
    const match = table.find(path.resolved);
    if (path.literal !== path.resolved && table.find(path.literal).balancer !== match.balancer) return AMBIGUOUS_PATH;
    return match;
  }

  #find(host: string): PathTable | null {
    if (this.#hosts.size === 0 && this.#wildcards.size === 0) return this.#everyHost;
    const name = canonicalHost(host);
    const exact = this.#hosts.get(name);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size > 0) {
      const dot = name.indexOf('.');
      const wildcard = dot > 0 ? this.#wildcards.get(name.slice(dot + 1)) : undefined;
      if (wildcard !== undefined) return wildcard;
    }
    return this.#everyHost;
  }

  #tableFor(pattern: string): PathTable {
    if (pattern === '*') {
      this.#everyHost ??= new PathTable();
      return this.#everyHost;
    }
    const isWildcard = pattern.startsWith('*.');
    const hosts = isWildcard ? this.#wildcards : this.#hosts;
    const name = isWildcard ? pattern.slice(2) : pattern;
    const table = hosts.get(name) ?? new PathTable();
    hosts.set(name, table);
    return table;
  }
}

/** Lower case, without port and trailing dot. */
export function canonicalHost(host: string): string {
  const afterBracket = host.startsWith('[') ? host.indexOf(']') : 0;
  const colon = host.indexOf(':', afterBracket);
  let name = colon === -1 ? host : host.slice(0, colon);
  if (name.endsWith('.')) name = name.slice(0, -1);
  return name.toLowerCase();
}
