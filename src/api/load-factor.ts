// The load factor of a member: how it is written, and the whole number that elections calculate with.
import { z } from 'zod';
import { numberOrText } from './schema/field.ts';

/** 1 to 100 with at most two decimals. */
const pattern = /^(?:[1-9][0-9]?(?:\.[0-9]{1,2})?|100(?:\.0{1,2})?)$/;

/** A field that takes a load factor: a whole number or a text, in files also a number with decimals. */
export function loadFactorField(doc: string) {
  return numberOrText({
    doc,
    allowed: 'a number from 1 to 100 with at most two decimals, such as 2 or "2.25"',
    pattern,
    max: 6,
    number: z
      .number()
      .min(1)
      .max(100)
      .refine((factor) => pattern.test(String(factor))),
  });
}

/**
 * The load factor in hundredths, 100 to 10000, as httpd holds it.
 * Equal to httpd one for one, therefore cut in binary floating point and not rounded: `1.15` is 114, `19.99` is 1998.
 * Source: httpd mod_proxy.c set_worker_param.
 */
export function loadFactorHundredths(factor: number | string): number {
  return Math.trunc(Number.parseFloat(String(factor)) * 100);
}
