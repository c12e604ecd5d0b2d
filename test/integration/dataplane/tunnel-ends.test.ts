// How a WebSocket through the lane ends: whoever ends it, both sides hear of it, and nothing is left behind.
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import { get, stage } from './stage.ts';
import { ASK, SWITCH, tunnel } from './stage-tunnel.ts';

const PIECE = Buffer.alloc(32_768);

test('a tunnel that rests for too long is cut', async () => {
  const { lane, member } = await stage({ timeouts: { tunnelMs: 150, bodyMs: 60_000 } });
  const { client, attempt } = await tunnel(lane, member);
  expect(lane.busy()).toBe(1);
  await client.gone();
  await attempt.gone();
  await lane.settled();
  expect(lane.member('failed')).toBe(0);
});

test('a tunnel of which one side is closed need not rest as long', async () => {
  const { lane, member } = await stage({ timeouts: { tunnelMs: 60_000, bodyMs: 150 } });
  const { client, attempt } = await tunnel(lane, member);
  attempt.end();
  await client.ended();
  await lane.settled();
});

test('the end of one side reaches the other, which may still speak', async () => {
  const { lane, member } = await stage();
  const first = await tunnel(lane, member);
  first.client.end();
  await first.attempt.ended();
  first.attempt.send('last words').end();
  expect(await first.client.ended()).toBe('last words');
  await lane.settled();
  const second = await tunnel(lane, member);
  second.attempt.send('bye').end();
  expect(await second.client.ended()).toBe('bye');
  second.client.send('answer').end();
  expect(await second.attempt.ended()).toBe('answer');
  await lane.settled();
  expect(lane.counts).toEqual({ responses: 2, own: 0, durations: 2 });
});

test.each(['client', 'attempt'] as const)('a reset of the %s reaches the other side', async (who) => {
  const { lane, member } = await stage();
  const ends = await tunnel(lane, member);
  const other = who === 'client' ? ends.attempt : ends.client;
  ends[who].reset();
  await until(() => other.isClosed, 'the other side to be reset');
  expect(other.error).toBe('ECONNRESET');
  await lane.settled();
});

test('a tunnel lives through stopping, and ends when the lane is closed', async () => {
  const { lane, member } = await stage();
  const { client, attempt } = await tunnel(lane, member);
  lane.post({ type: 'stop-accepting' });
  client.send('still there');
  await attempt.take('still there');
  lane.post({ type: 'close' });
  await client.gone();
  await attempt.gone();
  await lane.settled();
  expect(lane.counts.durations).toBe(1);
});

test('a client that takes nothing any more is cut, though its member is gone already', async () => {
  const { lane, member } = await stage({ timeouts: { tunnelMs: 60_000, bodyMs: 1_000 } });
  const { client, attempt } = await tunnel(lane, member);
  client.stopReading();
  const before = lane.member('received');
  // Small ones, so that the lane has read all of them: the first that is not passed on waits behind the one that is stuck.
  for (let sent = PIECE.length, isPassedOn = true; isPassedOn; sent += PIECE.length) {
    attempt.send(PIECE);
    isPassedOn = await until(() => lane.member('received') - before === sent, 'a piece', 1_000).then(
      () => true,
      () => false,
    );
  }
  client.end();
  await attempt.ended();
  attempt.end();
  await attempt.gone();
  expect(lane.busy()).toBe(1);
  await lane.settled();
  client.startReading();
  await client.gone();
  expect(lane.counts).toEqual({ responses: 1, own: 0, durations: 1 });
});

test('the end of a client that comes before the 101 reaches the member', async () => {
  const { lane, member } = await stage({ timeouts: { tunnelMs: 60_000, bodyMs: 150 } });
  for (const early of ['', 'early']) {
    const client = await lane.client();
    client.send(`${get('/', ...ASK)}${early}`).end();
    const attempt = await member.next();
    await attempt.takeMessage();
    // The lane has read the end by then.
    const other = await lane.client();
    other.send(get('/', 'Host: twice'));
    await other.gone();
    attempt.send(SWITCH);
    expect(await attempt.ended()).toBe(early);
    // It need not say anything for the tunnel to be over soon.
    await lane.settled();
  }
});
