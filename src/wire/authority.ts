// uri-host[:port] as in the Host header and in absolute targets (RFC 9110 §7.2, RFC 3986 §3.2).
// Refuses user information, empty hosts, percent-encoding, sub-delims, zone ids and IPvFuture; resolves nothing.
import { COLON, equalsIgnoringCase, isHostOctet, ZERO } from './octets.ts';

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const maxPort = 65_535;
// The longest IPv6 literal, with an IPv4 address in its tail, has 45 characters.
const maxIpv6Length = 45;

/** The parts of an authority, as offsets into the bytes that held it. Re-usable. */
export interface Authority {
  /** Where it begins. */
  start: number;
  /** Where the host ends; the brackets of an IPv6 literal belong to the host. */
  hostEnd: number;
  /** Where it ends, port included. */
  end: number;
  /** 0 to 65535; -1 without a port or with an empty one ("host:"), which means the default port of the scheme. */
  port: number;
}

export function createAuthority(): Authority {
  return { start: 0, hostEnd: 0, end: 0, port: -1 };
}

/** Reads the authority `bytes[start, end)` into `into`. False when it is empty or malformed. */
export function parseAuthority(bytes: Buffer, start: number, end: number, into: Authority): boolean {
  const hostEnd = findHostEnd(bytes, start, end);
  if (hostEnd <= start) return false;
  const port = parsePort(bytes, hostEnd, end);
  if (port === badPort) return false;
  into.start = start;
  into.hostEnd = hostEnd;
  into.end = end;
  into.port = port;
  return true;
}

/** Whether both name one host and port: hosts without regard to case, no port being `defaultPort`. */
export function isSameAuthority(bytes: Buffer, a: Authority, b: Authority, defaultPort: number): boolean {
  const portOfA = a.port === -1 ? defaultPort : a.port;
  const portOfB = b.port === -1 ? defaultPort : b.port;
  if (portOfA !== portOfB) return false;
  const hostOfB = bytes.toString('latin1', b.start, b.hostEnd);
  return equalsIgnoringCase(bytes, a.start, a.hostEnd, hostOfB.toLowerCase());
}

/** Returns the offset after the host, or -1 when it is malformed. */
function findHostEnd(bytes: Buffer, start: number, end: number): number {
  if (start < end && bytes[start] === OPEN_BRACKET) return findLiteralEnd(bytes, start, end);
  let pos = start;
  while (pos < end && isHostOctet[bytes[pos]!] === 1) pos++;
  return pos;
}

function findLiteralEnd(bytes: Buffer, start: number, end: number): number {
  const last = Math.min(end, start + maxIpv6Length + 2);
  let pos = start + 1;
  while (pos < last && bytes[pos] !== CLOSE_BRACKET) pos++;
  return pos < last && isIpv6(bytes.toString('latin1', start + 1, pos)) ? pos + 1 : -1;
}

const badPort = -2;

/** Reads nothing or ":" *DIGIT. */
function parsePort(bytes: Buffer, start: number, end: number): number {
  if (start === end) return -1;
  if (bytes[start] !== COLON) return badPort;
  let port = -1;
  for (let pos = start + 1; pos < end; pos++) {
    const digit = bytes[pos]! - ZERO;
    if (digit < 0 || digit > 9) return badPort;
    port = Math.max(port, 0) * 10 + digit;
    if (port > maxPort) return badPort;
  }
  return port;
}

const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const groupPattern = /^[0-9A-Fa-f]{1,4}$/;

/** Whether the text is an IPv6 address without brackets and zone (RFC 3986 §3.2.2). */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const isShortened = halves.length === 2;
  let count = 0;
  for (const [i, half] of halves.entries()) {
    const size = countGroups(half, isShortened, i === halves.length - 1);
    if (size === -1) return false;
    count += size;
  }
  return isShortened ? count <= 7 : count === 8;
}

/** Returns how many 16-bit groups are written, an IPv4 tail counting two; -1 when malformed. */
function countGroups(half: string, mayBeEmpty: boolean, mayEndInIpv4: boolean): number {
  if (half === '') return mayBeEmpty ? 0 : -1;
  const groups = half.split(':');
  let count = groups.length;
  for (const [i, group] of groups.entries()) {
    if (groupPattern.test(group)) continue;
    if (!mayEndInIpv4 || i !== groups.length - 1 || !ipv4Pattern.test(group)) return -1;
    count++;
  }
  return count;
}
