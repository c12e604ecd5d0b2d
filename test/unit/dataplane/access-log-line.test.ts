import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AccessEntry,
  accessLine,
  loggedPath,
  MAX_LINE_BYTES,
  quoted,
} from '../../../src/dataplane/access-log-line.ts';
import { balancer } from '../control/fixtures.ts';

const unit = balancer('cart', ['m1', 'm2']);

const entry: AccessEntry = {
  wallMs: Date.UTC(2026, 10, 22, 20, 39, 43, 7),
  clientAddress: '203.0.113.9',
  request: { method: 'GET', host: 'shop.example.com', target: '/cart?token=secret' },
  status: 200,
  bytes: 512,
  durationMs: 1.23456,
  balancer: unit,
  member: 1,
  attempts: 1,
  session: { source: 'cookie', name: 'JSESSIONID', route: 'm2', verdict: 'valid', isRouteChanged: false },
  fault: null,
  requestId: 'r-1',
};

function parsed(change: Partial<AccessEntry> = {}): unknown {
  return JSON.parse(accessLine({ ...entry, ...change }));
}

describe('a line', () => {
  it('says all there is to say', () => {
    expect(accessLine(entry).endsWith('}\n')).toBe(true);
    expect(parsed()).toEqual({
      time: '2026-11-22T20:39:43.007Z',
      log: 'access',
      client: '203.0.113.9',
      method: 'GET',
      host: 'shop.example.com',
      path: '/cart',
      status: 200,
      bytes: 512,
      durationMs: 1.235,
      namespace: unit.namespace,
      balancer: 'cart',
      member: unit.members[1]!.name,
      attempts: 1,
      session: { source: 'cookie', name: 'JSESSIONID', route: 'm2', verdict: 'valid', isRouteChanged: false },
      fault: null,
      requestId: 'r-1',
    });
  });

  it('says null where there is nothing', () => {
    const bare = { request: null, balancer: null, member: -1, attempts: 0, session: null, requestId: null };
    expect(parsed({ ...bare, status: 400, fault: 'bad-request-line' })).toMatchObject({
      method: null,
      host: null,
      path: null,
      status: 400,
      namespace: null,
      balancer: null,
      member: null,
      attempts: 0,
      session: null,
      fault: 'bad-request-line',
      requestId: null,
    });
    expect(parsed({ member: -1 })).toMatchObject({ balancer: 'cart', member: null });
  });

  it.each([0, 9, 10, 99, 100, 999])('has the time with %d ms', (ms) => {
    const wallMs = Date.UTC(2026, 0, 1) + ms;
    expect(parsed({ wallMs })).toMatchObject({ time: new Date(wallMs).toISOString() });
  });

  it('goes with the clock, also when that jumps back', () => {
    for (const wallMs of [1_800_000_000_999, 1_800_000_001_000, 1_799_999_999_001]) {
      expect(parsed({ wallMs })).toMatchObject({ time: new Date(wallMs).toISOString() });
    }
  });

  const octets = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 9_000,
  });

  it('is one line of JSON in ASCII that a pipe takes whole, whatever the client sends', () => {
    fc.assert(
      fc.property(octets, octets, octets, octets, octets, (method, host, target, route, requestId) => {
        const session = { ...entry.session!, route };
        const line = accessLine({ ...entry, request: { method, host, target }, session, requestId });
        expect(line.length).toBeLessThanOrEqual(MAX_LINE_BYTES);
        expect(line).toMatch(/^[\x20-\x7e]+\n$/);
        const { host: told, session: toldSession } = JSON.parse(line);
        expect(host.startsWith(told.replace(/\u2026$/, ''))).toBe(true);
        expect(route.startsWith(toldSession.route.replace(/\u2026$/, ''))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('fits with the longest of everything', () => {
    const long = '"'.repeat(70_000);
    const names = balancer(long, [long]);
    const line = accessLine({
      ...entry,
      wallMs: Date.now(),
      clientAddress: long,
      request: { method: long, host: long, target: long },
      bytes: Number.MAX_SAFE_INTEGER,
      durationMs: 123_456_789.123,
      balancer: { ...names, namespace: long },
      member: 0,
      attempts: 1_000_000,
      session: { source: 'header', name: long, route: long, verdict: 'unsigned', isRouteChanged: false },
      fault: 'unsupported-transfer-encoding-of-some-kind',
      requestId: long,
    });
    expect(line.length).toBeLessThanOrEqual(MAX_LINE_BYTES);
    JSON.parse(line);
  });
});

describe('a text', () => {
  it.each([
    ['plain', '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\r\n\t\0\x7f', '"\\u000d\\u000a\\u0009\\u0000\\u007f"'],
    ['\xe9', '"\\u00e9"'],
    ['\u2028', '"\\u2028"'],
  ])('%j is written as %s', (text, expected) => {
    expect(quoted(text, 100)).toBe(expected);
    expect(JSON.parse(expected)).toBe(text);
  });

  it('that is too long is cut where that breaks no escape, and says so', () => {
    expect(quoted('abcdefghij', 12)).toBe('"abcdefghij"');
    expect(quoted('abcdefghijk', 12)).toBe('"abcd\\u2026"');
    expect(quoted('a\n\n\n', 15)).toBe('"a\\u000a\\u2026"');
  });
});

describe('the path', () => {
  it.each([
    ['/a/b', '/a/b'],
    ['/a?token=1', '/a'],
    ['/a;jsessionid=AB.r1', '/a'],
    ['/a;jsessionid=AB.r1/b;c/d?e;f', '/a/b/d'],
    ['/a%3Bjsessionid=AB.r1/b', '/a/b'],
    ['/a%3bjsessionid=AB.r1', '/a'],
    ['/a%30', '/a%30'],
    ['*', '*'],
  ])('of %s is %s', (target, expected) => {
    expect(loggedPath(target)).toBe(expected);
  });
});
