// Durations as the Gateway API writes them (GEP-2257): `10s`, `1m30s`, `500ms`. Resources keep the text; whoever acts
// on one turns it into milliseconds with durationMs.
import { z } from 'zod';

const pattern = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;
const maxLength = 28;

const unitMs = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** True for a text of the grammar of GEP-2257. */
export function isDuration(text: string): boolean {
  return text.length <= maxLength && pattern.test(text);
}

/**
 * A duration in whole milliseconds: `1m30s` is 90000. Components add up in any order, as in Go.
 * Resources that were parsed hold only valid durations; anything else is a broken invariant and throws RangeError.
 */
export function durationMs(text: string): number {
  if (!isDuration(text)) throw new RangeError(`not a duration: ${JSON.stringify(text)}`);
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(h|ms|m|s)/g)) {
    totalMs += Number(count) * unitMs[unit as keyof typeof unitMs];
  }
  return totalMs;
}

/** A field that takes a duration from `min` to `max`, both durations themselves and included. */
export function durationField(doc: string, min: string, max: string) {
  const allowed = `a duration from ${min} to ${max}, such as 500ms, 10s or 1m30s`;
  const [minMs, maxMs] = [durationMs(min), durationMs(max)];
  return z
    .string()
    .max(maxLength)
    .regex(pattern)
    .refine((text) => !isDuration(text) || (durationMs(text) >= minMs && durationMs(text) <= maxMs), {
      message: `must be ${allowed}`,
    })
    .meta({
      description: doc,
      'x-allowed': allowed,
      'x-kubernetes-validations': [
        {
          rule: `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`,
          message: `must be ${allowed}`,
        },
      ],
    });
}
