// The keys in a Secret that sign sessions. What is said of a Secret names lines and lengths, never what stands there. Pure.
import type { Secret } from '../api/secret.ts';
import { maxSigningKeys } from '../snapshot/session-check.ts';

export interface SigningKeys {
  /** Base64, in order, each once; the first signs. */
  readonly keys: readonly string[];
  /** What is wrong with the Secret, as parts of a sentence: `line 2 of data key "keys" is not base64 and is left out`. */
  readonly faults: readonly string[];
}

const dataKey = 'keys';
const what = `data key "${dataKey}"`;
const minKeyBytes = 32;
/** Far more than HMAC-SHA-256 makes use of, and little enough to be read for each signature. */
const maxKeyBytes = 1024;
/** Most faults told of one Secret: a file that is no list of keys needs no thousand lines. */
const maxFaults = 8;

/** The keys of a Secret. Lines that hold none are left out and told; the others are taken, alike in every replica. */
export function readSigningKeys(secret: Secret): SigningKeys {
  const text = textOf(secret);
  if (text === undefined) return { keys: [], faults: [`there is no ${what}`] };
  if (text === null) return { keys: [], faults: [`${what} is not base64`] };
  const keys = new Set<string>();
  const faults: string[] = [];
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const fault = faultOf(trimmed);
    if (fault === null) keys.add(Buffer.from(trimmed, 'base64').toString('base64'));
    else if (faults.length < maxFaults) faults.push(`line ${index + 1} of ${what} ${fault} and is left out`);
  }
  if (keys.size > maxSigningKeys)
    faults.push(`${what} has ${keys.size} keys, of which the first ${maxSigningKeys} are used`);
  if (keys.size === 0 && faults.length === 0) faults.push(`${what} is empty`);
  return { keys: [...keys].slice(0, maxSigningKeys), faults };
}

/** Undefined: there is none; null: it cannot be decoded. */
function textOf({ data, stringData }: Secret): string | null | undefined {
  if (Object.hasOwn(stringData, dataKey)) return stringData[dataKey];
  if (!Object.hasOwn(data, dataKey)) return undefined;
  const encoded = data[dataKey]!.replace(/\s/g, '');
  return isBase64(encoded) ? Buffer.from(encoded, 'base64').toString('latin1') : null;
}

function faultOf(line: string): string | null {
  if (!isBase64(line)) return 'is not base64';
  const bytes = Buffer.byteLength(line, 'base64');
  if (bytes >= minKeyBytes && bytes <= maxKeyBytes) return null;
  return `has ${bytes} bytes instead of ${minKeyBytes} to ${maxKeyBytes} on one line`;
}

/** RFC 4648 §4, with or without padding. */
function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1;
}
