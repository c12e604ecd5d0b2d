// Heads, session rules and round trips for the tests of sessions.
import { type CompiledSession, compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import type { LineEdits } from '../../../../src/balancer/sessions/head-lines.ts';
import { readSession } from '../../../../src/balancer/sessions/session-reader.ts';
import { createSessionReading, type SessionReading } from '../../../../src/balancer/sessions/session-reading.ts';
import { writeSession } from '../../../../src/balancer/sessions/session-writer.ts';
import { createSessionWriting, type SessionWriting } from '../../../../src/balancer/sessions/session-writing.ts';
import type { SessionCookieUnit, SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { FieldLines } from '../../../../src/wire/field-lines.ts';
import { recogniseHeader } from '../../../../src/wire/header-id.ts';

const balancerKey = 'shop/mycluster';
export const nowMs = Date.UTC(2026, 4, 17, 12);
export const keyA = Buffer.alloc(32, 1).toString('base64');
export const keyB = Buffer.alloc(32, 2).toString('base64');

export function sessionUnit(given: Partial<SessionUnit> = {}): SessionUnit {
  return {
    strategy: 'Suffix',
    cookie: 'SID',
    header: null,
    urlParameter: null,
    separator: '.',
    attributes: null,
    signing: null,
    onMemberDown: 'Redispatch',
    rejectStatus: 503,
    informsMember: false,
    ...given,
  };
}

const plainAttributes: SessionCookieUnit = {
  path: '/',
  domain: '',
  sameSite: 'Lax',
  secure: 'Auto',
  httpOnly: true,
  partitioned: false,
  maxAgeMs: null,
  marksPrivate: false,
};

export function insertUnit(attributes: Partial<SessionCookieUnit> = {}, given: Partial<SessionUnit> = {}): SessionUnit {
  return sessionUnit({
    strategy: 'Insert',
    cookie: 'SERVERID',
    attributes: { ...plainAttributes, ...attributes },
    ...given,
  });
}

export const defaultRoutes = ['r1', 'r2', 'r3'];

export function compiled(
  given: Partial<SessionUnit> = {},
  routes: readonly string[] = defaultRoutes,
  key = balancerKey,
): CompiledSession {
  return compileSession(sessionUnit(given), key, routes, null);
}

/** The lines as the data plane has them, offsets into a head. */
export function linesOf(lines: readonly string[]): FieldLines {
  const fields = new FieldLines();
  let text = 'GET / HTTP/1.1\r\n';
  const marks: [number, number, number, number, number][] = [];
  for (const line of lines) {
    const start = text.length;
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1);
    const valueStart = start + colon + 1 + value.search(/[^\t ]|$/);
    const name = Buffer.from(line.slice(0, colon), 'latin1');
    const valueEnd = Math.max(valueStart, start + line.replace(/[\t ]+$/, '').length);
    marks.push([start, start + colon, valueStart, valueEnd, recogniseHeader(name, 0, name.length)]);
    text += `${line}\r\n`;
  }
  for (const mark of marks) fields.append(...mark);
  fields.endOffset = text.length;
  const bytes = Buffer.from(`${text}\r\n`, 'latin1');
  fields.complete(bytes, 0, bytes.length);
  return fields;
}

function apply(lines: readonly string[], edits: LineEdits | null): string[] {
  const out: string[] = [];
  for (const [index, line] of lines.entries()) {
    const value = edits?.get(index);
    if (value === undefined) out.push(line);
    else if (value !== null) out.push(`${line.slice(0, line.indexOf(':'))}: ${value}`);
  }
  return out;
}

export interface Seen {
  readonly reading: SessionReading;
  /** What the member gets. */
  readonly lines: string[];
  readonly target: string;
}

export function read(session: CompiledSession, lines: readonly string[], target = '/', atMs = nowMs): Seen {
  const reading = createSessionReading();
  readSession(session, linesOf(lines), target, atMs, reading);
  return { reading, lines: apply(lines, reading.edits), target: reading.target ?? target };
}

export interface Answered {
  readonly writing: SessionWriting;
  /** What the client gets, without the lines that are added. */
  readonly lines: string[];
}

export interface AnswerOptions {
  readonly reading?: SessionReading;
  readonly isSecure?: boolean;
  readonly host?: string;
  readonly atMs?: number;
}

export function write(
  session: CompiledSession,
  lines: readonly string[],
  route: string,
  { reading = createSessionReading(), isSecure = false, host = 'shop.example.com', atMs = nowMs }: AnswerOptions = {},
): Answered {
  const writing = createSessionWriting();
  writeSession(session, linesOf(lines), { reading, route, isSecure, host }, atMs, writing);
  return { writing, lines: apply(lines, writing.edits) };
}

/** The client's form of an application's session value. */
export function suffixed(session: CompiledSession, value: string, route: string, atMs = nowMs): string {
  const line = `Set-Cookie: ${session.unit.cookie ?? 'SID'}=${value}`;
  const [written] = write(
    { ...session, unit: { ...session.unit, cookie: session.unit.cookie ?? 'SID' } },
    [line],
    route,
    {
      atMs,
    },
  ).lines;
  return written!.slice(written!.indexOf('=') + 1);
}

/** The Set-Cookie that Insert sends, or null. */
export function inserted(session: CompiledSession, route: string, options: AnswerOptions = {}): string | null {
  return write(session, [], route, options).writing.setCookie;
}

/** `name=value` of a Set-Cookie, as a browser sends it back. */
export function pairOf(setCookie: string | null): string {
  return (setCookie ?? '').split(';', 1)[0]!;
}
