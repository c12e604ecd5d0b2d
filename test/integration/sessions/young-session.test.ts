// A session that another replica began a moment ago, on a member of which this one has not heard yet.
import { expect, test } from 'vitest';
import { compileSession } from '../../../src/balancer/sessions/compiled-session.ts';
import { routeHash } from '../../../src/balancer/sessions/route-hash.ts';
import { issueToken } from '../../../src/balancer/sessions/token-issue.ts';
import { SESSION_VERDICTS } from '../../../src/scoreboard/layout.ts';
import type { SessionUnit } from '../../../src/snapshot/session-unit.ts';
import { BALANCER_ROW } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import type { RawMember } from '../../helpers/raw-member.ts';
import { get, ok, stageLane, startMember } from '../dataplane/stage.ts';

const VALID = SESSION_VERDICTS.indexOf('valid');
const session: SessionUnit = {
  strategy: 'Suffix',
  cookie: 'sid',
  header: null,
  urlParameter: null,
  separator: '.',
  attributes: null,
  signing: null,
  onMemberDown: 'Redispatch',
  rejectStatus: 503,
  informsMember: false,
};
/** Longer than any of these tests has patience: who waits in vain fails it. */
const patient = { laneLimits: { newsWaitMs: 60_000 } };

/** A session of the member m1, begun so long ago. */
function sessionOf(ageMs: number): string {
  const compiled = compileSession(session, 'test/app', [], null);
  return get('/', `Cookie: sid=v.${issueToken(compiled, routeHash('test/app', 'm1'), Date.now() - ageMs, 'v')}`);
}

async function twoMembers(): Promise<readonly [RawMember, RawMember]> {
  const known = (await startMember()).answerAll(ok('known'));
  const news = (await startMember()).answerAll(ok('news'));
  return [known, news];
}

test('it waits for the publication, and goes to its member then', async () => {
  const [known, news] = await twoMembers();
  const lane = await stageLane([known], { session, ...patient });
  const client = await lane.client();
  client.send(sessionOf(2_000));
  await until(() => lane.scoreboard.balancerSum('sessions', BALANCER_ROW, VALID) === 1, 'the session to be read');
  // A change that does not help does not end the wait.
  await lane.publish([{ port: known.port, factor: 200 }]);
  expect(client.text).toBe('');
  await lane.publish([known, news]);
  expect((await client.takeMessage()).body).toBe('news');
  expect(known.connections).toEqual([]);
});

test('without news it goes elsewhere after half a second', async () => {
  const [known] = await twoMembers();
  const lane = await stageLane([known], { session });
  const client = await lane.client();
  const startMs = performance.now();
  client.send(sessionOf(2_000));
  expect((await client.takeMessage()).body).toBe('known');
  expect(performance.now() - startMs).toBeGreaterThan(480);
});

test('an older one goes elsewhere at once', async () => {
  const [known] = await twoMembers();
  const lane = await stageLane([known], { session, ...patient });
  const client = await lane.client();
  client.send(sessionOf(11_000));
  expect((await client.takeMessage()).body).toBe('known');
});

test('Reject, too, waits before it refuses, and does not say that the session is over', async () => {
  const [known, news] = await twoMembers();
  const reject: SessionUnit = { ...session, onMemberDown: 'Reject', rejectStatus: 410 };
  const hasty = await (await stageLane([known], { session: reject })).client();
  hasty.send(sessionOf(2_000));
  expect((await hasty.takeMessage()).head).toMatch(/^HTTP\/1.1 503 /);

  const lane = await stageLane([known], { session: reject, ...patient });
  const client = await lane.client();
  client.send(sessionOf(11_000));
  expect((await client.takeMessage()).head).toMatch(/^HTTP\/1.1 410 /);
  client.send(sessionOf(2_000));
  await until(() => lane.scoreboard.balancerSum('sessions', BALANCER_ROW, VALID) === 2, 'the session to be read');
  await lane.publish([known, news]);
  expect((await client.takeMessage()).body).toBe('news');
  expect(known.connections).toEqual([]);
});

test('a young session whose member was known here and is gone does not wait', async () => {
  const [known, news] = await twoMembers();
  const lane = await stageLane([known, news], { session, ...patient });
  await lane.publish([known]);
  const client = await lane.client();
  client.send(sessionOf(2_000));
  expect((await client.takeMessage()).body).toBe('known');
});

test('what the member sets that answers instead does not reach the client of a young session', async () => {
  const known = (await startMember()).answerAll(ok('known', 'Set-Cookie: sid=another', 'Set-Cookie: theme=dark'));
  const lane = await stageLane([known], { session });
  const client = await lane.client();
  client.send(sessionOf(2_000));
  const young = (await client.takeMessage()).head;
  expect(young).not.toMatch(/set-cookie: sid/i);
  expect(young).toMatch(/set-cookie: theme=dark/i);
  client.send(sessionOf(11_000));
  expect((await client.takeMessage()).head).toMatch(/set-cookie: sid=another\.[a-z0-9]{34}/i);
});
