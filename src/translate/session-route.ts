// The short hash by which a session finds its member again: the same in every replica, and never an address.
import { createHash } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const length = 10;

/**
 * The first 50 bits of SHA-256 over UTF-8, in base32 (RFC 4648 §6, lower case): ten characters of [a-z2-7].
 * With a thousand members the chance that any two are alike is one in two thousand million.
 */
export function shortHash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let bits = digest.readBigUInt64BE(0) >> BigInt(64 - 5 * length);
  let hash = '';
  for (let place = 0; place < length; place += 1) {
    hash = alphabet.charAt(Number(bits & 31n)) + hash;
    bits >>= 5n;
  }
  return hash;
}
