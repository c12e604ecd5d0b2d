// The part of the last look that is about sessions: names and attributes are written into heads, keys are handed to
// cryptography, so none of them may be anything else. Tells no key, not even a bad one.
import type { SessionCookieUnit, SessionSigningUnit, SessionUnit } from './session-unit.ts';

/** Most keys of one balancer: each costs an HMAC for each signed value that holds by none before it. */
export const maxSigningKeys = 16;

/** The name of a cookie, a header or a URL parameter. */
export function isFieldName(text: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,63}$/.test(text);
}

/** Everything that is wrong with the session rules of a balancer. */
export function* findSessionFaults(unit: SessionUnit): Generator<string> {
  const { strategy, cookie, header, urlParameter, separator, attributes, signing, rejectStatus } = unit;
  if (cookie === null && header === null && urlParameter === null) yield 'no value is read';
  for (const [field, name] of Object.entries({ cookie, header, urlParameter })) {
    if (name !== null && !isFieldName(name)) yield `${field} is ${JSON.stringify(name)}`;
  }
  const separators = strategy === 'Route' ? /^[!#$&*+./:@^_|~-]?$/ : /^[!#$&*+./:@^_|~-]$/;
  if (!separators.test(separator)) yield `separator is ${JSON.stringify(separator)}`;
  if ((strategy === 'Insert') !== (attributes !== null)) yield `strategy ${strategy} does not fit its attributes`;
  if (strategy === 'Insert' && cookie === null) yield 'there is no cookie to insert';
  if (attributes !== null) yield* findCookieFaults(attributes);
  if (signing !== null && strategy === 'Route') yield 'strategy Route signs nothing';
  if (signing !== null) yield* findSigningFaults(signing);
  if (![503, 404, 410].includes(rejectStatus)) yield `rejectStatus is ${rejectStatus}`;
}

function* findCookieFaults({ path, domain, maxAgeMs }: SessionCookieUnit): Generator<string> {
  if (!/^\/[\x21-\x3a\x3c-\x7e]*$/.test(path)) yield `attributes.path is ${JSON.stringify(path)}`;
  if (!/^[A-Za-z0-9.-]{0,253}$/.test(domain)) yield `attributes.domain is ${JSON.stringify(domain)}`;
  if (!isAge(maxAgeMs)) yield `attributes.maxAgeMs is ${maxAgeMs}`;
}

function* findSigningFaults({ keys, maxAgeMs }: SessionSigningUnit): Generator<string> {
  if (keys.length > maxSigningKeys) yield `there are ${keys.length} signing keys`;
  // 43 characters are 32 bytes and two bits.
  const bad = keys.findIndex((key) => !/^[A-Za-z0-9+/]{43,}={0,2}$/.test(key));
  if (bad !== -1) yield `signing.keys[${bad}] is no key`;
  if (!isAge(maxAgeMs)) yield `signing.maxAgeMs is ${maxAgeMs}`;
}

function isAge(milliseconds: number | null): boolean {
  return milliseconds === null || (Number.isSafeInteger(milliseconds) && milliseconds > 0);
}
