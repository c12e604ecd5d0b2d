// For any session value and any cookie header, Suffix and then strip gives the application byte for byte what it would
// have had without us.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeToken, findToken } from '../../../../src/balancer/sessions/token.ts';
import { compiled, keyA, keyB, nowMs, read, suffixed, write } from './fixtures.ts';

const separators = ['.', '!', '-', '~', ':', '_', '@', '#', '&', '/', '|'];
const routes = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9._~:@!*+-]{1,20}$/), { minLength: 1, maxLength: 8 });
const signings = [
  null,
  { mode: 'Require', keys: [keyA], maxAgeMs: null },
  { mode: 'Prefer', keys: [keyB, keyA], maxAgeMs: 60_000 },
] as const;

/** Anything that a Set-Cookie line can carry as a value, cookie-octets or not. */
const appValue = fc.oneof(
  fc.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,80}$/),
  fc.stringMatching(/^"[\x21\x23-\x3a\x3c-\x7e]{1,40}"$/),
  fc.stringMatching(/^[\x21-\x3a\x3c-\x7e\x80-\xff]{1,3}$/),
  fc.constantFrom('s%3Aabc.sig', 'a.b.c', '.', '"', '"a', 'a"', 'a,b', 'u', `x.u${'a'.repeat(33)}`),
);

const session = fc
  .tuple(fc.constantFrom(...separators), fc.constantFrom(...signings), routes)
  .map(([separator, signing, members]) => ({
    session: compiled({ separator, signing, urlParameter: 'sid', header: 'X-Session' }, members),
    members,
  }));

/** As the wire reads a field value. */
const trimBlank = (text: string): string => text.replace(/^[\t ]+|[\t ]+$/g, '');

describe('Suffix, then strip', () => {
  it('gives back each value in cookies, with anything around it', () => {
    const crumb = fc.stringMatching(/^[\x20-\x3a\x3c-\x7e]{0,20}$/);
    fc.assert(
      fc.property(
        session,
        appValue,
        fc.array(crumb, { maxLength: 6 }),
        fc.nat(),
        ({ session, members }, value, crumbs, at) => {
          fc.pre(value !== '""');
          const route = members[at % members.length]!;
          const client = suffixed(session, value, route);
          const place = at % (crumbs.length + 1);
          const header = (own: string): string =>
            `Cookie: ${trimBlank([...crumbs.slice(0, place), ` SID=${own}`, ...crumbs.slice(place)].join(';'))}`;
          const seen = read(session, [header(client), header(client)]);
          expect(seen.lines).toEqual([header(value), header(value)]);
          if (!crumbs.some((text) => /^\s*SID\s*=/.test(text))) {
            expect(seen.reading).toMatchObject({ source: 'cookie', route, verdict: 'valid' });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('gives back each value in headers and URLs', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9._~!$'()*+,:@%-]{1,40}$/);
    fc.assert(
      fc.property(session, id, id, fc.nat(), ({ session, members }, value, other, at) => {
        const route = members[at % members.length]!;
        const urls = [`/a;sid=${value};v=${other}/b?sid=${value}&x=${other}`, `/?y=${other};sid=${value}`];
        for (const url of urls) {
          const response = [`Location: ${url}`, `X-Session: ${value}`];
          const client = write(session, response, route).lines;
          const target = client[0]!.slice('Location: '.length);
          const seen = read(session, [`Referer: http://h${target}`, client[1]!], target);
          expect(seen.target).toBe(url);
          expect(seen.lines).toEqual([`Referer: http://h${url}`, `X-Session: ${value}`]);
          expect(seen.reading.route).toBe(route);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leaves a request alone that carries nothing of ours, whatever it carries', () => {
    const octets = fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,200}$/);
    const base32 = fc.stringMatching(/^[a-z2-7]{34,54}$/).map((text) => `SID=x.${text}; SID=x.u${text}; SID=s${text}`);
    const scraps = fc
      .array(fc.constantFrom('SID', '=', ';', ' ', ',', '"', '.', 'x', '%3B', 'sid', '&', '?', '/'), { maxLength: 60 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(session, fc.oneof(octets, base32, scraps), ({ session }, text) => {
        const target = `/${text.replaceAll(/[^\x21-\x7e]|#/g, '')}`;
        const line = trimBlank(text);
        const { reading } = read(session, [`Cookie: ${line}`, `X-Session: ${line}`, `Referer: ${target}`], target);
        expect(reading).toMatchObject({ source: null, edits: null, target: null });
      }),
      { numRuns: 2000 },
    );
  });

  it('what Set-Cookie carries besides stays as it is', () => {
    const attributes = fc.stringMatching(/^[\x20-\x7e]{0,60}$/);
    fc.assert(
      fc.property(session, appValue, attributes, ({ session, members }, value, rest) => {
        const line = `Set-Cookie: SID=${value};${trimBlank(`x${rest}`).slice(1)}`;
        const [written] = write(session, [line], members[0]!, { atMs: nowMs }).lines;
        const at = written!.indexOf(session.unit.separator + (session.signer === null ? 'u' : 's') + session.tag);
        if (at === -1) {
          expect(written).toBe(line);
          return;
        }
        const length = 1 + (session.signer === null ? 34 : 54);
        expect(written!.slice(0, at) + written!.slice(at + length)).toBe(line);
      }),
      { numRuns: 1000 },
    );
  });
});

it('random text is not taken for a token', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  let state = 12345;
  let taken = 0;
  for (let round = 0; round < 300_000; round++) {
    let text = 'u';
    while (text.length < 34) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      text += letters[state >>> 27];
    }
    if (findToken(text, 0, 34) !== -1) taken++;
  }
  expect(taken).toBe(0);
});

it('the check spreads over all of its 45 bits', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  const rounds = 20_000;
  const seen = new Set<string>();
  const ones = new Array<number>(45).fill(0);
  for (let round = 0; round < rounds; round++) {
    const check = completeToken(`u${String(round).padStart(24, 'a')}`, '').slice(-9);
    seen.add(check);
    for (let bit = 0; bit < 45; bit++) ones[bit]! += (letters.indexOf(check[Math.floor(bit / 5)]!) >> (bit % 5)) & 1;
  }
  expect(seen.size).toBe(rounds);
  for (const count of ones) expect(Math.abs(count - rounds / 2)).toBeLessThan(5 * Math.sqrt(rounds / 4));
});
