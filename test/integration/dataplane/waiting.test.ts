// Requests that wait for a free member: those who are let go on at the same moment see each other.
import { expect, onTestFinished, test, vi } from 'vitest';
import { RequestBody } from '../../../src/dataplane/request-body.ts';
import { until } from '../../helpers/patience.ts';
import { MEMBER_ROW } from '../../helpers/lane-harness.ts';
import { get, ok, request, stage } from './stage.ts';

test('one place that becomes free is given to one of many that wait', async () => {
  const { lane, members } = await stage({ limits: { maxConnectionsPerMember: 1 }, timeouts: { waitMs: 10_000 } }, 1);
  const [member] = members;
  const clients = await Promise.all(Array.from({ length: 4 }, () => lane.client()));
  const [first, ...others] = clients;
  first!.send(get('/first'));
  const attempt = await member!.next();
  await attempt.takeMessage();
  for (const client of others) client.send(get('/waits'));
  // All of them are in the room once a fifth one, which asks for nothing that is busy, has been answered by us.
  const probe = await lane.client();
  probe.send('GET / HTTP/1.1\r\n\r\n');
  await probe.takeMessage();
  for (let served = 0; served < others.length; served += 1) {
    attempt.send(ok('done'));
    await attempt.takeMessage();
    // The next one came over the connection that has become free; nobody else went anywhere.
    expect(member!.connections).toHaveLength(1);
  }
  attempt.send(ok('done'));
  for (const client of clients) expect((await client.takeMessage()).body).toBe('done');
  await until(() => lane.busy() === 0, 'nothing to be busy');
});

test('who waits for another member than the one that failed it still does when the members have changed places', async () => {
  const options = { limits: { maxConnectionsPerMember: 1 }, timeouts: { waitMs: 10_000 } };
  const { lane, members } = await stage(options, 2);
  const [one, other] = members;
  const clients = [await lane.client(), await lane.client()];
  clients[0]!.send(get('/first'));
  clients[1]!.send(get('/second'));
  const failing = await one!.next();
  const busy = await other!.next();
  await busy.takeMessage();
  const { head } = await failing.takeMessage();
  const [waiting, served] = head.includes('/first') ? clients : clients.toReversed();
  // This costs the member no rest: only this request goes elsewhere, and waits for that.
  failing.end();
  await lane.settled(0);
  await lane.publish([other!, one!], { memberRows: [MEMBER_ROW + 1, MEMBER_ROW] });
  busy.send(ok('served'));
  expect((await served!.takeMessage()).body).toBe('served');
  await busy.takeMessage();
  busy.send(ok('other'));
  expect((await waiting!.takeMessage()).body).toBe('other');
  expect(one!.connections).toHaveLength(1);
});

test('what waits holds no more of bodies than the lane may, and gets all of them through in the end', async () => {
  const SIZE = 5_000_000;
  const MOST_READ_AT_ONCE = 65_536;
  const feed = vi.spyOn(RequestBody.prototype, 'feed');
  onTestFinished(() => feed.mockRestore());
  const read = (): number => feed.mock.calls.reduce((sum, [chunk]) => sum + chunk.length, 0);
  const { lane, member } = await stage({
    limits: { maxConnectionsPerMember: 1 },
    timeouts: { waitMs: 20_000 },
    laneLimits: { maxReplayBytes: 2 * SIZE, maxReplayBytesInAll: 1_000 },
  });
  const busy = await lane.client();
  busy.send(get());
  const attempt = await member.next();
  await attempt.takeMessage();
  const clients = [await lane.client(), await lane.client()];
  for (const client of clients) {
    client.send(request('PUT / HTTP/1.1', 'Host: a', `Content-Length: ${SIZE}`)).send(Buffer.alloc(SIZE, 'a'));
  }
  let before = 0;
  await until(() => {
    const now = read();
    const isStill = now > 0 && now === before;
    before = now;
    return isStill;
  }, 'the lane to stop reading');
  expect(read()).toBeLessThanOrEqual(clients.length * MOST_READ_AT_ONCE);
  for (const _ of clients) {
    attempt.send(ok('done'));
    await attempt.take('\r\n\r\n');
    await attempt.takeBytes(SIZE);
  }
  attempt.send(ok('done'));
  for (const client of [busy, ...clients]) expect((await client.takeMessage()).body).toBe('done');
});
