// Strategy Insert: the proxy's own cookie.
import { describe, expect, it } from 'vitest';
import { cacheControlFor } from '../../../../src/balancer/sessions/inserted-cookie.ts';
import { compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import type { SessionCookieUnit, SessionUnit } from '../../../../src/snapshot/session-unit.ts';
import { compiled, inserted, insertUnit, keyA, keyB, linesOf, nowMs, pairOf, read, write } from './fixtures.ts';

function inserting(attributes: Partial<SessionCookieUnit> = {}, given: Partial<SessionUnit> = {}, routes?: string[]) {
  return compiled(insertUnit(attributes, given), routes);
}
const hour = 3_600_000;

describe('the cookie', () => {
  it('holds the session route and a token', () => {
    expect(inserted(inserting(), 'r1')).toMatch(/^SERVERID=r1\.[a-z0-9]{34}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('has every attribute', () => {
    const session = inserting({
      path: '/shop',
      domain: 'example.com',
      sameSite: 'None',
      secure: 'Always',
      httpOnly: false,
      partitioned: true,
      maxAgeMs: 8 * hour,
    });
    expect(inserted(session, 'r1')).toMatch(
      /^SERVERID=r1\.[a-z0-9]{34}; Path=\/shop; Domain=example\.com; Max-Age=28800; Secure; SameSite=None; Partitioned$/,
    );
  });

  it('secure Auto follows the scheme of the client', () => {
    expect(inserted(inserting(), 'r1', { isSecure: true })).toContain('; Secure');
    expect(inserted(inserting(), 'r1', { isSecure: false })).not.toContain('Secure');
    expect(inserted(inserting({ secure: 'Never' }), 'r1', { isSecure: true })).not.toContain('Secure');
    expect(inserted(inserting({}, { cookie: '__Host-lb' }), 'r1')).toContain('; Secure');
  });

  it('leaves out, on plain HTTP, what browsers refuse without Secure', () => {
    const session = inserting({ sameSite: 'None', partitioned: true });
    expect(inserted(session, 'r1')).not.toMatch(/SameSite|Partitioned/);
    expect(inserted(session, 'r1', { isSecure: true })).toMatch(/; Secure; HttpOnly; SameSite=None; Partitioned$/);
  });

  it('tells two sessions of one member apart', () => {
    expect(inserted(inserting(), 'r1')).not.toBe(inserted(inserting(), 'r1', { atMs: nowMs + 1 }));
  });
});

describe('when it is sent', () => {
  const session = inserting();
  const cookie = pairOf(inserted(session, 'r1'));

  it('not while the session route stays the same', () => {
    const { reading } = read(session, [`Cookie: ${cookie}`]);
    expect(reading).toMatchObject({ source: 'cookie', route: 'r1', verdict: 'valid', isStale: false });
    expect(inserted(session, 'r1', { reading })).toBe(null);
    expect(inserted(session, 'r2', { reading })).toContain('SERVERID=r2.');
  });

  it('not over a session so fresh that another replica may know its member', () => {
    const elsewhere = pairOf(inserted(inserting({}, {}, ['late']), 'late'));
    const soon = read(session, [`Cookie: ${elsewhere}`], '/', nowMs + 9_000).reading;
    expect(soon).toMatchObject({ source: 'cookie', route: '', isFresh: true });
    expect(inserted(session, 'r1', { reading: soon })).toBe(null);
    const later = read(session, [`Cookie: ${elsewhere}`], '/', nowMs + 10_000).reading;
    expect(inserted(session, 'r1', { reading: later })).toContain('SERVERID=r1.');
  });

  it('over a fresh session whose member was known here and is gone', () => {
    const pair = pairOf(inserted(inserting(), 'r2'));
    const after = compileSession(insertUnit(), 'shop/mycluster', ['r1'], inserting());
    const { reading } = read(after, [`Cookie: ${pair}`]);
    expect(reading).toMatchObject({ source: 'cookie', route: '', isFresh: true });
    expect(inserted(after, 'r1', { reading })).toContain('SERVERID=r1.');
  });

  it('at half its life', () => {
    const signing = { mode: 'Require', keys: [keyA], maxAgeMs: 2 * hour } as const;
    for (const living of [inserting({ maxAgeMs: 2 * hour }), inserting({ maxAgeMs: 9 * hour }, { signing })]) {
      const pair = pairOf(inserted(living, 'r1'));
      const at = (atMs: number) =>
        inserted(living, 'r1', { reading: read(living, [`Cookie: ${pair}`], '/', atMs).reading });
      expect(at(nowMs + hour - 1)).toBe(null);
      expect(at(nowMs + hour)).not.toBe(null);
    }
  });

  it('after what does not hold', () => {
    const signing = { mode: 'Require', keys: [keyA], maxAgeMs: hour } as const;
    const signed = inserting({}, { signing });
    const pair = pairOf(inserted(signed, 'r1'));
    expect(pair).toMatch(/^SERVERID=r1\.[a-z0-9]{54}$/);
    const verdicts = [
      [pair, nowMs, 'valid'],
      [pair, nowMs + 2 * hour, 'expired'],
      [pairOf(inserted(inserting({}, { signing: { ...signing, keys: [keyB] } }), 'r1')), nowMs, 'forged'],
      [cookie, nowMs, 'unsigned'],
      ['SERVERID=r1', nowMs, 'unsigned'],
      [pair.slice(0, -1), nowMs, 'garbled'],
      ['SERVERID=nobody', nowMs, 'none'],
    ] as const;
    for (const [sent, atMs, verdict] of verdicts) {
      const { reading } = read(signed, [`Cookie: ${sent}`], '/', atMs);
      expect(reading.verdict).toBe(verdict);
      expect(inserted(signed, 'r1', { reading }) === null).toBe(verdict === 'valid');
    }
  });

  it('no session route can be put in place of the signed one', () => {
    const signed = inserting({}, { signing: { mode: 'Require', keys: [keyA], maxAgeMs: null } });
    const pair = pairOf(inserted(signed, 'r1')).replace('=r1.', '=r2.');
    expect(read(signed, [`Cookie: ${pair}`]).reading).toMatchObject({ source: null, verdict: 'forged' });
  });
});

describe('what the member sees', () => {
  const session = inserting();
  const own = pairOf(inserted(session, 'r1'));

  it.each([
    [own, []],
    [`a=b; ${own}`, ['Cookie: a=b']],
    [`${own}; a=b`, ['Cookie: a=b']],
    [`a=b; ${own}; c=d`, ['Cookie: a=b; c=d']],
    [`a=b;${own};c=d`, ['Cookie: a=b;c=d']],
    [`a=b; ${own}; ${own}`, ['Cookie: a=b']],
    [`${own}; a=b; ${own}`, ['Cookie: a=b']],
    [`${own};`, []],
    ['a=b; SERVERID=.r2; c=d', ['Cookie: a=b; c=d']],
    ['a=b; SERVERID=app; c=d', ['Cookie: a=b; SERVERID=app; c=d']],
  ])('hides the cookie: %s', (cookie, lines) => {
    expect(read(session, [`Cookie: ${cookie}`]).lines).toEqual(lines);
  });
});

it('marks responses private by choice, and only those that set the cookie', () => {
  const session = inserting({ marksPrivate: true });
  expect(write(session, [], 'r1').writing.cacheControl).toBe('private');
  expect(write(session, ['Cache-Control: max-age=60, Private'], 'r1').writing.cacheControl).toBe(null);
  expect(write(inserting(), [], 'r1').writing.cacheControl).toBe(null);
  const { reading } = read(session, [`Cookie: ${pairOf(inserted(session, 'r1'))}`]);
  expect(write(session, [], 'r1', { reading }).writing).toMatchObject({ setCookie: null, cacheControl: null });
});

it.each([
  [['Cache-Control: public, max-age=60'], 'private'],
  [['Cache-Control: no-cache'], 'private'],
  [['Cache-Control: private="x"'], 'private'],
  [['Cache-Control: max-age=60', 'cache-control:NO-STORE'], null],
])('cacheControlFor %j', (lines, wanted) => {
  expect(cacheControlFor(linesOf(lines))).toBe(wanted);
});
