// Answers that explain themselves over real sockets: who may ask, what is told, and that nobody else notices.
import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { SessionUnit } from '../../../src/snapshot/session-unit.ts';
import { CLOSED_PORT, type HarnessOptions, type LaneHarness } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import type { RawMember } from '../../helpers/raw-member.ts';
import { get, ok, request, stageLane, startMember } from './stage.ts';

const secret = 'a-secret-of-many-signs';
const digestOf = (text: string): string => hash('sha256', text, 'hex');
const ASK = `X-Evenkeel-Explain: ${secret}`;

const route: SessionUnit = {
  strategy: 'Route',
  cookie: 'SID',
  header: null,
  urlParameter: null,
  separator: '.',
  attributes: null,
  signing: null,
  onMemberDown: 'Redispatch',
  rejectStatus: 503,
  informsMember: false,
};

const rules = [{ host: '*.example', pathType: 'Prefix', path: '/app', balancer: 'test/app' } as const];

async function twoMembers(): Promise<readonly [RawMember, RawMember]> {
  return [(await startMember()).answerAll(ok('0')), (await startMember()).answerAll(ok('1'))];
}

function explaining(options: HarnessOptions = {}): HarnessOptions {
  return { rules, ...options, settings: { explainDigest: digestOf(secret) } };
}

/** What the answer to this request says of itself; '' for nothing. */
async function explained(lane: LaneHarness, asked: string): Promise<string> {
  const client = await lane.client();
  client.send(asked);
  const { head } = await client.takeMessage(!asked.startsWith('HEAD'));
  const found = [...head.matchAll(/^X-Evenkeel-Explain: (.*)\r$/gim)].map(([, text]) => text!);
  expect(found.length).toBeLessThan(2);
  return found[0] ?? '';
}

const RULE = 'rule="*.example Prefix /app"; balancer=test/app; ';

test('the method is named where it elected', async () => {
  const lane = await stageLane(await twoMembers(), explaining());
  expect(await explained(lane, get('/app', ASK))).toBe(
    `${RULE}session=none; member=member-0; reason=byrequests; attempts=1`,
  );
  expect(await explained(lane, get('/app', ASK))).toContain('; member=member-1; ');
});

test('the session is named where it decided', async () => {
  const lane = await stageLane(await twoMembers(), explaining({ session: route }));
  for (let i = 0; i < 3; i += 1) {
    expect(await explained(lane, get('/app', ASK, 'Cookie: SID=x.m1'))).toBe(
      `${RULE}session=cookie; verdict=valid; route=m1; member=member-1; reason=session; attempts=1`,
    );
  }
  expect(await explained(lane, get('/app', ASK, 'Cookie: SID=x.gone'))).toBe(
    `${RULE}session=cookie; verdict=valid; route=gone; member=member-0; reason=byrequests; attempts=1`,
  );
  expect(await explained(lane, get('/app', ASK))).toContain('; session=none; member=member-');
});

test('a session that was moved says so', async () => {
  const [first, second] = await twoMembers();
  const members = [{ port: first.port, state: 'Disabled', redirect: 'm1' } as const, { port: second.port }];
  const lane = await stageLane(members, explaining({ session: route }));
  expect(await explained(lane, get('/app', ASK, 'Cookie: SID=x.m0'))).toMatch(
    /; route=m0; member=member-1; reason=session-moved; attempts=1$/,
  );
});

test('a failover names who failed, and why', async () => {
  const [, alive] = await twoMembers();
  const lane = await stageLane([CLOSED_PORT, alive], explaining({ session: route }));
  expect(await explained(lane, get('/app', ASK, 'Cookie: SID=x.m0'))).toBe(
    `${RULE}session=cookie; verdict=valid; route=m0; member=member-1; reason=byrequests; attempts=2; ` +
      'failed=member-0:connect-refused',
  );
});

