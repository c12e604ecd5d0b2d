// A 32-bit hash of text, for the method `hash`: well spread and the same everywhere, not for secrets.

/** Signed 32-bit hash of the UTF-16 units: FNV-1a, then the finaliser of MurmurHash3, which spreads the low bits. */
export function hash32(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return mix32(hash);
}

/** Spreads a 32-bit number: each bit of the result depends on all of the input (MurmurHash3 fmix32). */
export function mix32(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
