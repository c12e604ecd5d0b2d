// The grammar of chunk extensions (RFC 9112 §7.1.1), one octet at a time: ";" name [ "=" ( token / quoted-string ) ].
// Stricter than the RFC: no white space around ";" and "=", which RFC 9112 tolerates as "bad" only.
import { CR, isFieldOctet, tokenFold } from './octets.ts';

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where inside an extension the last octet stood. */
export const extensionStart = 0;
const inName = 1;
const valueStart = 2;
const inValue = 3;
const inQuotes = 4;
const afterBackslash = 5;
const afterQuotes = 6;
/** The octet was the CR that ends the line. */
export const extensionEnd = 7;
export const badExtension = -1;

/** Returns the state after one more octet, beginning with `extensionStart` after the first ";". */
export function stepExtension(state: number, octet: number): number {
  switch (state) {
    case extensionStart:
      return tokenFold[octet] !== 0 ? inName : badExtension;
    case inName:
      if (tokenFold[octet] !== 0) return inName;
      return octet === EQUALS ? valueStart : stepAfterValue(octet);
    case valueStart:
      if (octet === QUOTE) return inQuotes;
      return tokenFold[octet] !== 0 ? inValue : badExtension;
    case inValue:
      return tokenFold[octet] !== 0 ? inValue : stepAfterValue(octet);
    case inQuotes:
      if (octet === QUOTE) return afterQuotes;
      if (octet === BACKSLASH) return afterBackslash;
      return isFieldOctet[octet] === 1 ? inQuotes : badExtension;
    case afterBackslash:
      return isFieldOctet[octet] === 1 ? inQuotes : badExtension;
    default:
      return stepAfterValue(octet);
  }
}

function stepAfterValue(octet: number): number {
  if (octet === SEMICOLON) return extensionStart;
  return octet === CR ? extensionEnd : badExtension;
}
