// What the Connection headers of one message say (RFC 9110 §7.6.1, RFC 9112 §9.3, §9.6).
// Options are tokens; other text refuses the message, as do options that name a header which frames or routes it.
import type { FieldLines } from './field-lines.ts';
import { headerIds } from './header-id.ts';
import { maxConnectionOptions } from './limits.ts';
import { COMMA, isToken, SPACE, TAB, tokenFold } from './octets.ts';
import type { WireErrorCode } from './wire-error.ts';

/** Re-usable. */
export interface ConnectionOptions {
  hasClose: boolean;
  hasKeepAlive: boolean;
  hasUpgrade: boolean;
  /** How many options there were. */
  count: number;
  /** The options in lower case that are names of headers, if there are such headers; null for none. */
  names: Set<string> | null;
}

export function createConnectionOptions(): ConnectionOptions {
  return { hasClose: false, hasKeepAlive: false, hasUpgrade: false, count: 0, names: null };
}

// Removing one of these on a client's word would change where the message goes or where it ends.
const mustStay = new Set(['host', 'content-length', 'transfer-encoding']);

/**
 * Reads all Connection headers into `into` and marks the header lines that they nominate. Returns why the message must
 * be refused, or null. The nominated header may stand before or after Connection.
 */
export function readConnectionOptions(fields: FieldLines, into: ConnectionOptions): WireErrorCode | null {
  into.hasClose = false;
  into.hasKeepAlive = false;
  into.hasUpgrade = false;
  into.count = 0;
  into.names = null;
  let line = fields.find(headerIds.connection);
  while (line !== -1) {
    const error = readList(fields, fields.valueStart(line), fields.valueEnd(line), into);
    if (error !== null) return error;
    line = fields.find(headerIds.connection, line + 1);
  }
  // Once for all options together: comparing each with each header could be made slow from outside.
  if (into.names !== null) fields.nominate(into.names);
  return null;
}

/** Whether the connection may serve another message after this one, as far as its sender says. */
export function isPersistent(options: ConnectionOptions, minorVersion: number): boolean {
  if (options.hasClose) return false;
  return minorVersion === 1 || options.hasKeepAlive;
}

/** Reads a comma-separated list; empty elements are allowed, as recipients must (RFC 9110 §5.6.1.2). */
function readList(fields: FieldLines, start: number, end: number, into: ConnectionOptions): WireErrorCode | null {
  const { bytes } = fields;
  let pos = start;
  while (pos < end) {
    pos = skipBlanks(bytes, pos, end);
    const tokenStart = pos;
    while (pos < end && tokenFold[bytes[pos]!] !== 0) pos++;
    if (pos > tokenStart) {
      const error = readOption(fields, tokenStart, pos, into);
      if (error !== null) return error;
    }
    pos = skipBlanks(bytes, pos, end);
    if (pos < end && bytes[pos] !== COMMA) return 'bad-connection-option';
    pos++;
  }
  return null;
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end && (bytes[pos] === SPACE || bytes[pos] === TAB)) pos++;
  return pos;
}

function readOption(fields: FieldLines, start: number, end: number, into: ConnectionOptions): WireErrorCode | null {
  const { bytes } = fields;
  into.count++;
  if (into.count > maxConnectionOptions) return 'too-many-connection-options';
  if (isToken(bytes, start, end, 'keep-alive')) {
    into.hasKeepAlive = true;
  } else if (isToken(bytes, start, end, 'close')) {
    into.hasClose = true;
  } else {
    const name = bytes.toString('latin1', start, end).toLowerCase();
    if (mustStay.has(name)) return 'bad-connection-option';
    if (name === 'upgrade') into.hasUpgrade = true;
    into.names ??= new Set();
    into.names.add(name);
  }
  return null;
}
