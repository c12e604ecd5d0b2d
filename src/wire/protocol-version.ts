// Reads HTTP-version (RFC 9112 §2.3) out of a start line.
// Only 1.0 and 1.1: a minor version above 1 could be taken for 1.1 (RFC 9110 §2.5), but nobody sends one, and
// what members make of it differs.
import { needMore, refuse } from './field-parser.ts';
import { ZERO } from './octets.ts';
import type { WireErrorCode } from './wire-error.ts';

// What must stand at each place of "HTTP/1.1": 0 for a digit.
const pattern = Buffer.from('HTTP/\0.\0', 'latin1');
/** Length of "HTTP/1.1". Bytes. */
export const versionLength = pattern.length;

function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= ZERO + 9;
}

/** Returns the minor version (0 or 1) that stands at `start`, or `needMore`, or `refused`. */
export function parseVersion(
  owner: { error: WireErrorCode | null },
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  for (let i = 0; i < versionLength; i++) {
    if (start + i === end) return needMore;
    const octet = bytes[start + i]!;
    const wanted = pattern[i]!;
    if (wanted === 0 ? !isDigit(octet) : octet !== wanted) return refuse(owner, 'bad-version');
  }
  const major = bytes[start + 5]! - ZERO;
  const minor = bytes[start + 7]! - ZERO;
  return major === 1 && minor <= 1 ? minor : refuse(owner, 'unsupported-version');
}
