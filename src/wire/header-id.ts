// The headers that a proxy must know, each with a small number, so that the hot path compares numbers.
// Recognition allocates nothing; a name spelled with underscores is recognised apart, because CGI-like
// members take X_Forwarded_For for X-Forwarded-For. Never treat such a look-alike as the header itself.
import { DASH, tokenFold, UNDERSCORE } from './octets.ts';
import { foldedWord, viewOf, WORD_BYTES } from './words.ts';

const LETTER_X = 0x78;
const FORWARDED_PREFIX_LENGTH = 'x-forwarded-'.length;

/** Numbers of the known headers, 1 to 63; 0 is every other header. */
export const headerIds = {
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  te: 5,
  trailer: 6,
  upgrade: 7,
  expect: 8,
  keepAlive: 9,
  proxyConnection: 10,
  proxyAuthenticate: 11,
  proxyAuthorization: 12,
  proxyAuthenticationInfo: 13,
  maxForwards: 14,
  via: 15,
  forwarded: 16,
  xForwardedFor: 17,
  xForwardedHost: 18,
  xForwardedProto: 19,
  xForwardedPort: 20,
  xForwardedServer: 21,
  xForwardedPrefix: 22,
  /** Every other name that begins with `x-forwarded-`. */
  xForwardedOther: 23,
  xRealIp: 24,
  xRequestId: 25,
  cookie: 26,
  setCookie: 27,
  location: 28,
  authorization: 29,
  contentType: 30,
  contentEncoding: 31,
  contentRange: 32,
  contentLocation: 33,
  cacheControl: 34,
  date: 35,
  server: 36,
  http2Settings: 37,
  secWebsocketKey: 38,
  secWebsocketVersion: 39,
  secWebsocketAccept: 40,
  traceparent: 41,
  age: 42,
  range: 43,
  retryAfter: 44,
  setCookie2: 45,
  altSvc: 46,
  endpointLoadMetrics: 47,
  endpointLoadMetricsBin: 48,
  xBalancerName: 49,
  xBalancerMember: 50,
  xBalancerMemberRoute: 51,
  xBalancerSessionSource: 52,
  xBalancerSessionRoute: 53,
  xBalancerRouteChanged: 54,
  xEvenkeelExplain: 55,
  cdnLoop: 56,
} as const;

/** The number of a known header, or 0. */
export type HeaderId = (typeof headerIds)[keyof typeof headerIds] | 0;

/** Ids are below this; tables by id have this length. */
export const headerIdCount = 64;

/** Set beside the id in a word when the name was recognised only by reading "_" as "-". */
export const underscoreFlag = 0x100;

/** Lower-case names by id; '' for ids that stand for no single name. */
export const headerNames: readonly string[] = namesById();

function namesById(): string[] {
  const names = Array.from({ length: headerIdCount }, () => '');
  for (const [key, id] of Object.entries(headerIds)) {
    names[id] = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  }
  names[headerIds.http2Settings] = 'http2-settings';
  names[headerIds.setCookie2] = 'set-cookie2';
  names[headerIds.xForwardedOther] = '';
  return names;
}

// Length, first and last character tell the known names apart but for few, which are chained.
const slotCount = 1_024;
const firstInSlot = new Uint8Array(slotCount);
const nextInSlot = new Uint8Array(headerIdCount);
// The names one behind the other, so that comparing one needs no object.
const nameOctets = Uint8Array.from(Buffer.from(headerNames.join(''), 'latin1'));
const nameWords = new DataView(nameOctets.buffer);
const nameStarts = new Uint16Array(headerIdCount + 1);
for (const [id, name] of headerNames.entries()) nameStarts[id + 1] = nameStarts[id]! + name.length;

function slotOf(length: number, first: number, last: number): number {
  return (length * 37 + first * 5 + last * 11) & (slotCount - 1);
}

for (const [id, name] of headerNames.entries()) {
  if (name === '') continue;
  const slot = slotOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1));
  nextInSlot[id] = firstInSlot[slot]!;
  firstInSlot[slot] = id;
}

/** Whether `bytes[start, start + length)` is the known name but for case. `length`: at least that of a word. */
function isName(bytes: Uint8Array, start: number, id: number, length: number): boolean {
  const words = viewOf(bytes);
  const nameStart = nameStarts[id]!;
  // The last word may overlap the one before.
  const last = length - WORD_BYTES;
  if (foldedWord(words, start + last) !== foldedWord(nameWords, nameStart + last)) return false;
  for (let at = 0; at < last; at += WORD_BYTES) {
    if (foldedWord(words, start + at) !== foldedWord(nameWords, nameStart + at)) return false;
  }
  return true;
}

/** Compares the first `length` octets of a known name: 0 differs, 1 equal but for case, 2 equal if "_" is read as "-". */
function compareName(bytes: Uint8Array, start: number, id: number, length: number): number {
  const nameStart = nameStarts[id]!;
  let result = 1;
  for (let i = 0; i < length; i++) {
    const octet = bytes[start + i]!;
    const wanted = nameOctets[nameStart + i]!;
    if (tokenFold[octet] === wanted) continue;
    if (octet !== UNDERSCORE || wanted !== DASH) return 0;
    result = 2;
  }
  return result;
}

/**
 * Recognises the header name `bytes[start, end)`, which is a token of at least one octet.
 * Returns a word: the id, plus `underscoreFlag` for a look-alike; 0 for an unknown name.
 */
export function recogniseHeader(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = tokenFold[bytes[start]!]!;
  const slot = slotOf(length, first, tokenFold[bytes[end - 1]!]!);
  for (let id = firstInSlot[slot]!; id !== 0; id = nextInSlot[id]!) {
    if (nameStarts[id + 1]! - nameStarts[id]! !== length) continue;
    if (length >= WORD_BYTES && isName(bytes, start, id, length)) return id;
    const compared = compareName(bytes, start, id, length);
    if (compared !== 0) return compared === 1 ? id : id | underscoreFlag;
  }
  if (first !== LETTER_X || length <= FORWARDED_PREFIX_LENGTH) return 0;
  const compared = compareName(bytes, start, headerIds.xForwardedFor, FORWARDED_PREFIX_LENGTH);
  if (compared === 0) return 0;
  return compared === 1 ? headerIds.xForwardedOther : headerIds.xForwardedOther | underscoreFlag;
}
