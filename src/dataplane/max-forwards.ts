// Max-Forwards (RFC 9110 §7.6.2): how many more intermediaries a TRACE or OPTIONS may pass.
// Other methods may carry the header, and it means nothing there.
import { checkFieldValue, type FieldValue } from '../wire/field-text.ts';
import { headerIds } from '../wire/header-id.ts';
import type { RequestHead } from '../wire/request-head.ts';

/** How many hops are left; null when the request has no such limit. */
export function readMaxForwards(head: RequestHead): number | 'bad-max-forwards' | null {
  const { fields, method } = head;
  const line = fields.find(headerIds.maxForwards);
  if (line === -1 || (method !== 'OPTIONS' && method !== 'TRACE')) return null;
  if (fields.find(headerIds.maxForwards, line + 1) !== -1) return 'bad-max-forwards';
  const text = fields.value(line);
  return /^\d{1,9}$/.test(text) ? Number(text) : 'bad-max-forwards';
}

/** The line that says one hop less, by its index; null when there is nothing to say. */
export function countHop(head: RequestHead): Map<number, FieldValue | null> | null {
  const hops = readMaxForwards(head);
  if (typeof hops !== 'number') return null;
  return new Map([[head.fields.find(headerIds.maxForwards), checkFieldValue(String(hops - 1))]]);
}
