// Text of our own that may go into a head. The branded types are made only here, by functions that look at every
// character, so that no CR, LF or character beyond latin1 (whose low byte could be one) gets into a head.

declare const checked: unique symbol;

/** `FieldText` as octets, for lines that are sent many times. Not to be changed. */
export type FieldBytes = Buffer & { readonly [checked]: 'lines' };

/** A field value: tab, space, visible characters and obs-text only. */
export type FieldValue = string & { readonly [checked]: 'value' };
/** Whole header lines, each with its CR LF; '' for none. */
export type FieldText = string & { readonly [checked]: 'lines' };
/** A request target of visible ASCII without "#". */
export type TargetText = string & { readonly [checked]: 'target' };

const namePattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const targetPattern = /^[\x21-\x22\x24-\x7e]+$/;

/** No lines. */
export const noFieldText = '' as FieldText;
export const noFieldBytes = fieldBytes(noFieldText);

/** Throws a TypeError when the value has a character that a field value cannot have: then our own code is wrong. */
export function checkFieldValue(value: string): FieldValue {
  if (!valuePattern.test(value)) throw new TypeError('not a field value');
  return value as FieldValue;
}

/** Makes one line. Throws a TypeError when the name is no token or the value no field value. */
export function fieldLine(name: string, value: string): FieldText {
  if (!namePattern.test(name)) throw new TypeError('not a header name');
  return `${name}: ${checkFieldValue(value)}\r\n` as FieldText;
}

export function joinFieldText(first: FieldText, second: FieldText): FieldText {
  return (first + second) as FieldText;
}

/** In memory of its own. */
export function fieldBytes(lines: FieldText): FieldBytes {
  const bytes = Buffer.allocUnsafeSlow(lines.length);
  bytes.write(lines, 'latin1');
  return bytes as FieldBytes;
}

/** Throws a TypeError when the text cannot stand in a request line. */
export function checkTarget(target: string): TargetText {
  if (!targetPattern.test(target)) throw new TypeError('not a request target');
  return target as TargetText;
}
