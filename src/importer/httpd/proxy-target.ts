// Where a mapping or a member leads: `balancer://name/path`, or a URL of one server.

export type ProxyTarget =
  | { readonly kind: 'balancer'; readonly name: string; readonly path: string }
  | { readonly kind: 'server'; readonly address: ServerAddress; readonly path: string }
  /** `!`: httpd does not proxy this path. */
  | { readonly kind: 'none' };

/** A server as httpd names it. */
export interface ServerAddress {
  /** In lower case: `http`, `https`, `ajp`, `ws` … */
  readonly scheme: string;
  /** Host and port; IPv6 addresses in brackets. */
  readonly host: string;
  /** Null: the scheme's. */
  readonly port: number | null;
}

/** Null for what is no target. */
export function readTarget(text: string): ProxyTarget | null {
  if (text === '!') return { kind: 'none' };
  const match =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::([0-9]{1,5}))?([/?$].*)?$/s.exec(text);
  if (match === null) return null;
  const [, scheme = '', host = '', port, path = ''] = match;
  if (scheme.toLowerCase() === 'balancer') return { kind: 'balancer', name: host.toLowerCase(), path };
  const address = { scheme: scheme.toLowerCase(), host, port: port === undefined ? null : Number(port) };
  return { kind: 'server', address, path };
}

/** The URL of a member that can be reached with HTTP, or why there is none. */
export function memberUrl({
  scheme,
  host,
  port,
}: ServerAddress): { readonly url: string } | { readonly reason: string } {
  if (host.includes('_')) return { reason: 'a name with "_" is no name of a host' };
  switch (scheme) {
    case 'http':
    case 'ws':
      return { url: port === null || port === 80 ? `http://${host}` : `http://${host}:${port}` };
    case 'https':
    case 'wss':
      return { reason: 'members are reached without TLS only, so far; give a port that speaks plain HTTP' };
    case 'ajp':
      return { reason: 'there is no AJP; use the HTTP connector of the server instead, with its port' };
    case 'h2':
    case 'h2c':
      return { reason: 'members are spoken to with HTTP/1.1 only, so far' };
    default:
      return { reason: `members speak HTTP, not ${scheme}` };
  }
}
