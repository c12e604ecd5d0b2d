// Numbers and octets as lower-case base32 (the alphabet of RFC 4648 §6), five bits a character: what tokens are made of.

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

const values = new Int8Array(128).fill(-1);
for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;

/** 0 to 31, or -1 for the code of another character. */
export function base32Value(code: number): number {
  return code < 128 ? values[code]! : -1;
}

/** `places` characters, most significant first; `value` is whole and from 0 to 2^(5 · places) - 1, at most 2^53 - 1. */
export function encodeNumber(value: number, places: number): string {
  let text = '';
  let rest = value;
  for (let place = 0; place < places; place++) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** The number in `places` characters at `start`, which are all of the alphabet. */
export function decodeNumber(text: string, start: number, places: number): number {
  let value = 0;
  for (let at = start; at < start + places; at++) value = value * 32 + base32Value(text.charCodeAt(at));
  return value;
}

/** The first 5 · `places` bits of octets that are given as latin1. */
export function encodeOctets(octets: string, places: number): string {
  let text = '';
  let bits = 0;
  let bitCount = 0;
  for (let at = 0; text.length < places; ) {
    if (bitCount < 5) {
      bits = ((bits << 8) | octets.charCodeAt(at++)) & 0xfff;
      bitCount += 8;
    }
    bitCount -= 5;
    text += alphabet.charAt((bits >> bitCount) & 31);
  }
  return text;
}
