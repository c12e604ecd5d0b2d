// Requests and answers as texts.

/** A request without a body. */
export function get(path = '/', ...headers: readonly string[]): string {
  return request(`GET ${path} HTTP/1.1`, 'Host: a.example', ...headers);
}

/** A head of these lines. */
export function request(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** An answer with a length. */
export function ok(body: string, ...headers: readonly string[]): string {
  return `${['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...headers].join('\r\n')}\r\n\r\n${body}`;
}
