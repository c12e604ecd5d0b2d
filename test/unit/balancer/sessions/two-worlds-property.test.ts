// One client, two worlds: in one it talks to the application, in the other Evenkeel with Suffix is between. Whatever the
// application sets and wherever its members are, it sees the same requests in both, byte for byte.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CompiledSession, compileSession } from '../../../../src/balancer/sessions/compiled-session.ts';
import type { SessionReading } from '../../../../src/balancer/sessions/session-reading.ts';
import { keyA, keyB, nowMs, read, sessionUnit, write } from './fixtures.ts';

const host = 'shop.example.com';
const origin = `http://${host}`;
/** What every browser keeps of a cookie: name, value and attributes (RFC 6265 §6.1). Bytes. */
const MAX_COOKIE = 4096;

/** Space and tab only, as RFC 6265bis has it. */
const trimBlank = (text: string): string => text.replace(/^[\t ]+|[\t ]+$/g, '');

/** What an application answers. */
interface Answer {
  /** Values of Set-Cookie lines. */
  readonly cookies: readonly string[];
  /** Value of the session header; null: none. */
  readonly header: string | null;
  /** A redirect that the client follows; null: it asks for the same again. */
  readonly location: string | null;
}

/** A client that keeps cookies as RFC 6265bis §5.7 says, as far as name, path, age and size go, and sends back a header. */
class Client {
  readonly #jar = new Map<string, string>();
  #header: string | null = null;
  #target = '/start';
  #referer: string | null = null;
  droppedCookies = 0;

  request(): { readonly target: string; readonly lines: readonly string[] } {
    const lines = ['Host: shop.example.com'];
    if (this.#jar.size > 0) lines.push(`Cookie: ${[...this.#jar.values()].join('; ')}`);
    if (this.#header !== null) lines.push(`X-Session: ${this.#header}`);
    if (this.#referer !== null) lines.push(`Referer: ${this.#referer}`);
    return { target: this.#target, lines };
  }

  take({ cookies, header, location }: Answer, atMs: number): void {
    for (const line of cookies) this.#set(line, atMs);
    if (header !== null) this.#header = header;
    this.#referer = origin + this.#target;
    if (location === null) return;
    const path = location.startsWith(origin) ? location.slice(origin.length) : location;
    this.#target = path.startsWith('/') ? path : `/${path}`;
  }

  #set(line: string, atMs: number): void {
    if (line.length > MAX_COOKIE) {
      this.droppedCookies += 1;
      return;
    }
    const [pair = '', ...attributes] = line.split(';');
    const equals = pair.indexOf('=');
    const name = trimBlank(pair.slice(0, equals));
    const of = (wanted: string): string | undefined =>
      attributes
        .map((text) => text.split('='))
        .findLast(([attribute]) => attribute!.trim().toLowerCase() === wanted)?.[1]
        ?.trim();
    const key = `${name} ${of('path') ?? '/'}`;
    const maxAge = of('max-age');
    const expires = of('expires');
    const isOver = maxAge === undefined ? expires !== undefined && Date.parse(expires) <= atMs : Number(maxAge) <= 0;
    if (isOver) this.#jar.delete(key);
    else this.#jar.set(key, `${name}=${trimBlank(pair.slice(equals + 1))}`);
  }
}

const value = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,60}$/) },
  { weight: 2, arbitrary: fc.stringMatching(/^"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,40}"$/) },
  fc.stringMatching(/^[\x21-\x3a\x3c-\x7e\x80-\xff]{1,20}$/),
  fc.constantFrom('', '""', '"', 's%3Aid.sig', 'eyJ.eyJ.sig', 'a=b=c', `x.u${'a'.repeat(33)}`, `x.s${'b'.repeat(53)}`),
  // Around the bound, with and without room for a suffix.
  fc.integer({ min: 3900, max: 4100 }).map((length) => 'v'.repeat(length)),
);
const attribute = fc.constantFrom(
  '; Path=/',
  ';path=/app',
  '; HttpOnly',
  '; Secure',
  ' ;  SameSite=Lax',
  '; Max-Age=3600',
  '; Max-Age=0',
  '; max-age = -1',
  '; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
  '; expires=Thu, 01-Jan-2110 00:00:00 GMT',
  '; Domain=.example.com',
  ';',
);
const cookie = fc
  .tuple(
    fc.constantFrom('SID', 'SID', 'SID', 'SID ', 'XSID', 'SIDE', 'sid', 'theme'),
    value,
    fc.array(attribute, { maxLength: 4 }),
  )
  .map(([name, text, attributes]) => `${name}=${text}${attributes.join('')}`);
