// Changes while traffic flows: 200 requests a second, and not one of them may notice.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get, SteadyLoad } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { startMembers } from './named-member.ts';
import { expectIdle, Scrape } from './scrape.ts';

const PER_SECOND = 200;
/** Requests after which shares are looked at. */
const ENOUGH = 200;

test('adding, removing and re-weighting members loses no request', async () => {
  await using members = await startMembers('a', 'b', 'c');
  const [a, b, c] = members as unknown as [(typeof members)[0], (typeof members)[0], (typeof members)[0]];
  using file = new Configuration(balancerOf([a, b]));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  await using load = new SteadyLoad(evenkeel.httpPort, PER_SECOND);
  const answeredBy = (...names: readonly string[]): void => {
    expect([...load.answers.keys()].sort()).toEqual(names);
    expect(load.answered).toBeGreaterThan(ENOUGH);
  };
  /** Writes the file, and looks at answers only from when every lane has the change. */
  const edit = async (text: string): Promise<void> => {
    const before = (await Scrape.of(evenkeel.adminPort)).sum('evenkeel_snapshot_generation');
    file.write(text);
    await eventually(async () => {
      const acknowledged = (await Scrape.of(evenkeel.adminPort)).sum('evenkeel_snapshot_generation_acknowledged');
      expect(acknowledged).toBeGreaterThan(before);
    });
    // What is under way was elected before.
    await load.settled();
    load.restart();
  };

  await eventually(() => answeredBy('a', 'b'));
  await edit(balancerOf([a, b, c]));
  await eventually(() => answeredBy('a', 'b', 'c'));
  await edit(balancerOf([b, c]));
  await eventually(() => answeredBy('b', 'c'));
  await edit(balancerOf([b, c], [1, 4]));
  await eventually(() => answeredBy('b', 'c'));
  const share = load.answers.get('c')! / load.answered;
  expect(share).toBeGreaterThan(0.75);
  expect(share).toBeLessThan(0.85);
  await edit(balancerOf([a, b, c], [1, 1, 1]));
  await eventually(() => answeredBy('a', 'b', 'c'));

  await load.stop();
  expect(load.failures).toEqual([]);
  await expectIdle(evenkeel.adminPort);
});

test('a broken edit is reported with file and line, and changes nothing', async () => {
  await using members = await startMembers('a', 'b');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  await using load = new SteadyLoad(evenkeel.httpPort, PER_SECOND);
  await eventually(() => expect(load.answered).toBeGreaterThan(20));
  const good = balancerOf(members);
  const broken: readonly { readonly text: string; readonly line: number; readonly says: RegExp }[] = [
    { text: good.replace('members:', 'membres:'), line: 5, says: /spec.membres/ },
    { text: good.replace('route: b', 'route: b, loadFactor: 500'), line: 7, says: /loadFactor.*500/ },
    { text: good.replace('kind: Balancer', 'kind: [Balancer'), line: 3, says: /not valid YAML/ },
  ];
  for (const { text, line, says } of broken) {
    const seen = evenkeel.log.length;
    file.write(text);
    const report = await evenkeel.waitForLog(
      (entry) => entry.msg === 'problem found' && says.test(JSON.stringify(entry)),
      10_000,
      seen,
    );
    expect(report.at).toBe(`${file.path}:${line}`);
    load.restart();
    await eventually(() => expect(load.answered).toBeGreaterThan(50));
    expect([...load.answers.keys()].sort()).toEqual(['a', 'b']);
    const mended = evenkeel.log.length;
    file.write(good);
    await evenkeel.waitForLog(({ msg }) => msg === 'problem resolved', 10_000, mended);
  }
  await load.stop();
  expect(load.failures).toEqual([]);
});

test('what a killed member had under way is answered by another one', async () => {
  await using members = await startMembers('a', 'b');
  const a = members[0]!;
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  a.isHolding = true;
  const answers = Array.from({ length: 6 }, () => get(evenkeel.httpPort));
  await eventually(() => expect(a.held).toBe(3));
  a.kill();
  const found = await Promise.all(answers);
  expect(found.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(6).fill('200 b'));
});

test('a killed member costs no GET an error, and is used again after it came back', async () => {
  await using members = await startMembers('a', 'b', 'c');
  using file = new Configuration(`${balancerOf(members)}  failover: { retryAfter: 500ms }\n`);
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  await using load = new SteadyLoad(evenkeel.httpPort, PER_SECOND);
  const b = members[1]!;
  for (let round = 0; round < 3; round += 1) {
    load.restart();
    await eventually(() => expect(load.answers.get('b') ?? 0).toBeGreaterThan(20));
    b.kill();
    await eventually(async () => {
      const metrics = await Scrape.of(evenkeel.adminPort);
      expect(metrics.sum('evenkeel_member_in_error', { member: b.url })).toBe(1);
    });
    load.restart();
    await eventually(() => expect(load.answered).toBeGreaterThan(ENOUGH));
    await b.listen();
  }
  load.restart();
  await eventually(() => expect(load.answers.get('b') ?? 0).toBeGreaterThan(20));
  await load.stop();
  expect(load.failures).toEqual([]);
  await expectIdle(evenkeel.adminPort);
  const metrics = await Scrape.of(evenkeel.adminPort);
  expect(metrics.sum('evenkeel_member_failed_total')).toBeGreaterThan(0);
  expect((await get(evenkeel.httpPort)).status).toBe(200);
});
