import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REPORT_BYTES, parseLoadReport, recordLoadReport } from '../../../src/balancer/load-report.ts';
import { allocateScoreboard, mapShared } from '../../../src/scoreboard/layout.ts';

const report = (ready: number, busy: number, port: number | null = null) => ({ kind: 'report', ready, busy, port });

describe("httpd's text", () => {
  it.each([
    ['v=1&ready=75&busy=0', report(75, 0)],
    ['v=1&ready=0&busy=256', report(0, 256)],
    ['busy=2&ready=1&v=1', report(1, 2)],
    ['v=1&ready=3&busy=1&port=8080', report(3, 1, 8080)],
    ['v=1&ready=3&busy=1&port=65535', report(3, 1, 65_535)],
    ['v=1&ready=0003&busy=01', report(3, 1)],
    ['v=1&ready=1000000&busy=1000000', report(1_000_000, 1_000_000)],
    ['v=1&ready=3&busy=1&later=whatever%20=x', report(3, 1)],
    ['v=1&ready=3&busy=1&__proto__=5&constructor=6', report(3, 1)],
    ['v=1&ready=3&busy=1\n', report(3, 1)],
    ['v=1&ready=3&busy=1\r\n', report(3, 1)],
  ])('%j is understood', (text, expected) => {
    expect(parseLoadReport(text, 'required')).toEqual(expected);
  });

  it.each([
    ['', 'bad-syntax'],
    ['\n', 'bad-syntax'],
    ['hello', 'bad-syntax'],
    ['v=1&ready=3&busy=1&', 'bad-syntax'],
    ['&v=1&ready=3&busy=1', 'bad-syntax'],
    ['v=1&ready=3&busy=1&=5', 'bad-syntax'],
    ['v=1&ready=3&busy=1&x', 'bad-syntax'],
    ['v=1;ready=3;busy=1', 'unsupported-version'],
    ['v=2&ready=3&busy=1', 'unsupported-version'],
    ['v=&ready=3&busy=1', 'unsupported-version'],
    ['ready=3&busy=1', 'missing-field'],
    ['v=1&ready=3', 'missing-field'],
    ['v=1&busy=3', 'missing-field'],
    ['v=1&Ready=3&busy=1', 'missing-field'],
    ['v=1&ready=3&busy=1&ready=9', 'repeated-field'],
    ['v=1&v=1&ready=3&busy=1', 'repeated-field'],
    ['v=1&ready=&busy=1', 'bad-number'],
    ['v=1&ready=-3&busy=1', 'bad-number'],
    ['v=1&ready=+3&busy=1', 'bad-number'],
    ['v=1&ready=3.0&busy=1', 'bad-number'],
    ['v=1&ready=0x3&busy=1', 'bad-number'],
    ['v=1&ready=1e3&busy=1', 'bad-number'],
    ['v=1&ready= 3&busy=1', 'bad-number'],
    ['v=1&ready=3 &busy=1', 'bad-number'],
    ['v=1&ready=NaN&busy=1', 'bad-number'],
    ['v=1&ready=٣&busy=1', 'bad-number'],
    ['v=1&ready=3&busy=1000001', 'bad-number'],
    ['v=1&ready=99999999999999999999&busy=1', 'bad-number'],
    ['v=1&ready=3&busy=1&port=0', 'bad-number'],
    ['v=1&ready=3&busy=1&port=65536', 'bad-number'],
    ['v=1&ready=3&busy=1&port=http', 'bad-number'],
    ['v=1&ready=3&busy=1\n\n', 'bad-number'],
    [`v=1&ready=3&busy=1&x=${'y'.repeat(MAX_REPORT_BYTES)}`, 'too-long'],
  ])('%j is refused: %s', (text, reason) => {
    expect(parseLoadReport(text, 'required')).toEqual({ kind: 'refused', reason });
  });

  it('needs no version where httpd needs none, but not another one', () => {
    expect(parseLoadReport('ready=3&busy=1', 'optional')).toEqual(report(3, 1));
    expect(parseLoadReport('v=1&ready=3&busy=1', 'optional')).toEqual(report(3, 1));
    expect(parseLoadReport('v=2&ready=3&busy=1', 'optional')).toMatchObject({ reason: 'unsupported-version' });
  });

  it('of any kind gives small numbers or a reason, and never throws', () => {
    const field = fc.tuple(
      fc.oneof(fc.constantFrom('v', 'ready', 'busy', 'port', '__proto__', ''), fc.string({ maxLength: 5 })),
      fc.oneof(fc.constantFrom('1', '', '-1', '1e9', '0'), fc.integer().map(String), fc.string({ maxLength: 12 })),
    );
    const fields = fc.array(field, { maxLength: 8 }).map((all) => all.map((pair) => pair.join('=')).join('&'));
    const texts = fc.oneof(fields, fc.string({ maxLength: 1200 }), fc.string({ unit: 'binary', maxLength: 200 }));
    fc.assert(
      fc.property(texts, fc.constantFrom('required' as const, 'optional' as const), (text, version) => {
        const parsed = parseLoadReport(text, version);
        if (parsed.kind === 'refused') return /^[a-z-]+$/.test(parsed.reason);
        const isBounded = [parsed.ready, parsed.busy].every((n) => Number.isInteger(n) && n >= 0 && n <= 1_000_000);
        return isBounded && (parsed.port === null || (parsed.port >= 1 && parsed.port <= 65_535));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a report that is written down', () => {
  it('stands in its row, with its time on the axis that elections use', () => {
    const shared = mapShared(allocateScoreboard(4, 1, 1));
    recordLoadReport(shared, 2, { ready: 7, busy: 3 }, 12_999.9);
    expect([...shared.reportedReady]).toEqual([0, 0, 7, 0]);
    expect([...shared.reportedBusy]).toEqual([0, 0, 3, 0]);
    expect([...shared.reportedAtS]).toEqual([0, 0, 13, 0]);
  });
});
