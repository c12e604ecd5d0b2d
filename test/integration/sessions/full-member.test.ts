// A session whose member is there, but has as many requests under way as it may have.
import { expect, test } from 'vitest';
import { SESSION_VERDICTS } from '../../../src/scoreboard/layout.ts';
import type { SessionUnit } from '../../../src/snapshot/session-unit.ts';
import { BALANCER_ROW } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import { get, ok, stage } from '../dataplane/stage.ts';

/** From one look after those who wait to the next, if nothing happens. Milliseconds. */
const LOOK_MS = 100;
const OTHERS = 20;
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

test.each(['Redispatch', 'Reject'] as const)(
  'where requests wait, it waits for its own member: %s',
  async (onMemberDown) => {
    const { lane, members } = await stage(
      { session: { ...session, onMemberDown }, limits: { maxConnectionsPerMember: 1 }, timeouts: { waitMs: 6_000 } },
      2,
    );
    const first = await lane.client();
    first.send(get());
    await until(() => members.some(({ connections }) => connections.length === 1), 'the first request');
    const home = members.find(({ connections }) => connections.length === 1)!;
    const attempt = await home.next();
    await attempt.takeMessage();
    attempt.send(ok('', 'Set-Cookie: sid=v'));
    const { head } = await first.takeMessage();
    const cookie = `Cookie: ${/sid=[^\r;]*/.exec(head)![0]}`;
    // Two requests of one session at the same time.
    first.send(get('/slow', cookie));
    expect((await attempt.takeMessage()).head).toContain('/slow');
    const second = await lane.client();
    second.send(get('/second', cookie));
    await until(
      () => lane.scoreboard.balancerSum('sessions', BALANCER_ROW, VALID) === 2,
      'the second request to be read',
    );
    // Others need not wait for that one, not even for the next time that somebody looks after those who wait.
    const other = members.find((member) => member !== home)!.answerAll(ok('elsewhere'));
    const third = await lane.client();
    const tookMs: number[] = [];
    for (let i = 0; i < OTHERS; i += 1) {
      const startMs = performance.now();
      third.send(get('/third'));
      expect((await third.takeMessage()).body).toBe('elsewhere');
      tookMs.push(performance.now() - startMs);
    }
    const median = tookMs.sort((a, b) => a - b)[OTHERS / 2];
    expect(median).toBeLessThan((LOOK_MS * 3) / 5);
    expect(other.connections).toHaveLength(1);
    attempt.send(ok('slow'));
    expect((await first.takeMessage()).body).toBe('slow');
    expect((await attempt.takeMessage()).head).toContain('/second');
    attempt.send(ok('second'));
    expect((await second.takeMessage()).body).toBe('second');
  },
);

test('it gets its own member although others came before, who may not have that one', async () => {
  const options = { session, limits: { maxConnectionsPerMember: 1 }, timeouts: { waitMs: 10_000 } };
  const { lane, members } = await stage(options, 2);
  const clients = await Promise.all(Array.from({ length: 4 }, () => lane.client()));
  const [slow, busy, anywhere, back] = clients;
  slow!.send(get());
  await until(() => members.some(({ connections }) => connections.length === 1), 'the first request');
  const [home, away] = members[0]!.connections.length === 1 ? members : members.toReversed();
  const atHome = await home!.next();
  await atHome.takeMessage();
  atHome.send(ok('', 'Set-Cookie: sid=v'));
  const cookie = `Cookie: ${/sid=[^\r;]*/.exec((await slow!.takeMessage()).head)![0]}`;
  await lane.publish(members.map(({ port }) => ({ port, state: port === home!.port ? 'Draining' : 'Enabled' })));
  slow!.send(get('/slow', cookie));
  await atHome.takeMessage();
  busy!.send(get('/busy'));
  const elsewhere = await away!.next();
  await elsewhere.takeMessage();
  anywhere!.send(get('/anywhere'));
  const probe = await lane.client();
  probe.send('GET / HTTP/1.1\r\n\r\n');
  await probe.takeMessage();
  back!.send(get('/back', cookie));
  await until(() => lane.scoreboard.balancerSum('sessions', BALANCER_ROW, VALID) === 2, 'the session to be back');
  atHome.send(ok('slow'));
  expect((await atHome.takeMessage()).head).toContain('/back');
  atHome.send(ok('back'));
  expect((await back!.takeMessage()).body).toBe('back');
  elsewhere.send(ok('busy'));
  expect((await elsewhere.takeMessage()).head).toContain('/anywhere');
  elsewhere.send(ok('anywhere'));
  expect((await anywhere!.takeMessage()).body).toBe('anywhere');
});
