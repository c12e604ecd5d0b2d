// Load reports over real sockets of loopback: what the listeners take and refuse, and the whole product electing by them.
import { networkInterfaces } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ListenAddress } from '../../src/control/heartbeat/listen-address.ts';
import { ReportFeeds } from '../../src/control/heartbeat/report-feeds.ts';
import { Publisher } from '../../src/control/publisher.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ControlScoreboard } from '../../src/scoreboard/control-side.ts';
import { allocateScoreboard } from '../../src/scoreboard/layout.ts';
import { startEvenkeel } from '../helpers/evenkeel-process.ts';
import { eventually, until } from '../helpers/patience.ts';
import { balancer, member, RecordedLog, snapshotOf } from '../unit/control/fixtures.ts';
import { exchange, multicastFault, overLoopback, send, startSender } from './heartbeat-senders.ts';
import { get, getInTurn } from './product/client.ts';
import { balancerOf, Configuration } from './product/configuration.ts';
import { startMembers } from './product/named-member.ts';
import { Scrape } from './product/scrape.ts';

const hasIPv6 = Object.values(networkInterfaces()).some((all = []) => all.some(({ address }) => address === '::1'));
const anyPort = (host: string): ListenAddress => ({ host, port: 0 });
const REPORT = 'v=1&ready=5&busy=2';

/** Listeners for members at these hosts; the first has row 1. Closed when the test ends. */
async function startFeeds(ways: Partial<Record<'udp' | 'http', ListenAddress>>, hosts = ['127.0.0.1']) {
  const scoreboard = new ControlScoreboard(allocateScoreboard(9, 9, 1));
  const publisher = new Publisher(scoreboard, { send: () => {} });
  const publish = (members: readonly string[]): void => {
    const unit = balancer(
      'app',
      members.map((host, index) => member(`${host}-${index}`, { host, port: 8080 + index })),
    );
    publisher.publish(snapshotOf({ ...unit, lbMethod: 'heartbeat' }));
  };
  publish(hosts);
  const { shared } = scoreboard;
  const log = new RecordedLog();
  const feeds = new ReportFeeds({ udp: null, http: null, ...ways, publisher, shared, clock: systemClock, log });
  onTestFinished(() => feeds.close());
  const ports = await feeds.listen();
  const count = (result: string): number =>
    feeds.counts().reduce((sum, each) => sum + (each.result === result ? each.count : 0), 0);
  const counted = (result: string, times = 1): Promise<void> =>
    until(
      () => count(result) === times,
      () => `${times} × ${result} among ${JSON.stringify(feeds.counts())}`,
    );
  return { feeds, shared, publish, log, count, counted, udpPort: ports.get('udp')!, httpPort: ports.get('http')! };
}

