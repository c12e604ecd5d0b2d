// Hosts and paths of rules in the one form that lanes compare with. Pure text work; which rule wins is not decided here.

/** The host of rules that take every host. */
export const catchAllHost = '*';

/** Lower case, without port and trailing dot; empty and `*` are the catch-all host. `*.` in front stays. */
export function normaliseHost(host: string): string {
  const bare = host.trim().toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  return bare === '' ? catchAllHost : bare;
}

/** The wildcard that covers a host, one label wide: `a.b.c` → `*.b.c`. Null for wildcards and hosts of one label. */
export function wildcardOver(host: string): string | null {
  const dot = host.indexOf('.');
  if (host.startsWith('*') || dot === -1) return null;
  return `*${host.slice(dot)}`;
}

/**
 * The path as one character per byte of UTF-8, with percent-encoding undone (a `%` that encodes nothing stays).
 * Under Prefix, slashes at the end go: `/aaa/` takes `/aaa` too, as for Ingress.
 */
export function normalisePath(pathType: 'Exact' | 'Prefix', path: string): string {
  const bytes = Array.from(new TextEncoder().encode(path), (byte) => String.fromCharCode(byte)).join('');
  const decoded = bytes.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (pathType === 'Exact') return decoded;
  return decoded.replace(/\/+$/, '') || '/';
}
