// Why a message is refused: the closed list of codes, and the status that a client gets for each.
// Nothing here throws; parsers keep the code in their `error` field.

/** Codes of everything that the wire refuses, with the status and the short reason for a client whose request is at fault. */
const refusals = {
  'bad-request-line': [400, 'The request line is malformed'],
  'bad-method': [400, 'The method is not a token'],
  'bad-target': [400, 'The request target is malformed or not allowed with this method'],
  'bad-version': [400, 'The protocol version is malformed'],
  'unsupported-version': [505, 'Only HTTP/1.0 and HTTP/1.1 are spoken here'],
  'connect-not-supported': [501, 'CONNECT is not supported'],
  'request-line-too-long': [414, 'The request line is too long'],
  'bad-status-line': [400, 'The status line is malformed'],
  'bad-status': [400, 'The status is outside 100 to 599'],
  'bad-header-name': [400, 'A header name is not a token followed at once by a colon'],
  'bad-header-value': [400, 'A header value has a control character'],
  'bad-line-end': [400, 'A line does not end in CR LF'],
  'folded-header': [400, 'A header line is folded'],
  'head-too-large': [431, 'The head is too large'],
  'too-many-headers': [431, 'The head has too many header lines'],
  'missing-host': [400, 'The Host header is missing'],
  'duplicate-host': [400, 'There is more than one Host header'],
  'bad-host': [400, 'The Host header is empty or malformed'],
  'host-mismatch': [400, 'The Host header and the request target name different hosts'],
  'bad-content-length': [400, 'The Content-Length header is not one decimal number'],
  'duplicate-content-length': [400, 'There is more than one Content-Length header'],
  'cl-with-te': [400, 'Content-Length and Transfer-Encoding exclude each other'],
  'bad-transfer-encoding': [400, 'The Transfer-Encoding header is not exactly "chunked"'],
  'duplicate-transfer-encoding': [400, 'There is more than one Transfer-Encoding header'],
  'unsupported-transfer-encoding': [501, 'No transfer coding but chunked is supported'],
  'te-in-http-1.0': [400, 'HTTP/1.0 has no Transfer-Encoding'],
  'trailer-with-content-length': [400, 'Trailers are announced where none can follow'],
  'bad-connection-option': [400, 'The Connection header is malformed or names a header that must stay'],
  'too-many-connection-options': [400, 'The Connection header has too many options'],
  'body-in-interim': [400, 'An interim response has a body'],
  'bad-upgrade': [400, 'A 101 does not say what it switches to'],
  'websocket-with-body': [400, 'A request that begins a WebSocket has no body'],
  'bad-chunk-size': [400, 'A chunk size is malformed or too large'],
  'bad-chunk-extension': [400, 'A chunk extension is malformed'],
  'chunk-extensions-too-large': [400, 'The chunk extensions are too large'],
  'bad-chunk-end': [400, 'A chunk does not end in CR LF'],
  'forbidden-trailer': [400, 'A trailer may not carry this header'],
  'trailers-too-large': [431, 'The trailers are too large'],
  'too-many-trailers': [431, 'There are too many trailers'],
} as const satisfies Record<string, readonly [number, string]>;

/** Why a message is refused. The union is closed: a switch over it can be exhaustive. */
export type WireErrorCode = keyof typeof refusals;

/** Every code, for tables in docs and tests. */
export const wireErrorCodes = Object.keys(refusals) as readonly WireErrorCode[];

/**
 * The status for a client that sent such a request: 400, 414, 431, 501 or 505 (RFC 9110 §15). The connection is
 * closed after it. A member that sent such a response always becomes 502.
 */
export function refusalStatus(code: WireErrorCode): number {
  return refusals[code][0];
}

/** One English sentence without a full stop that tells the sender what is wrong. Holds nothing of the message. */
export function refusalReason(code: WireErrorCode): string {
  return refusals[code][1];
}
