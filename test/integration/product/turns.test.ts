// The first thing anybody sees: members that take turns as their load factors say.
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/patience.ts';
import { startEvenkeel } from '../../helpers/evenkeel-process.ts';
import { get, getInTurn } from './client.ts';
import { balancerOf, Configuration } from './configuration.ts';
import { startMembers } from './named-member.ts';
import { Scrape } from './scrape.ts';

test('a request is answered by a member', async () => {
  await using members = await startMembers('a');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path]);
  expect(await get(evenkeel.httpPort)).toMatchObject({ status: 200, body: 'a' });
});

test.each(['0', '1'])('30 requests to three equal members: 10 for each, in turn (--lanes %s)', async (lanes) => {
  await using members = await startMembers('a', 'b', 'c');
  using file = new Configuration(balancerOf(members));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', lanes]);
  expect((await getInTurn(evenkeel.httpPort, 30)).join('')).toBe('abc'.repeat(10));
});

test('load factors 1, 4, 1 give the order of httpd', async () => {
  await using members = await startMembers('a', 'b', 'c');
  using file = new Configuration(balancerOf(members, [1, 4, 1]));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '1']);
  expect((await getInTurn(evenkeel.httpPort, 12)).join(' ')).toBe('b a b b c b b a b b c b');
});

test('several lanes: each member has its share, and the same counts stand in the metrics', async () => {
  await using members = await startMembers('a', 'b', 'c');
  using file = new Configuration(balancerOf(members, [1, 4, 1]));
  await using evenkeel = await startEvenkeel(['--config', file.path, '--lanes', '2']);
  const { httpPort, adminPort } = evenkeel;
  const bodies = (await Promise.all(Array.from({ length: 20 }, () => getInTurn(httpPort, 30)))).flat();
  const counts = members.map(({ name }) => bodies.filter((body) => body === name).length);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(600);
  // Two lanes can differ from 100, 400, 100 by the unfinished round of each.
  for (const [index, share] of [100, 400, 100].entries())
    expect(Math.abs(counts[index]! - share)).toBeLessThanOrEqual(4);
  // A client may have its answer a moment before the lane has counted it.
  await eventually(async () => {
    const scrape = await Scrape.of(adminPort);
    for (const [index, { url }] of members.entries()) {
      expect(scrape.sum('evenkeel_member_elected_total', { member: url })).toBe(counts[index]);
    }
    expect(scrape.sum('evenkeel_requests_total', { balancer: 'test', code_class: '2xx' })).toBe(600);
  });
});