test.each([
  ['no rule', get('/elsewhere', ASK), 404, 'rule=none; session=none; member=none; reason=no-rule; attempts=0'],
  [
    'no rule, HEAD',
    request('HEAD / HTTP/1.1', 'Host: a.b', ASK),
    404,
    'rule=none; session=none; member=none; reason=no-rule; attempts=0',
  ],
  [
    'a path that cannot be read',
    get('/%zz', ASK),
    400,
    'rule=none; session=none; member=none; reason=bad-path; attempts=0',
  ],
  [
    'every member dead',
    get('/app', ASK),
    503,
    `${RULE}session=none; member=none; reason=connect-refused; attempts=2; failed="member-0:connect-refused,member-1:connect-refused"`,
  ],
])('%s is explained', async (_, asked, status, expected) => {
  const lane = await stageLane([CLOSED_PORT, CLOSED_PORT], explaining());
  expect(await explained(lane, asked)).toBe(expected);
  const client = await lane.client();
  client.send(asked);
  expect((await client.takeMessage(!asked.startsWith('HEAD'))).head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
});

test('a session that is rejected is explained', async () => {
  const [first, second] = await twoMembers();
  const members = [{ port: first.port, state: 'Disabled' } as const, { port: second.port }];
  const session: SessionUnit = { ...route, onMemberDown: 'Reject', rejectStatus: 410 };
  const lane = await stageLane(members, explaining({ session }));
  expect(await explained(lane, get('/app', ASK, 'Cookie: SID=x.m0'))).toBe(
    `${RULE}session=cookie; verdict=valid; route=m0; member=none; reason=session-gone; attempts=0`,
  );
});

test('nobody else notices: without the secret, or with a wrong one, answers are the same to the byte', async () => {
  const seen: string[] = [];
  const member = (await startMember()).answerAll((head) => {
    seen.push(head);
    return ok('0', 'X-Evenkeel-Explain: the word of a member');
  });
  const lane = await stageLane([member], explaining({ session: route }));
  const silent = await stageLane([member], { rules, session: route });
  const asks = [[], [`${ASK}x`], ['X-Evenkeel-Explain: '], [`X_Evenkeel_Explain: ${secret}`]];
  for (const target of ['/app', '/elsewhere']) {
    const answers = new Set<string>();
    for (const each of [lane, silent]) {
      for (const lines of asks) {
        const client = await each.client();
        client.send(get(target, ...lines, 'Cookie: SID=x.m0'));
        const { head, body } = await client.takeMessage();
        answers.add(head.replace(/^Date: .*$/m, '') + body);
      }
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).not.toMatch(/explain|member-/i);
  }
  expect(await explained(silent, get('/app', ASK))).toBe('');
  expect(await explained(lane, get('/app', ASK))).toContain('member=member-0');
  expect(seen).toHaveLength(10);
  for (const head of seen) expect(head).not.toMatch(/explain/i);
});

test('another secret holds from the next request on, and the one before no longer', async () => {
  const [member] = await twoMembers();
  const lane = await stageLane([member], { rules });
  expect(await explained(lane, get('/app', ASK))).toBe('');
  lane.post({ type: 'explain', digest: digestOf(secret) });
  await until(() => lane.messages.length > 0, 'the lane');
  expect(await explained(lane, get('/app', ASK))).not.toBe('');
  lane.post({ type: 'explain', digest: digestOf('another-secret-of-many') });
  expect(await explained(lane, get('/app', ASK))).toBe('');
  expect(await explained(lane, get('/app', 'X-Evenkeel-Explain: another-secret-of-many'))).not.toBe('');
});

test('TRACE does not show the secret to whoever made a browser send it', async () => {
  const [member] = await twoMembers();
  const lane = await stageLane([member], explaining());
  const client = await lane.client();
  client.send(request('TRACE /app HTTP/1.1', 'Host: a.example', 'Max-Forwards: 0', ASK));
  const { body } = await client.takeMessage();
  expect(body).toContain('Host: a.example');
  expect(body).not.toContain(secret);
});