const id = fc.stringMatching(/^[A-Za-z0-9._~!$'()*+,:@%-]{1,30}$/);
const location = fc
  .tuple(fc.constantFrom('', origin, origin.toUpperCase().replace('SHOP.EXAMPLE.COM', host)), id, id, fc.nat(5))
  .map(([base, one, other, shape]) => {
    const paths = [
      `/a;sid=${one}`,
      `/a;sid=${one}/b?sid=${one}&x=${other}`,
      `/?x=${other}&sid=${one}`,
      `/a?xsid=${one}`,
      `/a;sid=${one}?sid=${other}`,
      `/plain?y=${other}`,
    ];
    return (base.startsWith('http:') ? base : '') + paths[shape]!;
  });
const answer: fc.Arbitrary<Answer> = fc.record({
  cookies: fc.array(cookie, { maxLength: 4 }),
  header: fc.option(id),
  location: fc.option(location),
});
const step = fc.record({
  answer,
  /** Which of the members answers. */
  member: fc.nat(9),
  /** What changes of them before: how many are there, from which one on. */
  members: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(4)),
  tookMs: fc.constantFrom(0, 5, 9_000, 70_000, 7_200_000),
});
const signings = [
  null,
  { mode: 'Require', keys: [keyA], maxAgeMs: null },
  { mode: 'Prefer', keys: [keyB, keyA], maxAgeMs: 60_000 },
] as const;

function linesOf({ cookies, header, location: url }: Answer): string[] {
  const lines = cookies.map((line) => `Set-Cookie: ${line}`);
  if (header !== null) lines.push(`X-Session: ${header}`);
  if (url !== null) lines.push(`Location: ${url}`);
  return lines;
}

/** The answer as the client of a proxy gets it. */
function through(
  session: CompiledSession,
  given: Answer,
  route: string,
  reading: SessionReading,
  atMs: number,
): Answer {
  const { lines } = write(session, linesOf(given), route, { reading, host, atMs });
  const valuesOf = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  return {
    cookies: valuesOf('Set-Cookie'),
    header: valuesOf('X-Session')[0] ?? null,
    location: valuesOf('Location')[0] ?? null,
  };
}

const routes = ['r1', 'r2', 'r3', 'r4', 'r5'];
let boundCount = 0;
let changed = 0;

it('Suffix, then strip: the application sees what it would have seen without us, in any story', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('.', '!', '-', '~', ':', '_', '@', '|'),
      fc.constantFrom(...signings),
      fc.array(step, { minLength: 1, maxLength: 12 }),
      (separator, signing, steps) => {
        const unit = sessionUnit({ separator, signing, urlParameter: 'sid', header: 'X-Session' });
        const direct = new Client();
        const proxied = new Client();
        let session = compileSession(unit, 'shop/mycluster', routes, null);
        let atMs = nowMs;
        for (const { answer: given, member, members, tookMs } of steps) {
          atMs += tookMs;
          const [count, from] = members;
          const now = [...routes, ...routes].slice(from, from + count);
          session = compileSession(unit, 'shop/mycluster', now, session);
          const wanted = direct.request();
          const sent = proxied.request();
          const seen = read(session, sent.lines, sent.target, atMs);
          expect({ target: seen.target, lines: seen.lines }).toEqual(wanted);
          if (sent.lines.join() !== wanted.lines.join()) changed += 1;
          direct.take(given, atMs);
          proxied.take(through(session, given, now[member % now.length]!, seen.reading, atMs), atMs);
          // No cookie is lost because it has grown.
          expect(proxied.droppedCookies).toBe(direct.droppedCookies);
          boundCount += given.cookies.filter(({ length }) => length > MAX_COOKIE - 60 && length <= MAX_COOKIE).length;
        }
      },
    ),
    { numRuns: 1500 },
  );
  // The drawn stories are about something.
  expect(changed).toBeGreaterThan(1000);
  expect(boundCount).toBeGreaterThan(50);
});
