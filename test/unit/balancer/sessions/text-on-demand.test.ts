// A head is read as bytes, and its text is made for whoever asks. Most answers say nothing of a session, and nobody asks.
import { expect, test, vi } from 'vitest';
import { begunSession } from '../../../../src/balancer/sessions/begun-session.ts';
import { createSessionReading } from '../../../../src/balancer/sessions/session-reading.ts';
import { writeSession } from '../../../../src/balancer/sessions/session-writer.ts';
import { createSessionWriting } from '../../../../src/balancer/sessions/session-writing.ts';
import type { SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { FieldLines } from '../../../../src/wire/field-lines.ts';
import { compiled, insertUnit, linesOf, nowMs } from './fixtures.ts';

test.each<[string, Partial<SessionUnit>]>([
  ['Route', { strategy: 'Route', cookie: 'SID', header: 'X-Session' }],
  ['Suffix', { strategy: 'Suffix', cookie: 'SID', header: 'X-Session', urlParameter: 'sid' }],
  ['Insert', insertUnit()],
])('%s asks for no text of an answer without a session', (_, unit) => {
  const text = vi.spyOn(FieldLines.prototype, 'text', 'get');
  const session = compiled(unit);
  const lines = linesOf(['Content-Type: text/html', 'Content-Length: 5', 'ETag: "SID=1"']);
  const answer = { reading: createSessionReading(), route: 'r1', isSecure: false, host: 'shop.example.com' };
  writeSession(session, lines, answer, nowMs, createSessionWriting());
  expect(begunSession(session, lines, 'r1', nowMs)).toBe('');
  expect(text).not.toHaveBeenCalled();
});
