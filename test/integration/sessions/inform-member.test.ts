// Members that are told of the session in headers, over real sockets.
import { expect, test } from 'vitest';
import type { SessionUnit } from '../../../src/snapshot/session-unit.ts';
import { CLOSED_PORT } from '../../helpers/lane-harness.ts';
import { get, ok, stageLane, startMember } from '../dataplane/stage.ts';

const session: SessionUnit = {
  strategy: 'Suffix',
  cookie: 'SID',
  header: null,
  urlParameter: null,
  separator: '.',
  attributes: null,
  signing: null,
  onMemberDown: 'Redispatch',
  rejectStatus: 503,
  informsMember: true,
};

/** A member that sets the cookie, and the X-Balancer-* lines of the heads that it got. */
async function listening() {
  const told: (readonly string[])[] = [];
  const heads: string[] = [];
  const member = (await startMember()).answerAll((head) => {
    heads.push(head);
    told.push(head.split('\r\n').filter((line) => /^x[-_]balancer/i.test(line)));
    return ok('x', 'Set-Cookie: SID=v');
  });
  return { member, told, heads };
}

test('a member is told of new and kept sessions, and sees its own cookie', async () => {
  const { member, told, heads } = await listening();
  const lane = await stageLane([member], { session });
  const client = await lane.client();
  client.send(get('/', 'X-Balancer-Name: forged', 'x_balancer_session_route: forged'));
  const { head } = await client.takeMessage();
  const names = ['X-Balancer-Name: test/app', 'X-Balancer-Member: member-0', 'X-Balancer-Member-Route: m0'];
  expect(told[0]).toEqual([...names, 'X-Balancer-Session-Source: none', 'X-Balancer-Route-Changed: 1']);
  const cookie = /^Set-Cookie: (.*)\r$/m.exec(head)![1]!;
  client.send(get('/', `Cookie: ${cookie}`));
  await client.takeMessage();
  expect(told[1]).toEqual([...names, 'X-Balancer-Session-Source: cookie', 'X-Balancer-Session-Route: m0']);
  expect(heads[1]).toContain('Cookie: SID=v\r\n');
});

test('after a failover it is told of itself', async () => {
  const { member, told } = await listening();
  const lane = await stageLane([CLOSED_PORT, member], { session: { ...session, strategy: 'Route' } });
  const client = await lane.client();
  client.send(get('/', 'Cookie: SID=v.m0'));
  await client.takeMessage();
  expect(told).toEqual([
    [
      'X-Balancer-Name: test/app',
      'X-Balancer-Member: member-1',
      'X-Balancer-Member-Route: m1',
      'X-Balancer-Session-Source: cookie',
      'X-Balancer-Session-Route: m0',
      'X-Balancer-Route-Changed: 1',
    ],
  ]);
});

test('nobody is told who was not meant to be, least of all by a client', async () => {
  const { member, told } = await listening();
  const silent = await stageLane([member], { session: { ...session, informsMember: false } });
  const plain = await stageLane([member], {});
  for (const lane of [silent, plain]) {
    const client = await lane.client();
    client.send(get('/', 'X-Balancer-Name: forged', 'X_Balancer_Route_Changed: 1'));
    await client.takeMessage();
  }
  expect(told).toEqual([[], []]);
});
