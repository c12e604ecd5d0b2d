import { describe, expect, test } from 'vitest';
import { decide, failsOnStatus, type MemberFault, type Situation } from '../../../src/balancer/failover.ts';
import type { FailoverUnit } from '../../../src/snapshot/snapshot.ts';

const POLICY: FailoverUnit = {
  maxAttempts: 1,
  retryAfterMs: 60_000,
  forceRecovery: true,
  failOnStatus: [],
  failOnTimeout: false,
};
const GET: Situation = { isIdempotent: true, isReplayable: true, attempts: 1, ignoresErrors: false };
const POST: Situation = { ...GET, isIdempotent: false };

const judge = (kind: MemberFault, situation = GET, over = {}) => {
  const { next, status, failsMember } = decide({ kind }, situation, { ...POLICY, ...over });
  return `${next} ${status}${failsMember ? ' E' : ''}`;
};

test.each([
  ['connect-refused', 'try-next 503 E', 'try-next 503 E'],
  ['connect-timeout', 'try-next 503 E', 'try-next 503 E'],
  ['name-not-resolved', 'try-next 503 E', 'try-next 503 E'],
  ['member-full', 'try-next 503', 'try-next 503'],
  ['closed-before-head', 'try-next 502', 'fail 502'],
  ['response-timeout', 'try-next 504', 'fail 504'],
  ['bad-response-head', 'fail 502', 'fail 502'],
  ['upgrade-failed', 'fail 502', 'fail 502'],
  ['response-cut', 'done 0', 'done 0'],
  ['client-gone', 'done 0', 'done 0'],
] as const)('%s: %s for what may be done twice, else %s', (kind, idempotent, other) => {
  expect(judge(kind, GET)).toBe(idempotent);
  expect(judge(kind, POST)).toBe(other);
});

describe('another member is tried', () => {
  test('as often as maxAttempts says after the first', () => {
    expect(judge('connect-refused', { ...GET, attempts: 1 }, { maxAttempts: 0 })).toBe('fail 503 E');
    expect(judge('connect-refused', { ...GET, attempts: 2 }, { maxAttempts: 2 })).toBe('try-next 503 E');
    expect(judge('connect-refused', { ...GET, attempts: 3 }, { maxAttempts: 2 })).toBe('fail 503 E');
  });

  test('only with the whole body', () => {
    expect(judge('connect-refused', { ...GET, isReplayable: false })).toBe('fail 503 E');
  });

  test('not in place of one whose errors are ignored: it stays usable', () => {
    expect(judge('connect-refused', { ...GET, ignoresErrors: true })).toBe('fail 503 E');
  });

  test('and not the same again, where it has not gone into error', () => {
    const avoids = (kind: 'response-timeout' | 'connect-refused' | 'member-full', over = {}) =>
      decide({ kind }, GET, { ...POLICY, ...over }).avoidsMember;
    expect(avoids('response-timeout')).toBe(true);
    expect(avoids('member-full')).toBe(true);
    expect(avoids('response-timeout', { failOnTimeout: true })).toBe(false);
    expect(avoids('connect-refused')).toBe(false);
  });
});

describe('failOnStatus', () => {
  const policy = { ...POLICY, failOnStatus: [404, 503] };

  test('puts a member to rest after an answer of that status, and the answer stands', () => {
    expect(decide({ kind: 'answered', status: 404 }, GET, policy)).toMatchObject({ next: 'done', failsMember: true });
    expect(decide({ kind: 'answered', status: 500 }, GET, policy)).toMatchObject({ next: 'done', failsMember: false });
    expect(failsOnStatus(POLICY, 503)).toBe(false);
  });

  test('counts statuses that we made, too', () => {
    expect(judge('closed-before-head', POST, { failOnStatus: [502] })).toBe('fail 502 E');
    expect(judge('response-timeout', POST, { failOnStatus: [504] })).toBe('fail 504 E');
  });

  test('does not blame the member for the body of a request', () => {
    const policy400 = { ...POLICY, failOnStatus: [400] };
    expect(decide({ kind: 'bad-request-body', status: 400 }, GET, policy400)).toMatchObject({
      next: 'fail',
      status: 400,
      failsMember: false,
    });
  });
});

test('failOnTimeout puts to rest a member whose response does not begin in time', () => {
  expect(judge('response-timeout', POST, { failOnTimeout: true })).toBe('fail 504 E');
  expect(judge('response-timeout', GET, { failOnTimeout: true })).toBe('try-next 504 E');
  expect(judge('response-cut', GET, { failOnTimeout: true })).toBe('done 0');
});

test('Differs from httpd: a full member does not go into error', () => {
  expect(judge('member-full')).toBe('try-next 503');
});

test('Differs from httpd: a name that does not resolve sends the request to the next member', () => {
  expect(judge('name-not-resolved')).toBe('try-next 503 E');
});

test('Differs from httpd: a member that dies before it answers costs an idempotent request nothing', () => {
  expect(judge('closed-before-head', GET)).toBe('try-next 502');
  expect(judge('closed-before-head', POST)).toBe('fail 502');
});
