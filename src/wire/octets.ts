// Classes of octets as tables, because one table look-up per octet is the cheapest test there is.
// Grammar only: RFC 9110 §5.5, §5.6.2, RFC 9112 §3, RFC 3986 §2.

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const STAR = 0x2a;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const QUESTION = 0x3f;
export const COMMA = 0x2c;
export const UNDERSCORE = 0x5f;
export const DASH = 0x2d;

function table(classify: (octet: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => classify(octet));
}

function matching(pattern: RegExp): Uint8Array {
  return table((octet) => (pattern.test(String.fromCharCode(octet)) ? 1 : 0));
}

/** 0 for what is no token character (RFC 9110 §5.6.2), else the character in lower case. */
export const tokenFold = table((octet) => {
  const character = String.fromCharCode(octet);
  return /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character) ? character.toLowerCase().charCodeAt(0) : 0;
});

/** 1 for what a field value or a reason phrase may hold: tab, space, visible characters, obs-text (RFC 9110 §5.5). */
export const isFieldOctet = matching(/[\t\x20-\x7e\x80-\xff]/);

/** 1 for what a request target may hold: visible ASCII but "#", which begins a fragment and is never sent (RFC 9112 §3.2). */
export const isTargetOctet = matching(/[\x21-\x22\x24-\x7e]/);

/**
 * 1 for what a host name or an IPv4 address may hold: the unreserved characters of RFC 3986 §2.3. Stricter than
 * reg-name: percent-encoding and sub-delims occur in no DNS name, and let two readers see two hosts.
 */
export const isHostOctet = matching(/[A-Za-z0-9\-._~]/);

/** The value of a hexadecimal digit, else 255. */
export const hexValue = table((octet) => {
  const value = Number.parseInt(String.fromCharCode(octet), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** Whether `bytes[start, end)` is `lower` (an all-lower-case token) without regard to the case of ASCII letters. */
export function isToken(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    if (tokenFold[bytes[start + i]!] !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether `bytes[start, end)` is `literal`, of ASCII characters. */
export function isLiteral(bytes: Uint8Array, start: number, end: number, literal: string): boolean {
  if (end - start !== literal.length) return false;
  for (let i = 0; i < literal.length; i++) {
    if (bytes[start + i] !== literal.charCodeAt(i)) return false;
  }
  return true;
}

/** Whether `bytes[start, end)` is `lower` (an all-lower-case literal) without regard to the case of ASCII letters. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    const octet = bytes[start + i]!;
    const folded = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    if (folded !== lower.charCodeAt(i)) return false;
  }
  return true;
}
