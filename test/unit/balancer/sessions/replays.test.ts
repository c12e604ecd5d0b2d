// Cases of other load balancers, each named after its origin, as far as they need no network.
import { describe, expect, it } from 'vitest';
import { compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import type { SessionCookieUnit, SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { compiled, inserted, insertUnit, keyA, nowMs, pairOf, read, suffixed } from './fixtures.ts';

function inserting(attributes: Partial<SessionCookieUnit> = {}, given: Partial<SessionUnit> = {}, routes?: string[]) {
  return compiled(insertUnit(attributes, given), routes);
}

describe('ingress-nginx affinity.go', () => {
  it('1 should set sticky cookie SERVERID', () => {
    expect(inserted(inserting(), 'r1')).toContain('SERVERID=');
  });
  it('2 should change cookie name on definition change', () => {
    const before = inserting();
    const after = compileSession(insertUnit({}, { cookie: 'OTHERCOOKIENAME' }), 'shop/mycluster', ['r1'], before);
    expect(inserted(after, 'r1')).toContain('OTHERCOOKIENAME=');
  });
  it('3, 4, 8 should set the path', () => {
    expect(inserted(inserting({ path: '/something' }), 'r1')).toContain('; Path=/something;');
    expect(inserted(inserting({ path: '/somewhereelse' }), 'r1')).toContain('; Path=/somewhereelse;');
  });
  it('5 should set cookie with expires (Max-Age, which supersedes Expires)', () => {
    expect(inserted(inserting({ maxAgeMs: 259_200_000 }), 'r1')).toContain('; Max-Age=259200');
  });
  it('6 should set cookie with domain, 7 should not set cookie without domain annotation', () => {
    expect(inserted(inserting({ domain: 'foo.bar' }), 'r1')).toContain('; Domain=foo.bar');
    expect(inserted(inserting(), 'r1')).not.toContain('; Domain');
  });
  it('13 should set secure in cookie with provided true annotation on http', () => {
    expect(inserted(inserting({ secure: 'Always' }), 'r1')).toContain('; Secure');
  });
  it('14 should not set secure in cookie with provided false annotation on http', () => {
    expect(inserted(inserting({ secure: 'Auto' }), 'r1')).not.toContain('; Secure');
  });
  it('15 should set secure in cookie with provided false annotation on https', () => {
    expect(inserted(inserting({ secure: 'Auto' }), 'r1', { isSecure: true })).toContain('; Secure');
  });
});

describe('ingress-nginx sticky_test.lua', () => {
  it('does not set the cookie again when it is present', () => {
    const session = inserting();
    const { reading } = read(session, [`Cookie: ${pairOf(inserted(session, 'r2'))}`]);
    expect(inserted(session, 'r2', { reading })).toBe(null);
  });
  it('affinitymode.go persistent: the session stays while members come', () => {
    const cookie = pairOf(inserted(inserting(), 'r2'));
    for (let more = 1; more <= 10; more++) {
      const routes = Array.from({ length: 3 + more }, (_, at) => `r${at + 1}`);
      expect(read(inserting({}, {}, routes), [`Cookie: ${cookie}`]).reading.route).toBe('r2');
    }
  });
  it.each(['Lax', 'Strict', 'None'] as const)('SameSite=%s', (sameSite) => {
    expect(inserted(inserting({ sameSite }), 'r1', { isSecure: true })).toContain(`; SameSite=${sameSite}`);
  });
});

describe('Traefik', () => {
  it('wrr TestSticky: all attributes', () => {
    const session = inserting({
      secure: 'Always',
      sameSite: 'None',
      domain: 'foo.com',
      maxAgeMs: 42_000,
      path: '/foo',
    });
    expect(inserted(session, 'r2')!.split('; ').slice(1)).toEqual([
      'Path=/foo',
      'Domain=foo.com',
      'Max-Age=42',
      'Secure',
      'HttpOnly',
      'SameSite=None',
    ]);
  });
  it('wrr TestSticky_Fallback, StickyHandler raw: the bare route is taken and rewritten', () => {
    const session = inserting();
    const { reading } = read(session, ['Cookie: SERVERID=r2']);
    expect(reading).toMatchObject({ source: 'cookie', route: 'r2', isStale: true });
    expect(inserted(session, 'r2', { reading })).toContain('SERVERID=r2.');
  });
  it('StickyHandler none and wrong: no session', () => {
    expect(read(inserting(), []).reading.source).toBe(null);
    expect(read(inserting(), ['Cookie: SERVERID=wrong']).reading.source).toBe(null);
  });
  it('StickyHandler sha256: found, no rewrite', () => {
    const session = inserting({}, { signing: { mode: 'Require', keys: [keyA], maxAgeMs: null } });
    const { reading } = read(session, [`Cookie: ${pairOf(inserted(session, 'r2'))}`]);
    expect(reading).toMatchObject({ route: 'r2', isStale: false });
    expect(inserted(session, 'r2', { reading })).toBe(null);
  });
});

describe('Envoy Gateway session_persistence.go', () => {
  it('header session: ten requests to the same member', () => {
    const session = compiled({ cookie: null, header: 'Session-A' });
    const value = suffixed({ ...session, unit: { ...session.unit, header: null } }, 'abc', 'r3');
    for (let round = 0; round < 10; round++) {
      const seen = read(session, [`Session-A: ${value}`], '/', nowMs + round);
      expect(seen.reading.route).toBe('r3');
    }
  });
  it('cookie with MaxAge 10, Path of the route, HttpOnly', () => {
    expect(inserted(inserting({ maxAgeMs: 10_000, path: '/v2' }), 'r1')).toMatch(/; Path=\/v2; Max-Age=10; HttpOnly/);
  });
});

it('Contour cookie_rewrite_test.go: SameSite=Strict and Secure', () => {
  const cookie = inserted(inserting({ sameSite: 'Strict', secure: 'Always' }), 'r1');
  expect(cookie).toMatch(/; Secure; HttpOnly; SameSite=Strict$/);
});

describe('httpd recipes', () => {
  it('ROUTEID=.route of mod_headers goes on, and is replaced', () => {
    const session = inserting({}, { cookie: 'ROUTEID' });
    const { reading } = read(session, ['Cookie: ROUTEID=.r2']);
    expect(reading).toMatchObject({ source: 'cookie', route: 'r2' });
    expect(inserted(session, 'r2', { reading })).toContain('ROUTEID=r2.');
  });
});

it('envoy#44111, haproxytech#823: replicas agree, whatever the order of their members', () => {
  const one = compiled({}, ['r1', 'r2', 'r3']);
  const other = compiled({}, ['r3', 'r1', 'r2']);
  const value = suffixed(one, 'abc', 'r2');
  expect(suffixed(other, 'abc', 'r2')).toBe(value);
  expect(read(other, [`Cookie: SID=${value}`]).reading.route).toBe('r2');
});
