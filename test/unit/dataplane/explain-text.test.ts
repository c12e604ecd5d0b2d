import { describe, expect, it } from 'vitest';
import { type Explanation, explanationText } from '../../../src/dataplane/explain-text.ts';

const told: Explanation = {
  rule: { host: 'shop.example.com', pathType: 'Prefix', path: '/cart', balancer: 'shop/cart' },
  session: { source: 'cookie', name: 'sid', route: 'm1', verdict: 'valid', isRouteChanged: false },
  member: 'app-1',
  reason: 'session',
  attempts: 1,
  failed: [],
};

describe('an explanation', () => {
  it('of a session names rule, session, member and reason', () => {
    expect(explanationText(told)).toBe(
      'rule="shop.example.com Prefix /cart"; balancer=shop/cart; session=cookie; verdict=valid; route=m1; ' +
        'member=app-1; reason=session; attempts=1',
    );
  });

  it('of a request without a session names the method', () => {
    const session = { source: 'none', name: '', route: '', verdict: 'none', isRouteChanged: true } as const;
    expect(explanationText({ ...told, session, reason: 'bybusyness' })).toMatch(
      /; session=none; member=app-1; reason=bybusyness; attempts=1$/,
    );
  });

  it('names who failed before, and why', () => {
    const failed = [
      { member: 'app-0', reason: 'connect-refused' },
      { member: 'http://10.0.0.1:80', reason: '503' },
    ];
    expect(explanationText({ ...told, attempts: 3, failed })).toMatch(
      /; attempts=3; failed="app-0:connect-refused,http:\/\/10\.0\.0\.1:80:503"$/,
    );
  });

  it('of a request that no rule takes has the code of our answer', () => {
    const none = { rule: null, session: null, member: null, reason: 'no-rule', attempts: 0 };
    expect(explanationText({ ...told, ...none })).toBe(
      'rule=none; session=none; member=none; reason=no-rule; attempts=0',
    );
  });

  it('has a bounded length, however many failed', () => {
    const failed = Array.from({ length: 100 }, (_, index) => ({ member: `m${index}`, reason: 'response-timeout' }));
    const text = explanationText({ ...told, failed });
    expect(text).toContain('m7:response-timeout"');
    expect(text).not.toContain('m8:');
  });

  it('is a field value, whatever a client has put into its session', () => {
    const session = { ...told.session!, route: 'a"\\\r\nSet-Cookie: x\xe9\0' };
    const text = explanationText({ ...told, session });
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    expect(text).toContain('; route="a\\"\\\\%0D%0ASet-Cookie:%20x%C3%A9%00"; ');
  });
});
