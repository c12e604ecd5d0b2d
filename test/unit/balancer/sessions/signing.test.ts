// Signed suffixes: what holds, what does not, and how each failure is told.
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSigner, sign } from '../../../../src/balancer/sessions/signer.ts';
import { completeToken, signedLength } from '../../../../src/balancer/sessions/token.ts';
import type { SessionSigningUnit } from '../../../../src/snapshot/session-unit.ts';
import { compiled, defaultRoutes, keyA, keyB, nowMs, read, suffixed, write } from './fixtures.ts';

const hour = 3_600_000;

function signed(signing: Partial<SessionSigningUnit> = {}, key = 'shop/mycluster') {
  return compiled({ signing: { mode: 'Require', keys: [keyA], maxAgeMs: null, ...signing } }, defaultRoutes, key);
}

const readingOf = (session: ReturnType<typeof signed>, value: string, atMs = nowMs) =>
  read(session, [`Cookie: SID=${value}`], '/', atMs).reading;

describe('signing', () => {
  const session = signed();
  const value = suffixed(session, 'abc', 'r2');

  it('goes round', () => {
    expect(value).toMatch(new RegExp(`^abc\\.[a-z0-9]{${signedLength}}$`));
    expect(readingOf(session, value)).toMatchObject({
      source: 'cookie',
      route: 'r2',
      value: 'abc',
      verdict: 'valid',
      isStale: false,
    });
  });

  it('is HMAC-SHA-256 over balancer, session route, issue time and value', () => {
    const mac = sign(createSigner([keyA], 'Suffix', 'shop/mycluster'), 'head', 'abc')!;
    const digest = createHmac('sha256', Buffer.from(keyA, 'base64'))
      .update('evenkeel session\0Suffix\0shop/mycluster\0headabc')
      .digest();
    const bits = [...digest].map((octet) => octet.toString(2).padStart(8, '0')).join('');
    const letters = 'abcdefghijklmnopqrstuvwxyz234567';
    const expected = Array.from({ length: 20 }, (_, at) => letters[Number.parseInt(bits.slice(at * 5, at * 5 + 5), 2)]);
    expect(mac).toBe(expected.join(''));
  });

  it('refuses every change of a bit', () => {
    for (let at = 0; at < value.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed =
          value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ (1 << bit)) + value.slice(at + 1);
        expect(readingOf(session, changed).source, changed).toBe(null);
      }
    }
  });

  it('refuses every change of a bit by one who can make checks, as forged', () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz234567';
    const body = value.slice(4, -9);
    const ownPart = 1 + 5;
    for (let at = ownPart; at < body.length; at++) {
      for (let bit = 0; bit < 5; bit++) {
        const changed = letters[letters.indexOf(body[at]!) ^ (1 << bit)];
        const forged = `abc.${completeToken(body.slice(0, at) + changed + body.slice(at + 1), '')}`;
        const reading = readingOf(session, forged);
        expect(reading, forged).toMatchObject({ source: null, route: '', verdict: 'forged' });
      }
    }
  });

  it('binds the suffix to the session value, the balancer and the strategy', () => {
    expect(readingOf(session, value.replace('abc', 'abd'))).toMatchObject({
      source: null,
      verdict: 'forged',
      value: 'abd',
    });
    expect(readingOf(signed({}, 'shop/other'), value)).toMatchObject({ source: null, verdict: 'foreign' });
  });

  it('refuses unsigned ones under Require, and takes them under Prefer', () => {
    const unsigned = suffixed(compiled(), 'abc', 'r2');
    expect(readingOf(session, unsigned)).toMatchObject({ source: null, verdict: 'unsigned', value: 'abc' });
    expect(readingOf(signed({ mode: 'Prefer' }), unsigned)).toMatchObject({
      source: 'cookie',
      route: 'r2',
      verdict: 'unsigned',
      isStale: true,
    });
    expect(read(session, [`Cookie: SID=${unsigned}`]).lines).toEqual(['Cookie: SID=abc']);
  });

  it('strips what does not hold, because it is ours in form', () => {
    const seen = read(signed({ keys: [keyB] }), [`Cookie: SID=${value}`]);
    expect(seen.reading).toMatchObject({ source: null, verdict: 'forged' });
    expect(seen.lines).toEqual(['Cookie: SID=abc']);
  });

  it('rotates keys: appended, then first, then alone', () => {
    const both = signed({ keys: [keyA, keyB] });
    const swapped = signed({ keys: [keyB, keyA] });
    const onlyB = signed({ keys: [keyB] });
    expect(suffixed(both, 'abc', 'r2')).toBe(value);
    expect(readingOf(swapped, value)).toMatchObject({ verdict: 'valid', isStale: true });
    const renewed = suffixed(swapped, 'abc', 'r2');
    expect(renewed).not.toBe(value);
    for (const other of [both, swapped, onlyB]) expect(readingOf(other, renewed)).toMatchObject({ verdict: 'valid' });
    expect(readingOf(onlyB, value)).toMatchObject({ source: null, verdict: 'forged' });
  });

  it('expires only when told so, with a minute of skew', () => {
    const limited = signed({ maxAgeMs: 12 * hour });
    expect(readingOf(session, value, nowMs + 10_000 * hour).verdict).toBe('valid');
    expect(readingOf(limited, value, nowMs + 12 * hour + 60_000).verdict).toBe('valid');
    expect(readingOf(limited, value, nowMs + 12 * hour + 60_001)).toMatchObject({ source: null, verdict: 'expired' });
    expect(readingOf(limited, value, nowMs - 60_000).verdict).toBe('valid');
    expect(readingOf(limited, value, nowMs - 60_001)).toMatchObject({ source: null, verdict: 'expired' });
    expect(readingOf(limited, value, nowMs + 6 * hour - 1).isStale).toBe(false);
    expect(readingOf(limited, value, nowMs + 6 * hour).isStale).toBe(true);
  });

  it('measures unsigned ones by their own time, and refuses them first', () => {
    const unsigned = suffixed(compiled(), 'abc', 'r2');
    const later = nowMs + 2 * hour;
    const verdictUnder = (mode: 'Prefer' | 'Require') => readingOf(signed({ mode, maxAgeMs: hour }), unsigned, later);
    expect(verdictUnder('Prefer')).toMatchObject({ source: null, verdict: 'expired' });
    expect(verdictUnder('Require')).toMatchObject({ source: null, verdict: 'unsigned' });
  });

  it('is issued anew when the application sends its session again after half its life', () => {
    const limited = signed({ maxAgeMs: 12 * hour });
    const again = (atMs: number) => {
      const reading = readingOf(limited, value, atMs);
      return write(limited, ['Set-Cookie: SID=abc'], 'r2', { reading, atMs }).lines[0]!.slice(
        'Set-Cookie: SID='.length,
      );
    };
    expect(again(nowMs + 6 * hour - 1)).toBe(value);
    expect(again(nowMs + 6 * hour)).toBe(suffixed(limited, 'abc', 'r2', nowMs + 6 * hour));
  });

  it('neither signs nor takes anything without a key', () => {
    const keyless = signed({ keys: [] });
    expect(suffixed(keyless, 'abc', 'r2')).toBe('abc');
    expect(readingOf(keyless, value)).toMatchObject({ source: null, verdict: 'forged' });
  });

  it('a bad one does not hide a good one, and a heap of them ends', () => {
    const forged = suffixed(signed({ keys: [keyB] }), 'evil', 'r1');
    const lines = (count: number) => [`Cookie: ${`SID=${forged}; `.repeat(count)}SID=${value}`];
    expect(read(session, lines(7)).reading).toMatchObject({ route: 'r2', verdict: 'valid' });
    const heap = read(session, lines(8));
    expect(heap.reading).toMatchObject({ source: null, verdict: 'forged' });
    expect(heap.lines).toEqual([`Cookie: ${'SID=evil; '.repeat(8)}SID=abc`]);
  });
});
