// Members that point inwards are not connected to, whatever the way there: address, name, or a name that changes.
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { NOT_ALLOWED } from '../../../src/dataplane/connect-fault.ts';
import { MemberDialler } from '../../../src/dataplane/member-dialler.ts';
import { NameResolver } from '../../../src/dataplane/name-resolver.ts';
import { ownAddresses } from '../../../src/dataplane/network-list.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { MemberGuard } from '../../../src/lib/member-guard.ts';
import type { LaneHarness } from '../../helpers/lane-harness.ts';
import { until } from '../../helpers/patience.ts';
import { get, ok, stageLane, startMember } from './stage.ts';

const GUARDED = { memberGuard: { allowed: [] } };

const WEBSOCKET = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

function refused(lane: LaneHarness): readonly string[] {
  return lane.messages.flatMap((each) => (each.type === 'member-refused' ? [`${each.host} ${each.address}`] : []));
}

test.each([
  ['a plain request', []],
  ['an upgrade', WEBSOCKET],
])('%s is answered with 503, and the member hears nothing', async (_, lines) => {
  const member = await startMember();
  for (const host of ['127.0.0.1', '::ffff:127.0.0.1', 'localhost']) {
    const lane = await stageLane([{ host, port: member.port }], { settings: GUARDED });
    const client = await lane.client();
    for (let turn = 0; turn < 2; turn += 1) {
      const { head, body } = await client.send(get('/', ...lines)).takeMessage();
      expect(head).toMatch(/^HTTP\/1.1 503 /);
      expect(body).not.toContain('127.0.0.1');
    }
    await until(() => refused(lane).length > 0, 'the refusal to be told');
    expect(refused(lane)).toEqual([expect.stringMatching(new RegExp(`^${host} (127.0.0.1|::1|::ffff:127.0.0.1)$`))]);
    expect(lane.member('failed')).toBe(2);
    expect(lane.busy()).toBe(0);
  }
  expect(member.connections).toHaveLength(0);
});

test('what is allowed is connected to, by address and by name', async () => {
  const member = (await startMember()).answerAll(ok('fine'));
  const settings = { memberGuard: { allowed: ['127.0.0.1/32'] } };
  for (const host of ['127.0.0.1', 'localhost']) {
    const lane = await stageLane([{ host, port: member.port }], { settings });
    const client = await lane.client();
    expect((await client.send(get()).takeMessage()).body).toBe('fine');
    expect(refused(lane)).toEqual([]);
  }
});

test('another member serves, and the one that is not allowed rests', async () => {
  const member = (await startMember()).answerAll(ok('fine'));
  const settings = { memberGuard: { allowed: ['127.0.0.1/32'] } };
  const lane = await stageLane([{ host: '127.0.0.2', port: member.port }, member], { settings });
  const client = await lane.client();
  for (let turn = 0; turn < 4; turn += 1) {
    expect((await client.send(get()).takeMessage()).body).toBe('fine');
  }
  expect(lane.member('failed')).toBe(1);
  expect(refused(lane)).toEqual(['127.0.0.2 127.0.0.2']);
});

/** A dialler whose names lead where `answers` says, the last answer for ever. */
function dialler(answers: readonly (readonly string[])[], tell: (host: string, address: string) => void = () => {}) {
  let turn = 0;
  let nowMs = 0;
  const clock = {
    nowMs: () => {
      // Each look-up is long after the one before.
      nowMs += 3_600_000;
      return nowMs;
    },
    wallMs: () => 0,
  };
  const resolver = new NameResolver({
    clock,
    lookUp: (_, done) => {
      const addresses = answers[Math.min(turn, answers.length - 1)]!;
      turn += 1;
      setImmediate(() =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
      );
    },
  });
  return new MemberDialler({ resolver, guard: new MemberGuard(['127.0.0.1'], systemClock, () => []), onRefused: tell });
}

test('a name that comes to point inwards is refused from then on', async () => {
  const member = await startMember();
  const told: string[] = [];
  const rebound = dialler([['127.0.0.1'], ['127.0.0.2']], (...pair) => told.push(pair.join(' ')));
  const options = { host: 'rebound.example', port: member.port };
  const first = rebound.connect(options);
  await once(first, 'connect');
  first.destroy();
  for (let turn = 0; turn < 2; turn += 1) {
    const [error] = await once(rebound.connect(options), 'error').catch((thrown: unknown) => [thrown]);
    expect(error).toMatchObject({ code: NOT_ALLOWED });
  }
  expect(told).toEqual(['rebound.example 127.0.0.2']);
  expect(member.connections).toHaveLength(1);
});

test('of several addresses those are dialled that are allowed', async () => {
  const member = await startMember();
  const socket = dialler([['169.254.169.254', '127.0.0.2', '127.0.0.1', '::1']]).connect({
    host: 'mixed.example',
    port: member.port,
  });
  await once(socket, 'connect');
  expect(socket.remoteAddress).toBe('127.0.0.1');
  socket.destroy();
});

test('the addresses of this machine are known', () => {
  const guard = new MemberGuard(['127.0.0.0/8', '::1', 'fe80::/10'], systemClock, ownAddresses);
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  for (const { address, internal } of own) {
    if (!address.startsWith('fe80')) expect(guard.refuses(address)).toBe(!internal);
  }
  expect(ownAddresses()).toContain('127.0.0.1');
});
