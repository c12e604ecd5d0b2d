// The token: what Suffix appends to a session value, and Insert to a session route. It knows itself, whoever issued it:
// fixed lengths, one alphabet, and a check at its end. Layout in characters of base32 (5 bits each):
//   kind 1 ("u" unsigned, "s" signed) · balancer tag 5 · hash of the session route 10 · issue time 9 · [MAC 20] · check 9
// Does not know keys, members or what time it is.
import { base32Value, decodeNumber, encodeNumber } from './base32.ts';

/** Characters of a token. */
export const unsignedLength = 34;
export const signedLength = 54;

/** Characters of the parts. */
export const tagLength = 5;
export const routeHashLength = 10;
export const macLength = 20;
const timeLength = 9;
const checkLength = 9;

/** Offsets of the parts. */
const tagAt = 1;
const routeHashAt = tagAt + tagLength;
const timeAt = routeHashAt + routeHashLength;
/** Where the part ends that a MAC covers. */
export const macAt = timeAt + timeLength;

const unsignedKind = 0x75;
const signedKind = 0x73;

/** Kind, tag, route hash and issue time (whole milliseconds since the epoch): what a MAC covers, and a check too. */
export function tokenHead(isSigned: boolean, tag: string, routeHash: string, issuedMs: number): string {
  return `${isSigned ? 's' : 'u'}${tag}${routeHash}${encodeNumber(issuedMs, timeLength)}`;
}

/** The whole token; `mac` is '' for an unsigned one. */
export function completeToken(head: string, mac: string): string {
  const body = head + mac;
  return body + encodeNumber(checkOf(body, 0, body.length), checkLength);
}

/**
 * Where the token begins that ends `text[start, end)`, or -1. Other text is taken for one with a probability of at most
 * 2^-45, by its check alone; that it has the alphabet and the kind as well makes that smaller still.
 */
export function findToken(text: string, start: number, end: number): number {
  const unsigned = end - unsignedLength;
  if (unsigned < start) return -1;
  if (text.charCodeAt(unsigned) === unsignedKind && isChecked(text, unsigned, end)) return unsigned;
  const signed = end - signedLength;
  return signed >= start && text.charCodeAt(signed) === signedKind && isChecked(text, signed, end) ? signed : -1;
}

export function isSignedToken(text: string, tokenStart: number): boolean {
  return text.charCodeAt(tokenStart) === signedKind;
}

/** Whether a token, or what is left of one, begins at `at` with one of the kinds and `tag`. */
export function isTagged(text: string, at: number, tag: string): boolean {
  const kind = text.charCodeAt(at);
  return (kind === unsignedKind || kind === signedKind) && text.startsWith(tag, at + tagAt);
}

export function routeHashOf(text: string, tokenStart: number): string {
  return text.slice(tokenStart + routeHashAt, tokenStart + timeAt);
}

/** Milliseconds since the epoch. */
export function issueTimeOf(text: string, tokenStart: number): number {
  return decodeNumber(text, tokenStart + timeAt, timeLength);
}

function isChecked(text: string, start: number, end: number): boolean {
  const checkStart = end - checkLength;
  for (let at = start; at < end; at++) {
    if (base32Value(text.charCodeAt(at)) === -1) return false;
  }
  return checkOf(text, start, checkStart) === decodeNumber(text, checkStart, checkLength);
}

/** 45 bits that depend on every character (cyrb53 by bryc, public domain, cut). Not a secret: that is what the MAC is for. */
function checkOf(text: string, start: number, end: number): number {
  let a = 0xdead_beef;
  let b = 0x41c6_ce57;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 0x9e37_79b1);
    b = Math.imul(b ^ code, 0x5f35_6495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85eb_ca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2_ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85eb_ca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2_ae35);
  return (b & 0x1fff) * 0x1_0000_0000 + (a >>> 0);
}
