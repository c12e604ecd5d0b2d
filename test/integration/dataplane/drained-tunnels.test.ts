// What becomes of open WebSockets when the drain of their member is over.
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import type { RawMember } from '../../helpers/raw-member.ts';
import { get, ok, stage } from './stage.ts';
import { ASK, SWITCH, tunnel } from './stage-tunnel.ts';

const draining = ({ port }: RawMember) => ({ port, state: 'Draining' }) as const;
const drained = ({ port }: RawMember) => ({ port, state: 'Drained' }) as const;

test('they are closed, the member first; plain requests are finished', async () => {
  const { lane, member } = await stage();
  const { client, attempt } = await tunnel(lane, member);
  const plain = await lane.client();
  plain.send(get());
  const plainAttempt = await member.next();
  await plainAttempt.takeMessage();
  client.send('before');
  await attempt.take('before');
  await lane.publish([drained(member)]);
  expect(await attempt.ended()).toBe('');
  expect(client.hasEnded).toBe(false);
  client.send('too late');
  attempt.send('last words').end();
  expect(await client.ended()).toBe('last words');
  client.end();
  await until(() => client.isClosed && attempt.isClosed, 'both to be closed');
  expect([client.error, attempt.error, attempt.text]).toEqual(['', '', '']);
  await until(() => lane.busy() === 1, 'only the plain request to be under way');
  plainAttempt.send(ok('whole'));
  expect((await plain.takeMessage()).body).toBe('whole');
  await lane.settled();
  expect(lane.counts).toEqual({ responses: 2, own: 0, durations: 2 });
  expect([lane.member('responses', 0, 1), lane.member('failed')]).toEqual([1, 0]);
});

test('while a member drains, and once it is gone, they go on; and so do those of others', async () => {
  const { lane, members } = await stage({}, 3);
  const tunnels = [];
  for (const member of members) {
    tunnels.push(await tunnel(lane, member));
  }
  const [first, second, third] = members as [RawMember, RawMember, RawMember];
  await lane.publish([draining(first), second, drained(third)]);
  await lane.publish([draining(first)]);
  await tunnels[2]!.attempt.ended();
  for (const { client, attempt } of tunnels.slice(0, 2)) {
    client.send('question');
    await attempt.take('question');
    attempt.send('answer');
    await client.take('answer');
  }
});

test.each(['says nothing', 'goes on speaking'])('a member that does not end its side but %s is left', async (what) => {
  const { lane, member } = await stage({ laneLimits: { lingerMs: 100 } });
  const { client, attempt } = await tunnel(lane, member);
  client.countOnly();
  const speak = (): void => {
    if (attempt.isClosed) return;
    attempt.send('x');
    setTimeout(speak, 10);
  };
  if (what === 'goes on speaking') speak();
  await lane.publish([drained(member)]);
  await attempt.ended();
  await client.ended();
  client.end();
  await until(() => client.isClosed, 'the client to be closed');
  expect(client.error).toBe('');
  await lane.settled();
  // Its own end would not tell it: only what it says to nobody does.
  await until(() => attempt.send('x').isClosed, 'the member to notice');
});

test('a member that resets its side does not have its client reset', async () => {
  const { lane, member } = await stage();
  const { client, attempt } = await tunnel(lane, member);
  await lane.publish([drained(member)]);
  await attempt.ended();
  attempt.reset();
  await client.ended();
  client.end();
  await until(() => client.isClosed, 'the client to be closed');
  expect(client.error).toBe('');
  await lane.settled();
});

test('one that is opened when the drain is over already is closed at once', async () => {
  const { lane, member } = await stage();
  const client = await lane.client();
  client.send(get('/', ...ASK));
  const attempt = await member.next();
  await attempt.takeMessage();
  await lane.publish([drained(member)]);
  attempt.send(SWITCH);
  await client.take('101 Switching Protocols');
  await attempt.ended();
  attempt.end();
  await client.ended();
  await lane.settled();
});
