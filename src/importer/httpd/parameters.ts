// The `key=value` words behind ProxyPass, BalancerMember and ProxySet. Says what they mean; decides nothing.

/** Parameters by key in lower case; of several with one key the last, as in httpd. */
export type Parameters = ReadonlyMap<string, string>;

/** Takes words apart. Words without `=` (such as `nocanon`) have the value ''. */
export function readParameters(words: readonly string[]): Parameters {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=');
      return at === -1 ? [word.toLowerCase(), ''] : [word.slice(0, at).toLowerCase(), word.slice(at + 1)];
    }),
  );
}

/** True for `On`, in any case. */
export function isOn(text: string | undefined): boolean {
  return text?.toLowerCase() === 'on';
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, mi: 60_000, min: 60_000, m: 60_000, s: 1_000, h: 3_600_000 };

/** A time as httpd writes it (`30`, `500ms`, `5min`) in milliseconds; null for anything else. */
export function readTimeMs(text: string | undefined, unit: 's' | 'ms' = 's'): number | null {
  const match = /^([0-9]{1,9})\s*([a-z]*)$/.exec(text?.toLowerCase() ?? '');
  if (match === null) return null;
  const factor = unitMs[match[2] === '' ? unit : match[2]!];
  return factor === undefined ? null : Number(match[1]) * factor;
}