describe('datagrams', () => {
  test('of a member are written down', async () => {
    const { shared, udpPort, counted } = await startFeeds({ udp: anyPort('127.0.0.1') });
    const sendTo = await startSender();
    await sendTo(udpPort, REPORT);
    await counted('taken');
    expect([shared.reportedReady[1], shared.reportedBusy[1]]).toEqual([5, 2]);
    expect(Math.abs(shared.reportedAtS[1]! - 1 - systemClock.nowMs() / 1000)).toBeLessThan(10);
  });

  test('of strangers and bad ones are counted by what is wrong, and change nothing', async () => {
    const { shared, udpPort, publish, counted, log } = await startFeeds({ udp: anyPort('127.0.0.1') }, ['127.0.0.9']);
    const sendTo = await startSender();
    await sendTo(udpPort, REPORT);
    await counted('unknown_sender');
    publish(['127.0.0.1', '127.0.0.1']);
    for (const text of ['', 'v=1&ready=5', Buffer.from([0xff, 0, 0xfe])]) await sendTo(udpPort, text);
    await counted('malformed', 3);
    await sendTo(udpPort, `${REPORT}&x=${'y'.repeat(983)}`);
    await counted('too_long');
    await sendTo(udpPort, `${REPORT}&port=9`);
    await counted('unknown_port');
    expect(shared.reportedAtS.every((cell) => cell === 0)).toBe(true);
    expect(log.take().filter((line) => line.startsWith('warn'))).toHaveLength(4);
  });

  test('are read up to 1,000 bytes, as by httpd', async () => {
    const { udpPort, counted } = await startFeeds({ udp: anyPort('127.0.0.1') });
    const sendTo = await startSender();
    const text = `${REPORT}&x=`.padEnd(1000, 'y');
    await sendTo(udpPort, text);
    await counted('taken');
    await sendTo(udpPort, `${text}y`);
    await counted('too_long');
  });

  test('name the member by its port where several share an address', async () => {
    const { shared, udpPort, counted } = await startFeeds({ udp: anyPort('0.0.0.0') }, ['127.0.0.1', '127.0.0.1']);
    const sendTo = await startSender();
    await sendTo(udpPort, REPORT);
    await counted('taken');
    await sendTo(udpPort, 'v=1&ready=9&busy=1&port=8081');
    await counted('taken', 2);
    expect([...shared.reportedReady.subarray(0, 4)]).toEqual([0, 5, 9, 0]);
  });

  test.skipIf(!hasIPv6)('over IPv4 reach a socket of IPv6', async () => {
    const { shared, udpPort, counted } = await startFeeds({ udp: anyPort('::') }, ['127.0.0.1', '::1']);
    const [four, six] = [await startSender('127.0.0.1'), await startSender('::1')];
    await four(udpPort, REPORT);
    await six(udpPort, 'v=1&ready=8&busy=2');
    await counted('taken', 2);
    expect([...shared.reportedReady.subarray(0, 4)]).toEqual([0, 5, 8, 0]);
  });

  test('to a multicast group arrive', async ({ skip }) => {
    const group = '239.255.77.77';
    const fault = await multicastFault(group);
    if (fault !== null) {
      console.warn(`load reports by multicast are NOT TESTED: ${fault}`);
      skip();
    }
    const { udpPort, counted, shared } = await startFeeds({ udp: anyPort(group) });
    const sendTo = await startSender('127.0.0.1', overLoopback);
    await sendTo(udpPort, REPORT, group);
    await counted('taken');
    expect(shared.reportedReady[1]).toBe(5);
    // Bound to the group: what is sent to the address of the machine is not for us.
    await sendTo(udpPort, 'v=1&ready=9&busy=2');
    await sendTo(udpPort, 'v=1&ready=6&busy=2', group);
    await counted('taken', 2);
    expect(shared.reportedReady[1]).toBe(6);
  });

  test('are not received on a port that somebody has, and it says so', async () => {
    const { udpPort } = await startFeeds({ udp: anyPort('127.0.0.1') });
    await expect(startFeeds({ udp: { host: '127.0.0.1', port: udpPort } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'bind',
      port: udpPort,
    });
  });
});

describe('HTTP', () => {
  test('takes what a member posts', async () => {
    const { shared, httpPort, count } = await startFeeds({ http: anyPort('127.0.0.1') });
    const taken = { status: 200, body: 'OK\n', connection: 'close', allow: undefined };
    expect(await send(httpPort, 'POST', 'ready=5&busy=2')).toEqual(taken);
    expect([shared.reportedReady[1], shared.reportedBusy[1]]).toEqual([5, 2]);
    expect(await send(httpPort, 'POST', `${REPORT}\n`)).toEqual(taken);
    expect(count('taken')).toBe(2);
  });

  test('refuses everything else with its status', async () => {
    const { shared, httpPort, feeds, publish } = await startFeeds({ http: anyPort('127.0.0.1') });
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(await send(httpPort, method, '')).toMatchObject({ status: 405, allow: 'POST', connection: 'close' });
    }
    for (const text of ['', 'ready=5', 'v=2&ready=5&busy=2', '{"ready":5,"busy":2}']) {
      expect(await send(httpPort, 'POST', text)).toMatchObject({ status: 400, connection: 'close' });
    }
    for (const bytes of [1001, 5_000, 60_000]) {
      const text = `${REPORT}&x=`.padEnd(bytes, 'y');
      expect(await send(httpPort, 'POST', text)).toMatchObject({ status: 413, connection: 'close' });
    }
    publish(['127.0.0.9']);
    expect(await send(httpPort, 'POST', REPORT)).toMatchObject({ status: 403, connection: 'close' });
    expect(await send(httpPort, 'GET', '')).toMatchObject({ status: 403 });
    publish(['127.0.0.1', '127.0.0.1']);
    expect(await send(httpPort, 'POST', `${REPORT}&port=1`)).toMatchObject({ status: 403 });
    expect(shared.reportedAtS.every((cell) => cell === 0)).toBe(true);
    const counts = Object.fromEntries(feeds.counts().map(({ result, count }) => [result, count]));
    expect(counts).toEqual({
      taken: 0,
      bad_method: 5,
      malformed: 4,
      too_long: 3,
      unknown_sender: 2,
      unknown_port: 1,
    });
  });

  test('does not wait for the end of a body that has none', async () => {
    const { httpPort, count } = await startFeeds({ http: anyPort('127.0.0.1') });
    const head = 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    expect(await exchange(httpPort, `${head}11000\r\n${'y'.repeat(0x11000)}\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    expect(count('too_long')).toBe(1);
  });

  test('answers one request of a connection, and ends it', async () => {
    const { httpPort, count } = await startFeeds({ http: anyPort('127.0.0.1') });
    const post = `POST / HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\ncontent-length: 14\r\n\r\nready=5&busy=2`;
    const received = await exchange(httpPort, post.repeat(3));
    expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(received).toMatch(/^HTTP\/1\.1 200 /);
    expect(count('taken')).toBe(1);
  });

  test('cuts who does not finish', async () => {
    const { httpPort, count } = await startFeeds({ http: anyPort('127.0.0.1') });
    const [head, body] = await Promise.all([
      exchange(httpPort, 'POST / HTTP/1.1\r\nhos'),
      exchange(httpPort, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 14\r\n\r\nready=5'),
    ]);
    for (const received of [head, body]) expect(received).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(count('taken')).toBe(0);
  });

  test.skipIf(!hasIPv6)('over IPv4 reaches a socket of IPv6', async () => {
    const { shared, httpPort } = await startFeeds({ http: anyPort('::') }, ['127.0.0.1', '::1']);
    expect(await send(httpPort, 'POST', 'ready=5&busy=2')).toMatchObject({ status: 200 });
    expect(await send(httpPort, 'POST', 'ready=8&busy=2', '::1')).toMatchObject({ status: 200 });
    expect([...shared.reportedReady.subarray(0, 4)]).toEqual([0, 5, 8, 0]);
  });
});

test('both leave their ports free when they are closed', async () => {
  const before = await startFeeds({ udp: anyPort('127.0.0.1'), http: anyPort('127.0.0.1') });
  const open = exchange(before.httpPort, 'POST / HTTP/1.1\r\nhos');
  await before.feeds.close();
  await open.catch(() => {});
  const [udp, http] = [before.udpPort, before.httpPort].map((port) => ({ host: '127.0.0.1', port }));
  const after = await startFeeds({ udp: udp!, http: http! });
  expect(await send(after.httpPort, 'POST', 'ready=5&busy=2')).toMatchObject({ status: 200 });
});

describe('the product', () => {
  const heartbeatOf = (...args: Parameters<typeof balancerOf>): string =>
    balancerOf(...args).replace('spec:', 'spec:\n  lbMethod: heartbeat');

  test('elects by what members report over UDP and HTTP, and by nothing else', async () => {
    await using members = await startMembers('a', 'b');
    const [a, b] = members as typeof members & readonly [(typeof members)[0], (typeof members)[0]];
    using file = new Configuration(heartbeatOf(members));
    const listen = ['--heartbeat-udp', '127.0.0.1:0', '--heartbeat-http', '127.0.0.1:0'];
    await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1', ...listen]);
    const portOf = async (source: string): Promise<number> =>
      Number(
        (
          await evenkeel.waitForLog(
            ({ msg, source: found }) => msg === 'listening for load reports' && found === source,
          )
        ).port,
      );
    const [udpPort, httpPort] = [await portOf('udp'), await portOf('http')];
    const sendTo = await startSender();
    expect((await get(evenkeel.httpPort)).status).toBe(503);

    // Over and over, as senders do: reports grow stale, and the machine may be slow.
    const electsOnly = (name: string, report: () => Promise<void>): Promise<void> =>
      eventually(async () => {
        await report();
        expect((await getInTurn(evenkeel.httpPort, 5)).join('')).toBe(name.repeat(5));
      });
    await electsOnly('b', async () => {
      await sendTo(udpPort, `v=1&ready=0&busy=9&port=${a.port}`);
      await sendTo(udpPort, `v=1&ready=9&busy=1&port=${b.port}`);
    });
    await electsOnly('a', async () => {
      expect((await send(httpPort, 'POST', `ready=9&busy=1&port=${a.port}`)).status).toBe(200);
      expect((await send(httpPort, 'POST', `ready=0&busy=9&port=${b.port}`)).status).toBe(200);
    });

    await sendTo(udpPort, 'rubbish');
    await eventually(async () => {
      const scrape = await Scrape.of(evenkeel.adminPort);
      const reports = (source: string, result: string): number =>
        scrape.sum('evenkeel_load_reports_total', { source, result });
      expect(reports('udp', 'malformed')).toBe(1);
      expect(reports('udp', 'taken')).toBeGreaterThanOrEqual(2);
      expect(reports('http', 'taken')).toBeGreaterThanOrEqual(2);
      expect(reports('header', 'taken')).toBe(0);
    });
    expect(await evenkeel.stop()).toMatchObject({ code: 0 });
  });

  test('serves members that can only report in answers, before they have', async () => {
    await using members = await startMembers('a', 'b');
    using file = new Configuration(heartbeatOf(members));
    await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
    const bodies = await getInTurn(evenkeel.httpPort, 60);
    expect(new Set(bodies)).toEqual(new Set(['a', 'b']));
    expect((await Scrape.of(evenkeel.adminPort)).text).not.toContain('source="udp"');
  });

  test('says in one line why it cannot listen', async () => {
    const { httpPort } = await startFeeds({ http: anyPort('127.0.0.1') });
    await using members = await startMembers('a');
    using file = new Configuration(heartbeatOf(members));
    const started = startEvenkeel(['--config', file.path, '--heartbeat-http', `127.0.0.1:${httpPort}`]);
    await expect(started).rejects.toThrow(`evenkeel: port ${httpPort} on 127.0.0.1 is taken`);
  });
});
