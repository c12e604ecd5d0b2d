import { describe, expect, it, test } from 'vitest';
import { readSession } from '../../../src/balancer/sessions/session-reader.ts';
import { createSessionReading } from '../../../src/balancer/sessions/session-reading.ts';
import { ForwardingHeaders } from '../../../src/dataplane/forwarding-headers.ts';
import { RequestIds } from '../../../src/dataplane/request-id.ts';
import { asFieldValue, informingLines, sessionFactsOf } from '../../../src/dataplane/session-facts.ts';
import { RequestParser } from '../../../src/wire/request-parser.ts';
import { compiled, linesOf } from '../balancer/sessions/fixtures.ts';
import { balancer } from '../control/fixtures.ts';

const session = compiled({ strategy: 'Route', cookie: 'SID', header: 'X-Sid', urlParameter: 'sid' });

function factsOf(memberRoute: string | null, target: string, ...lines: readonly string[]) {
  const reading = createSessionReading();
  readSession(session, linesOf(lines), target, 0, reading);
  return sessionFactsOf(session, reading, memberRoute);
}

describe('the facts of a session', () => {
  it.each([
    ['path', 'sid', '/a;sid=x.r1', []],
    ['query', 'sid', '/a?sid=x.r1', []],
    ['cookie', 'SID', '/a', ['Cookie: SID=x.r1']],
    ['header', 'X-Sid', '/a', ['X-Sid: x.r1']],
  ] as const)('tell that it was found in the %s', (source, name, target, lines) => {
    const facts = { source, name, route: 'r1', verdict: 'valid', isRouteChanged: false };
    expect(factsOf('r1', target, ...lines)).toEqual(facts);
  });

  it('tell that the member is another one', () => {
    expect(factsOf('r2', '/?sid=x.r1')).toMatchObject({ route: 'r1', isRouteChanged: true });
  });

  it('tell as httpd does that the route changed where none came', () => {
    const none = { source: 'none', name: '', route: '', verdict: 'none', isRouteChanged: true };
    expect(factsOf('r2', '/')).toEqual(none);
  });

  it('tell of no change where no member was tried', () => {
    expect(factsOf(null, '/?sid=x.r1')).toMatchObject({ route: 'r1', isRouteChanged: false });
  });
});

describe('what a member is told', () => {
  const unit = balancer('cart', ['m1']);

  it('is all of it', () => {
    const lines = informingLines(unit, unit.members[0]!, factsOf('m1', '/', 'Cookie: SID=x.gone'));
    expect(lines).toEqual([
      ['X-Balancer-Name', 'shop/cart'],
      ['X-Balancer-Member', 'm1'],
      ['X-Balancer-Member-Route', 'm1'],
      ['X-Balancer-Session-Source', 'cookie'],
      ['X-Balancer-Session-Route', 'gone'],
      ['X-Balancer-Route-Changed', '1'],
    ]);
  });

  it('leaves out what there is none of', () => {
    const names = informingLines(unit, unit.members[0]!, factsOf('m1', '/?sid=x.m1')).map(([name]) => name);
    expect(names).not.toContain('X-Balancer-Route-Changed');
    const without = informingLines(unit, unit.members[0]!, factsOf('m1', '/')).map(([name]) => name);
    expect(without).not.toContain('X-Balancer-Session-Route');
  });

  it('is no way into the head for what a client has put into its session', () => {
    expect(asFieldValue('a\r\nX: y\xff z')).toBe('a%0D%0AX:%20y%C3%BF%20z');
    const facts = factsOf('m1', '/a;sid=x.%0d%0aX%3a1');
    expect(informingLines(unit, unit.members[0]!, facts)).toContainEqual(['X-Balancer-Session-Route', '%0D%0AX:1']);
  });
});

const ours = [
  'X-Balancer-Name',
  'X-Balancer-Member',
  'X-Balancer-Member-Route',
  'X-Balancer-Session-Source',
  'X-Balancer-Session-Route',
  'X-Balancer-Route-Changed',
  'X-Evenkeel-Explain',
];

test.each(ours.flatMap((name) => [name, name.replaceAll('-', '_'), name.toUpperCase().replace('-', '_')]))(
  '%s of a client never reaches a member',
  (name) => {
    const parser = new RequestParser();
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${name}: forged\r\n\r\n`);
    expect(parser.feed(bytes, 0, bytes.length)).toBe('done');
    for (const requestId of ['off', 'make'] as const) {
      for (const isTrusted of [false, true]) {
        const trusted = { check: () => isTrusted } as never;
        const options = { sendsForwarded: false, sendsVia: false, viaName: 'x', requestIds: new RequestIds() };
        const headers = new ForwardingHeaders({ ...options, requestId, trusted }, '10.0.0.1', 'http');
        expect(headers.write(parser.head, 'm').toString()).not.toContain('forged');
        const added = [[name.replaceAll('_', '-'), 'true word']] as const;
        const told = headers.write(parser.head, 'm', { target: null, lines: null, added }).toString();
        expect(told).toContain(`${name.replaceAll('_', '-')}: true word\r\n`);
        expect(told).not.toContain('forged');
      }
    }
  },
);
