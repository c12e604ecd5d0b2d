// Requests that wait for a free member: those who are let go on at the same moment see each other.
import { expect, test } from 'vitest';
import { until } from '../../helpers/patience.ts';
import { MEMBER_ROW } from '../../helpers/lane-harness.ts';
import { get, ok, stage } from './stage.ts';

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
