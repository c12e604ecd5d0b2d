// Signs tokens and verifies them: HMAC-SHA-256 (RFC 2104) over balancer, strategy, the token's head (session route and
// issue time) and the session value, cut to 100 bits. Compares in constant time; never says why something is refused.
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { encodeOctets } from './base32.ts';
import { macAt, macLength } from './token.ts';

export interface Signer {
  /** The first signs, all verify. */
  readonly keys: readonly KeyObject[];
  /** What is before the token's head in every message; ends with NUL. */
  readonly context: string;
}

/** Keys are base64. What is signed for one context is not valid in another. */
export function createSigner(keys: readonly string[], strategy: string, balancerKey: string): Signer {
  return {
    keys: keys.map((key) => createSecretKey(key, 'base64')),
    context: `evenkeel session\0${strategy}\0${balancerKey}\0`,
  };
}

/** The MAC as text, or null without a key. `value` is the session value that the token belongs to, one character per octet. */
export function sign(signer: Signer, head: string, value: string): string | null {
  const key = signer.keys[0];
  return key === undefined ? null : macOf(key, signer.context + head + value);
}

const given = Buffer.alloc(macLength);
const wanted = Buffer.alloc(macLength);

/** The place of the key that signed the token at `tokenStart` in `text` for `value`, or -1. */
export function verify({ keys, context }: Signer, text: string, tokenStart: number, value: string): number {
  const macStart = tokenStart + macAt;
  // The head is of fixed length, so head and value cannot be confused.
  const message = context + text.slice(tokenStart, macStart) + value;
  given.write(text.slice(macStart, macStart + macLength), 'latin1');
  for (let place = 0; place < keys.length; place++) {
    wanted.write(macOf(keys[place]!, message), 'latin1');
    if (timingSafeEqual(given, wanted)) return place;
  }
  return -1;
}

function macOf(key: KeyObject, message: string): string {
  return encodeOctets(createHmac('sha256', key).update(message, 'latin1').digest('latin1'), macLength);
}
