// Which methods may be sent twice (RFC 9110 §9.2.2). Unknown ones may not.

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export function isIdempotent(method: string): boolean {
  return method === 'GET' || IDEMPOTENT.has(method);
}
