// The building blocks of every schema a user writes against: each takes its documentation and its bounds, so that no
// field can be declared without them. The documentation feeds the CRD, the reference page and the messages of problems;
// zod's metadata carries it, under `description` and, for the words that complete "it must be …", under `x-allowed`.
import { z } from 'zod';

interface TextOptions {
  readonly doc: string;
  /** Completes "it must be …": words for the pattern. */
  readonly allowed: string;
  readonly pattern: RegExp;
  /** Characters. */
  readonly max: number;
}

/** A text of at most `max` characters that matches `pattern` (which RE2 must understand: no lookaround). */
export function text({ doc, allowed, pattern, max }: TextOptions) {
  return z.string().max(max).regex(pattern).meta({ description: doc, 'x-allowed': allowed });
}

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(doc: string, min: number, max: number) {
  return z.int().min(min).max(max).meta({ description: doc });
}

/** True or false. */
export function flag(doc: string) {
  return z.boolean().meta({ description: doc });
}

/** One of a few words. */
export function choice<const Values extends readonly [string, ...string[]]>(doc: string, values: Values) {
  return z.enum(values).meta({ description: doc });
}

/** A list of `min` (default 0) to `max` entries, which is replaced as a whole when several writers change it. */
export function list<Item extends z.ZodType>(doc: string, item: Item, max: number, min = 0) {
  return z.array(item).min(min).max(max).meta({ description: doc, 'x-kubernetes-list-type': 'atomic' });
}

interface NumberOrTextOptions extends TextOptions {
  /** Judges the number; the pattern judges the text. */
  readonly number: z.ZodNumber;
}

/** A number or a text: Kubernetes' int-or-string. */
export function numberOrText({ doc, allowed, pattern, max, number }: NumberOrTextOptions) {
  return z
    .union([number, z.string().max(max).regex(pattern)])
    .meta({ description: doc, 'x-allowed': allowed, 'x-kubernetes-int-or-string': true });
}
