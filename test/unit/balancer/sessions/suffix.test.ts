// Strategy Suffix: what the client holds, what the application sees, and what is left alone.
import { describe, expect, it } from 'vitest';
import { type CompiledSession, compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import { isAhead, routeOf } from '../../../../src/balancer/sessions/session-reader.ts';
import { unsignedLength } from '../../../../src/balancer/sessions/token.ts';
import { compiled, keyA, nowMs, read, sessionUnit, suffixed, write } from './fixtures.ts';

const token = /^[a-z0-9]{34}$/;

describe('responses', () => {
  const session = compiled();

  it('appends to the cookie of that name and to no other', () => {
    const { lines, writing } = write(
      session,
      ['Set-Cookie: SID=abc; Path=/; HttpOnly', 'Set-Cookie: SIDE=abc', 'Set-Cookie: sid=x', 'X: SID=abc'],
      'r2',
    );
    const [pair, ...attributes] = lines[0]!.split('; ');
    expect(pair!.startsWith('Set-Cookie: SID=abc.')).toBe(true);
    expect(pair!.slice('Set-Cookie: SID=abc.'.length)).toMatch(token);
    expect(attributes).toEqual(['Path=/', 'HttpOnly']);
    expect(lines.slice(1)).toEqual(['Set-Cookie: SIDE=abc', 'Set-Cookie: sid=x', 'X: SID=abc']);
    expect(writing.setCookie).toBe(null);
  });

  it('appends inside quotes, to every line of the name, and with odd white space', () => {
    const { lines } = write(session, ['Set-Cookie: SID="abc";Path=/a', 'Set-Cookie: SID = abc ; Path=/'], 'r2');
    expect(lines[0]).toMatch(/^Set-Cookie: SID="abc\.[a-z0-9]{34}";Path=\/a$/);
    expect(lines[1]).toMatch(/^Set-Cookie: SID = abc\.[a-z0-9]{34} ; Path=\/$/);
  });

  it.each(['__Host-SID', '__Secure-SID'])('appends to %s without touching its attributes', (cookie) => {
    const prefixed = compiled({ cookie });
    const { lines } = write(prefixed, [`Set-Cookie: ${cookie}=abc; Path=/; Secure`, 'Set-Cookie: SID=abc'], 'r1');
    expect(lines[0]).toMatch(/^Set-Cookie: __(Host|Secure)-SID=abc\.[a-z0-9]{34}; Path=\/; Secure$/);
    expect(lines[1]).toBe('Set-Cookie: SID=abc');
  });

  it.each([
    'SID=',
    'SID=; Path=/',
    'SID=""; Path=/',
    'SID=deleted; Max-Age=0',
    'SID=deleted; max-age = -1',
    'SID=deleted; Max-Age=0; Expires=Thu, 01 Jan 2099 00:00:00 GMT',
    'SID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/',
    'SID=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
  ])('leaves a deletion alone: %s', (cookie) => {
    expect(write(session, [`Set-Cookie: ${cookie}`], 'r1').lines).toEqual([`Set-Cookie: ${cookie}`]);
  });

  it.each([
    'SID=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'SID=x; Expires=Thu, 01 Jan 2099 00:00:00 GMT',
    'SID=x; Expires=never',
    'SID=x; Max-Age=',
    'SID=x; Max-Age=0; Max-Age=5',
  ])('does not take for a deletion: %s', (cookie) => {
    expect(write(session, [`Set-Cookie: ${cookie}`], 'r1').lines[0]).toMatch(/^Set-Cookie: SID=x\.[a-z0-9]{34};/);
  });

  it('never lets a cookie grow past 4,096 bytes', () => {
    const fits = `SID=${'x'.repeat(4096 - 4 - 1 - unsignedLength - 8)}; Path=/`;
    expect(write(session, [`Set-Cookie: ${fits}`], 'r1').lines[0]).toHaveLength('Set-Cookie: '.length + 4096);
    const tooLong = `Set-Cookie: SID=x${fits.slice(4)}`;
    const { lines, writing } = write(session, [tooLong], 'r1');
    expect(lines).toEqual([tooLong]);
    expect(writing.oversizedCount).toBe(1);
  });

  it('does not double what the application sends back', () => {
    const echoed = suffixed(session, 'abc', 'r1', nowMs - 5000);
    const [line] = write(session, [`Set-Cookie: SID=${echoed}`], 'r2').lines;
    expect(line).toBe(`Set-Cookie: SID=${suffixed(session, 'abc', 'r2')}`);
  });

  it('keeps the token of an inner balancer of the same name, whose members are not known here', () => {
    const inner = compiled({}, ['inner1']);
    const set = suffixed(inner, 'abc', 'inner1');
    const outerSet = suffixed(session, set, 'r1');
    expect(outerSet.startsWith(`${set}.`)).toBe(true);
    expect(read(session, [`Cookie: SID=${outerSet}`]).lines).toEqual([`Cookie: SID=${set}`]);
  });

  it('sends the same value again while session and member stay the same', () => {
    const first = suffixed(session, 'abc', 'r1', nowMs - 3_600_000);
    const { reading } = read(session, [`Cookie: SID=${first}`]);
    expect(write(session, ['Set-Cookie: SID=abc'], 'r1', { reading }).lines).toEqual([`Set-Cookie: SID=${first}`]);
    const moved = write(session, ['Set-Cookie: SID=abc'], 'r2', { reading }).lines[0];
    expect(moved).toBe(`Set-Cookie: SID=${suffixed(session, 'abc', 'r2')}`);
    const other = write(session, ['Set-Cookie: SID=new'], 'r1', { reading }).lines[0];
    expect(other).toBe(`Set-Cookie: SID=${suffixed(session, 'new', 'r1')}`);
  });

  it('appends to the session header', () => {
    const mcp = compiled({ cookie: null, header: 'Mcp-Session-Id' });
    const { lines } = write(mcp, ['mcp-session-id: 1868a90c', 'Set-Cookie: SID=abc'], 'r1');
    expect(lines[0]).toMatch(/^mcp-session-id: 1868a90c\.[a-z0-9]{34}$/);
    expect(lines[1]).toBe('Set-Cookie: SID=abc');
    const back = read(mcp, [`Mcp-Session-Id:${lines[0]!.slice(15)}`]);
    expect(back.lines).toEqual(['Mcp-Session-Id: 1868a90c']);
    expect(back.reading).toMatchObject({ source: 'header', route: 'r1', value: '1868a90c', verdict: 'valid' });
  });

  it('does not overwrite or delete a session whose member may be known elsewhere already', () => {
    const lines = ['Set-Cookie: SID=new; Path=/', 'Set-Cookie: SID=; Max-Age=0', 'Set-Cookie: SIDE=x'];
    const late = suffixed(compiled({}, ['late']), 'abc', 'late', nowMs - 9_000);
    const answered = (route: string, sent: readonly string[], known = session): readonly string[] =>
      write(known, lines, route, { reading: read(known, sent).reading }).lines;
    expect(answered('r1', [`Cookie: SID=${late}`])).toEqual(['Set-Cookie: SIDE=x']);
    const asEver = [expect.stringMatching(/^Set-Cookie: SID=new\.[a-z0-9]{34}; Path=\/$/), ...lines.slice(1)];
    expect(answered('r1', [])).toEqual(asEver);
    const aged = suffixed(compiled({}, ['late']), 'abc', 'late', nowMs - 10_000);
    expect(answered('r1', [`Cookie: SID=${aged}`])).toEqual(asEver);
    // In a header likewise.
    const inHeader = compiled({ cookie: null, header: 'X-Session' });
    const { reading } = read(inHeader, [`X-Session: ${late}`]);
    expect(write(inHeader, ['X-Session: new'], 'r1', { reading }).lines).toEqual([]);
    // Its member was here and is gone; so the session is.
    const gone = compileSession(sessionUnit(), 'shop/mycluster', ['r1'], compiled({}, ['r1', 'late']));
    expect(answered('r1', [`Cookie: SID=${late}`], gone)).toEqual(asEver);
  });

  it('changes nothing without a session route and nothing under Route', () => {
    expect(write(session, ['Set-Cookie: SID=abc'], '').writing.edits).toBe(null);
    expect(write(compiled({ strategy: 'Route' }), ['Set-Cookie: SID=abc'], 'r1').writing.edits).toBe(null);
  });
});

describe('Location and Content-Location', () => {
  const session = compiled({ urlParameter: 'sid' });
  const locate = (value: string, host = 'shop.example.com'): string =>
    write(session, [`Location: ${value}`], 'r1', { host }).lines[0]!.slice('Location: '.length);

  it.each([
    '/cart;sid=abc',
    'cart;sid=abc',
    '?sid=abc',
    '/cart?a=1&sid=abc',
    'http://shop.example.com/cart;sid=abc',
    'https://SHOP.example.com:443/cart;sid=abc',
    '//shop.example.com/?sid=abc',
    'http://shop.example.com?sid=abc',
    'a;sid=abc:d',
  ])('appends at the end of the id: %s', (url) => {
    const at = url.indexOf('abc') + url.slice(url.indexOf('abc')).length;
    expect(locate(url).slice(0, at)).toBe(url);
    expect(locate(url).slice(at)).toMatch(/^\.[a-z0-9]{34}$/);
  });

  it('appends in the middle, several times, and before a fragment', () => {
    expect(locate('/a;sid=abc/b?x=1#f;sid=abc')).toMatch(/^\/a;sid=abc\.[a-z0-9]{34}\/b\?x=1#f;sid=abc$/);
    expect(locate('/a;sid=abc?sid=abc&y=2')).toMatch(/^\/a;sid=abc\.[a-z0-9]{34}\?sid=abc\.[a-z0-9]{34}&y=2$/);
  });

  it.each([
    'https://other.example.com/cart;sid=abc',
    '//other.example.com/cart;sid=abc',
    'http://shop.example.com:8080/cart;sid=abc',
    'http://shop.example.com@other.example.com/;sid=abc',
    'http://shop.example.com.other.example.com/;sid=abc',
    '/\\other.example.com/;sid=abc',
    'mailto:shop;sid=abc',
    '/cart;sid=',
    '/cart',
    '/cart#;sid=abc',
    '/cart;SID=abc',
  ])('leaves alone: %s', (url) => {
    expect(locate(url)).toBe(url);
  });

  it('knows the port that was asked', () => {
    expect(locate('http://shop.example.com:8080/;sid=abc', 'shop.example.com:8080')).not.toMatch(/abc$/);
    expect(locate('http://shop.example.com/;sid=abc', 'shop.example.com:8080')).toMatch(/abc$/);
  });

  it('does so in Content-Location too, and the request has it stripped', () => {
    const [line] = write(session, ['Content-Location: /a;sid=abc?q'], 'r3').lines;
    const target = line!.slice('Content-Location: '.length);
    const seen = read(session, [`Referer: https://shop.example.com${target}`, 'Referer: /x'], target);
    expect(seen.target).toBe('/a;sid=abc?q');
    expect(seen.lines).toEqual(['Referer: https://shop.example.com/a;sid=abc?q', 'Referer: /x']);
    expect(seen.reading).toMatchObject({ source: 'path', route: 'r3', value: 'abc' });
  });

  it.each(['#', '&', '/', '^', '|'])('appends nothing to URLs with the separator %s', (separator) => {
    const unsafe = compiled({ urlParameter: 'sid', separator });
    expect(write(unsafe, ['Location: /a;sid=abc'], 'r1').lines).toEqual(['Location: /a;sid=abc']);
  });
});

describe('requests', () => {
  const session = compiled({ urlParameter: 'sid', header: 'X-Session' });
  const ours = suffixed(session, 'abc', 'r2', nowMs - 60_000);

  it('finds the session and takes the suffix off', () => {
    const seen = read(session, [`Cookie: a=b; SID=${ours}; c=d`, 'Accept: */*']);
    expect(seen.lines).toEqual(['Cookie: a=b; SID=abc; c=d', 'Accept: */*']);
    expect(seen.reading).toMatchObject({
      source: 'cookie',
      route: 'r2',
      value: 'abc',
      verdict: 'valid',
      issuedMs: nowMs - 60_000,
      isFresh: false,
      isStale: false,
      target: null,
    });
  });

  it('makes nothing when there is nothing to strip', () => {
    const { reading } = read(session, ['Cookie: SID=abc', 'X-Session: abc', 'Referer: /;sid=abc'], '/;sid=abc?sid=abc');
    expect(reading).toMatchObject({ source: null, edits: null, target: null, verdict: 'none', value: 'abc' });
  });

  it('strips every cookie of the name, in every line, the header, the URL and the Referer', () => {
    const gone = suffixed(compiled({}, ['gone']), 'old', 'gone');
    const seen = read(
      session,
      [
        `Cookie: SID=${gone}; SID="${ours}" ;SID = ${ours}`,
        `Cookie: x=y,SID=${ours}; SID=${ours}; XSID=${ours}`,
        `X-Session: ${ours}`,
        `Referer: http://h/;sid=${ours}?sid=${ours}#${ours}`,
      ],
      `/a;sid=${gone}/b?x&sid=${ours}&sid=${ours}`,
    );
    expect(seen.lines).toEqual([
      'Cookie: SID=old; SID="abc" ;SID = abc',
      `Cookie: x=y,SID=${ours}; SID=abc; XSID=${ours}`,
      'X-Session: abc',
      `Referer: http://h/;sid=abc?sid=abc#${ours}`,
    ]);
    expect(seen.target).toBe('/a;sid=old/b?x&sid=abc&sid=abc');
    expect(seen.reading).toMatchObject({ source: 'path', route: '', value: 'old', verdict: 'valid' });
  });

  it('searches path, query, cookie, header; a value without a valid suffix does not end the search', () => {
    const values = ['r1', 'r2', 'r3'].map((route) => suffixed(session, 'abc', route));
    const order = (target: string, ...lines: string[]): unknown => read(session, lines, target).reading.source;
    expect(order(`/;sid=${values[0]}?sid=${values[1]}`, `Cookie: SID=${values[2]}`)).toBe('path');
    expect(order(`/;sid=abc?sid=${values[1]}`, `Cookie: SID=${values[2]}`)).toBe('query');
    expect(order(`/;sid=abc?sid=abc.r1`, `Cookie: SID=s:abc.sig; SID=${values[2]}`)).toBe('cookie');
    expect(order(`/;sid=abc`, `Cookie: SID=abc`, `X-Session: ${values[2]}`)).toBe('header');
  });

  it('takes an encoded separator in URLs', () => {
    const encoded = suffixed(session, 'abc', 'r2').replace('.', '%2E');
    const seen = read(session, [], `/;sid=${encoded}?sid=${encoded}`);
    expect(seen.target).toBe('/;sid=abc?sid=abc');
    expect(seen.reading.route).toBe('r2');
  });

  it('takes off one suffix only', () => {
    const twice = suffixed(compiled({}, ['far']), ours, 'far');
    expect(read(session, [`Cookie: SID=${twice}`]).lines).toEqual([`Cookie: SID=${ours}`]);
  });

  it.each([
    's%3AaBcDeFgHiJkLmNoPqRsTuVwXyZ012345.d8dK1p0cXrJgVFGnZKZ7lmQ0F1Zb6Yt3mYw1Zl5m1bE',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r-wW1gFWFOEjXk',
    `abc.${'a'.repeat(34)}`,
    `abc.u${'a'.repeat(33)}`,
    `abc.s${'a'.repeat(53)}`,
    'abc.r2',
    '.',
    '..........',
    '',
  ])('never cuts what it has not appended: %s', (value) => {
    const seen = read(session, [`Cookie: SID=${value}`, `X-Session: ${value}`], `/;sid=${value}?sid=${value}`);
    expect(seen.reading).toMatchObject({ source: null, edits: null, target: null, verdict: 'none' });
  });

  it('wants a separator before the suffix', () => {
    const bare = ours.slice('abc.'.length);
    expect(read(session, [`Cookie: SID=${bare}; SID=abc!${bare}`]).reading).toMatchObject({
      source: null,
      edits: null,
    });
    expect(read(session, [`Cookie: SID=.${bare}`]).lines).toEqual(['Cookie: SID=']);
  });

  it('tells damaged ones', () => {
    const verdictOf = (value: string): unknown => read(session, [`Cookie: SID=${value}`]).reading.verdict;
    expect(verdictOf(ours.slice(0, -1))).toBe('garbled');
    expect(verdictOf(`${ours}x`)).toBe('garbled');
    expect(verdictOf(`${ours.slice(0, -1)}${ours.endsWith('a') ? 'b' : 'a'}`)).toBe('garbled');
    expect(read(session, [`Cookie: SID=${ours}x`]).reading).toMatchObject({ source: null, edits: null });
  });

  it('strips what another balancer has appended, but takes no session from it', () => {
    const foreign = suffixed(compiled({}, ['r1', 'r2', 'r3'], 'shop/checkout'), 'abc', 'r2');
    const seen = read(session, [`Cookie: SID=${foreign}`]);
    expect(seen.lines).toEqual(['Cookie: SID=abc']);
    expect(seen.reading).toMatchObject({ source: null, route: '', value: 'abc', verdict: 'foreign' });
    expect(read(session, [`Cookie: SID=${foreign}; SID=${ours}x`]).reading.verdict).toBe('foreign');
    expect(read(session, [`Cookie: SID=${foreign}; SID=${ours}`]).reading).toMatchObject({
      route: 'r2',
      verdict: 'valid',
    });
  });

  it('keeps the session of a member that it does not know, and finds it once it does', () => {
    const elsewhere = compiled({}, ['r1', 'late']);
    const { reading } = read(session, [`Cookie: SID=${suffixed(elsewhere, 'abc', 'late', nowMs - 9_999)}`]);
    expect(reading).toMatchObject({ source: 'cookie', route: '', value: 'abc', isFresh: true });
    expect(routeOf(session, reading)).toBe('');
    const later = compileSession(sessionUnit(), 'shop/mycluster', ['r1', 'late'], session);
    expect(routeOf(later, reading)).toBe('late');
  });

  it('knows which members were here and are gone, whatever came after them', () => {
    const first = compiled({}, ['r1', 'r2']);
    const second = compileSession(sessionUnit(), 'shop/mycluster', ['r1'], first);
    const third = compileSession(sessionUnit(), 'shop/mycluster', ['r1', 'r3'], second);
    const back = compileSession(sessionUnit(), 'shop/mycluster', ['r1', 'r2'], third);
    const aheadOf = (session: CompiledSession, route: string): boolean =>
      isAhead(session, read(session, [`Cookie: SID=${suffixed(compiled({}, [route]), 'abc', route)}`]).reading);
    expect([first, second, third, back].map((session) => aheadOf(session, 'late'))).toEqual([true, true, true, true]);
    expect([first, second, third, back].map((session) => aheadOf(session, 'r2'))).toEqual([false, false, false, false]);
    expect([...third.goneHashes]).toEqual([first.routes.byRoute.get('r2')]);
    expect([...back.goneHashes]).toEqual([third.routes.byRoute.get('r3')]);
    const elsewhere = compileSession(sessionUnit(), 'shop/other', ['r1'], first);
    expect(elsewhere.goneHashes.size).toBe(0);
    expect(aheadOf(second, 'r1')).toBe(false);
    const old = read(second, [`Cookie: SID=${suffixed(compiled({}, ['late']), 'abc', 'late', nowMs - 10_000)}`]);
    expect(isAhead(second, old.reading)).toBe(false);
    expect(isAhead(second, read(second, []).reading)).toBe(false);
  });

  it('remembers a thousand members that are gone, the latest', () => {
    const many = Array.from({ length: 1500 }, (_, at) => `m${at}`);
    const before = compiled({}, many);
    const { goneHashes } = compileSession(sessionUnit(), 'shop/mycluster', ['r1'], before);
    expect(goneHashes.size).toBe(1024);
    expect(goneHashes.has(before.routes.byRoute.get('m1499')!)).toBe(true);
  });

  it('is fresh for ten seconds, also when the other clock is ahead by less than a minute', () => {
    const freshAt = (issuedMs: number): boolean =>
      read(session, [`Cookie: SID=${suffixed(session, 'abc', 'r2', issuedMs)}`]).reading.isFresh;
    expect(freshAt(nowMs)).toBe(true);
    expect(freshAt(nowMs - 10_000)).toBe(false);
    expect(freshAt(nowMs + 60_000)).toBe(true);
    expect(freshAt(nowMs + 60_001)).toBe(false);
  });

  it('goes on with sessions from before or after signing', () => {
    const signing = compiled({ signing: { mode: 'Require', keys: [keyA], maxAgeMs: null } });
    const signed = suffixed(signing, 'abc', 'r3');
    const seen = read(session, [`Cookie: SID=${signed}`]);
    expect(seen.reading).toMatchObject({ route: 'r3', verdict: 'valid' });
    expect(seen.lines).toEqual(['Cookie: SID=abc']);
  });
});

/** Milliseconds of processor time: what else the machine does is left out. */
function computeMs(once: () => void): number {
  const before = process.threadCpuUsage();
  once();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

describe('what takes long must not', () => {
  const session = compiled({ urlParameter: 'SID' });

  it.each([
    ['names without a value', 'SID '.repeat(250_000)],
    ['names inside a name', 'SIDSID'.repeat(170_000)],
    ['cookies of the name', 'SID=abc; '.repeat(110_000)],
    ['other cookies', 'a=bcdefg; '.repeat(100_000)],
    ['white space', `SID${' '.repeat(1_000_000)}`],
    ['separators', `SID=${'.'.repeat(1_000_000)}`],
    ['letters', `SID=${'a'.repeat(1_000_000)}`],
  ])('a megabyte of %s', (_, cookie) => {
    const fields = [`Cookie: ${cookie}`];
    const tookMs = computeMs(() => {
      read(session, fields);
      read(compiled({ strategy: 'Route' }), fields);
      read(session, [], `/${cookie.replaceAll(' ', ';')}?${cookie.replaceAll(' ', '&')}`);
    });
    // Linear: some milliseconds; quadratic would take minutes.
    expect(tookMs).toBeLessThan(10_000);
  });

  it('forty thousand Cookie lines in one head', () => {
    const fields = Array.from({ length: 40_000 }, () => 'Cookie: S=S');
    expect(computeMs(() => read(session, fields))).toBeLessThan(10_000);
  });
});
