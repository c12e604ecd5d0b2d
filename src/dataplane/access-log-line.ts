// One request as one line of JSON, made by hand: a general serialiser costs several times as much. Pure. Every text that
// a client or a member had a hand in is escaped and cut, so that no line is longer than a pipe takes in one piece.
import type { BalancerUnit } from '../snapshot/snapshot.ts';
import type { SessionFacts } from './session-facts.ts';
import { pathOf } from './target-path.ts';

/** What a pipe takes whole or not at all, whoever else writes to it (POSIX PIPE_BUF on Linux). Bytes, the line end included. */
export const MAX_LINE_BYTES = 4_096;

/** What the line says. Texts are octets (latin1), as they came. */
export interface AccessEntry {
  /** When the answer was complete: wall clock, milliseconds. */
  readonly wallMs: number;
  readonly clientAddress: string;
  /** Null: what came was no request. */
  readonly request: { readonly method: string; readonly host: string; readonly target: string } | null;
  /** 0: the client was gone before there was one. */
  readonly status: number;
  /** Sent to the client for this request, heads included. */
  readonly bytes: number;
  readonly durationMs: number;
  /** Null: no rule, or none that was looked for. */
  readonly balancer: BalancerUnit | null;
  /** Index of the member tried last; -1: none was. */
  readonly member: number;
  readonly attempts: number;
  /** Null: the balancer keeps no sessions, or nobody looked. */
  readonly session: SessionFacts | null;
  /** The code of what went wrong, as in docs/errors.md; null: nothing did. */
  readonly fault: string | null;
  /** Null: none. */
  readonly requestId: string | null;
}

/** The most that a text may take, escapes and quotes included. With the fixed part they stay below a line's limit. */
const MAX_TARGET = 1_536;
const MAX_NAME = 320;
const MAX_SHORT = 160;
const MAX_METHOD = 40;

/** A text that is nearly always the one before. */
class Repeated {
  readonly #maxLength: number;
  #text = '';
  #quoted = '""';

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  quoted(text: string): string {
    if (text !== this.#text) {
      this.#text = text;
      this.#quoted = quoted(text, this.#maxLength);
    }
    return this.#quoted;
  }
}

const client = new Repeated(MAX_SHORT);
const method = new Repeated(MAX_METHOD);
const host = new Repeated(MAX_NAME);
const sessionName = new Repeated(MAX_SHORT);

/** With its line end. Plain ASCII, at most MAX_LINE_BYTES. */
export function accessLine(entry: AccessEntry): string {
  const { request, balancer, session } = entry;
  const asked =
    request === null
      ? ',"method":null,"host":null,"path":null'
      : `,"method":${method.quoted(request.method)},"host":${host.quoted(request.host)},"path":${quoted(loggedPath(request.target), MAX_TARGET)}`;
  const names = balancer === null ? null : namesOf(balancer);
  const member = names === null || entry.member < 0 ? 'null' : names.members[entry.member];
  return (
    `{"time":"${timeText(entry.wallMs)}","log":"access","client":${client.quoted(entry.clientAddress)}${asked}` +
    `,"status":${entry.status},"bytes":${entry.bytes},"durationMs":${millisecondsText(entry.durationMs)}` +
    `${names === null ? NO_BALANCER : names.balancer},"member":${member},"attempts":${entry.attempts}` +
    `,"session":${session === null ? 'null' : sessionText(session)}` +
    `,"fault":${entry.fault === null ? 'null' : `"${entry.fault}"`}` +
    `,"requestId":${entry.requestId === null ? 'null' : quoted(entry.requestId, MAX_SHORT)}}\n`
  );
}

function sessionText({ source, name, route, verdict, isRouteChanged }: SessionFacts): string {
  return `{"source":"${source}","name":${sessionName.quoted(name)},"route":${quoted(route, MAX_SHORT)},"verdict":"${verdict}","isRouteChanged":${isRouteChanged}}`;
}

/** The path as it came, without query and path parameters: session ids and tokens stand there. */
export function loggedPath(target: string): string {
  const path = pathOf(target);
  return path.includes(';') || path.includes('%3') ? path.replace(/(?:;|%3[bB])[^/]*/g, '') : path;
}

const UNSAFE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/**
 * A JSON string in plain ASCII; each octet beyond is written as \u00xx. `maxLength`: with quotes; a longer one is cut and
 * ends with an ellipsis.
 */
export function quoted(text: string, maxLength: number): string {
  if (text.length <= maxLength - 2 && !UNSAFE.test(text)) return `"${text}"`;
  let out = '"';
  for (let at = 0; at < text.length; at += 1) {
    const piece = escaped(text.charCodeAt(at));
    // Room for this one, the ellipsis and the quote.
    if (out.length + piece.length + 7 > maxLength) return `${out}\\u2026"`;
    out += piece;
  }
  return `${out}"`;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function escaped(code: number): string {
  if (code === QUOTE || code === BACKSLASH) return `\\${String.fromCharCode(code)}`;
  if (code >= 0x20 && code < 0x7f) return String.fromCharCode(code);
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** To the microsecond. Two whole numbers are written several times as fast as a fraction. */
function millisecondsText(milliseconds: number): string {
  const micros = Math.round(milliseconds * 1000);
  const whole = Math.floor(micros / 1000);
  const rest = micros - whole * 1000;
  return rest === 0 ? `${whole}` : `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`;
}

interface Names {
  readonly balancer: string;
  readonly members: readonly string[];
}

const NO_BALANCER = ',"namespace":null,"balancer":null';

/** By version of the balancer, for as long as it is served. */
const namesByUnit = new WeakMap<BalancerUnit, Names>();

function namesOf(unit: BalancerUnit): Names {
  let names = namesByUnit.get(unit);
  if (names === undefined) {
    names = {
      balancer: `,"namespace":${quoted(unit.namespace, MAX_SHORT)},"balancer":${quoted(unit.name, MAX_NAME)}`,
      members: unit.members.map(({ name }) => quoted(name, MAX_NAME)),
    };
    namesByUnit.set(unit, names);
  }
  return names;
}

// The second that was written last: the next request is nearly always of the same one.
let second = Number.NaN;
let secondText = '';

/** ISO 8601 in UTC, with milliseconds. */
function timeText(wallMs: number): string {
  const whole = Math.floor(wallMs / 1000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1000).toISOString().slice(0, 20);
  }
  const ms = Math.floor(wallMs) - whole * 1000;
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
