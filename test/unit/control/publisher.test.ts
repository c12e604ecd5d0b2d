import { describe, expect, it } from 'vitest';
import { Publisher } from '../../../src/control/publisher.ts';
import { ControlScoreboard } from '../../../src/scoreboard/control-side.ts';
import { LaneScoreboard } from '../../../src/scoreboard/lane-side.ts';
import { allocateScoreboard } from '../../../src/scoreboard/layout.ts';
import type { Publication, ToLane } from '../../../src/snapshot/lane-protocol.ts';
import { balancer, member, publicationOf, snapshotOf } from './fixtures.ts';

interface Sent {
  readonly lane: number;
  readonly publication: Publication;
}

/** A publisher with room for so many members and balancers, and two lanes that were started before the first generation. */
function setUp(maxMembers = 20, maxBalancers = 10, lanes = [0, 1]) {
  const buffers = allocateScoreboard(maxMembers + 1, maxBalancers + 1, 2);
  const scoreboard = new ControlScoreboard(buffers);
  const sent: Sent[] = [];
  const texts: string[] = [];
  const publisher = new Publisher(scoreboard, {
    send: (lane: number, message: ToLane) => {
      if (message.type === 'publish') texts.push(message.publication);
      sent.push({ lane, publication: publicationOf(message) });
    },
  });
  for (const lane of lanes) publisher.laneStarted(lane);
  const acknowledge = (generation = publisher.generation): void => {
    for (const lane of lanes) publisher.laneSaid(lane, { type: 'applied', generation });
  };
  const rowsOf = (key: string): Record<string, number> => {
    const placed = [...publisher.placed()].find(({ unit }) => unit.key === key)!;
    return Object.fromEntries(placed.unit.members.map(({ identity }, index) => [identity, placed.memberRows[index]!]));
  };
  return { buffers, scoreboard, publisher, sent, texts, acknowledge, rowsOf };
}

describe('what is sent', () => {
  it('is everything at first, as the same text to every lane', () => {
    const { publisher, sent, texts } = setUp();
    const snapshot = snapshotOf(balancer('a', ['m1', 'm2']), balancer('b', ['m3']));
    expect(publisher.publish(snapshot)).toMatchObject({
      generation: 1,
      isNew: true,
      sent: 2,
      dropped: 0,
      unplaced: [],
    });
    expect(sent.map(({ lane }) => lane)).toEqual([0, 1]);
    expect(new Set(texts).size).toBe(1);
    expect(sent[0]!.publication).toMatchObject({ generation: 1, drop: [], rules: snapshot.rules });
    expect(sent[0]!.publication.set.map(({ unit }) => unit.key)).toEqual(['shop/a', 'shop/b']);
  });

  it('is named by the keys that another version came of, or none', () => {
    const { publisher } = setUp();
    const [a, b] = [balancer('a', ['m1']), balancer('b', ['m3'])];
    publisher.publish(snapshotOf(a, b));
    const { version } = publisher.changes;
    publisher.publish(snapshotOf(a, b));
    expect(publisher.changes.version).toBe(version);
    publisher.publishBalancers([balancer('b', ['m4'])]);
    expect([...publisher.changes.since(version)!]).toEqual(['shop/b']);
    expect(publisher.placedOf('shop/b')!.unit.members[0]!.identity).toBe('m4');
    publisher.publish(snapshotOf(b));
    expect([...publisher.changes.since(version)!]).toEqual(['shop/b', 'shop/a']);
    expect(publisher.placedOf('shop/a')).toBeUndefined();
  });

  it('is generation 1 even if there is nothing to serve', () => {
    const { publisher, sent } = setUp();
    publisher.publish(snapshotOf());
    expect(sent[0]!.publication).toEqual({ generation: 1, rules: [], set: [], drop: [] });
  });

  it('is nothing when nothing changed, whether the units are the same objects or only equal', () => {
    const { publisher, sent } = setUp();
    const snapshot = snapshotOf(balancer('a', ['m1']));
    publisher.publish(snapshot);
    sent.length = 0;
    expect(publisher.publish(snapshot).isNew).toBe(false);
    expect(publisher.publish(snapshotOf(balancer('a', ['m1'])))).toMatchObject({ isNew: false, generation: 1 });
    expect(sent).toEqual([]);
  });

  it('is one balancer when one changed, without the rules', () => {
    const { publisher, sent } = setUp();
    const same = balancer('b', ['m3']);
    publisher.publish(snapshotOf(balancer('a', ['m1']), same));
    sent.length = 0;
    publisher.publish(snapshotOf(balancer('a', [member('m1', { factor: 400 })]), same));
    expect(sent[0]!.publication).toMatchObject({ generation: 2, rules: null, drop: [] });
    expect(sent[0]!.publication.set.map(({ unit }) => unit.key)).toEqual(['shop/a']);
  });

  it('is the rules alone when only they changed', () => {
    const { publisher, sent } = setUp();
    const snapshot = snapshotOf(balancer('a', ['m1']));
    publisher.publish(snapshot);
    sent.length = 0;
    const rules = [{ host: '*', pathType: 'Exact', path: '/x', balancer: 'shop/a' }] as const;
    publisher.publish({ ...snapshot, rules });
    expect(sent[0]!.publication).toEqual({ generation: 2, rules, set: [], drop: [] });
  });

  it('is the key of a balancer that is gone', () => {
    const { publisher, sent } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('b', ['m2'])));
    sent.length = 0;
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    expect(sent[0]!.publication).toMatchObject({ set: [], drop: ['shop/b'] });
    expect(publisher.generationOf('shop/b')).toBeNull();
  });

  it('is the whole for a new lane, and nothing before the first generation', () => {
    const { publisher } = setUp();
    expect(publisher.laneStarted(0)).toBeNull();
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('b', ['m2'])));
    publisher.laneGone(0);
    const whole = publicationOf(publisher.laneStarted(0)!);
    expect(whole).toMatchObject({ generation: 2, drop: [] });
    expect(whole.rules).toHaveLength(2);
    expect(whole.set.map(({ unit }) => unit.key)).toEqual(['shop/a', 'shop/b']);
  });
});

describe('acknowledgements', () => {
  it('count for all lanes that serve', () => {
    const { publisher } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    expect(publisher.acknowledged).toBe(0);
    publisher.laneSaid(0, { type: 'applied', generation: 1 });
    expect([publisher.isServing(0), publisher.isServing(1)]).toEqual([true, false]);
    publisher.laneSaid(1, { type: 'applied', generation: 1 });
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2'])));
    publisher.laneSaid(0, { type: 'applied', generation: 2 });
    expect(publisher.acknowledged).toBe(1);
    publisher.laneGone(1);
    expect(publisher.acknowledged).toBe(2);
    publisher.laneGone(0);
    expect(publisher.acknowledged).toBe(0);
  });

  it('tell in which generation the version of a balancer came', () => {
    const { publisher } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('b', [])));
    expect(publisher.generationOf('shop/a')).toBe(1);
    expect(publisher.generationOf('shop/b')).toBe(2);
  });
});

describe('a lane that refused a generation', () => {
  it('gets the whole with the next one, and is told of all that went meanwhile', () => {
    const { publisher, sent } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('b', ['m2'])));
    publisher.laneSaid(0, { type: 'applied', generation: 1 });
    publisher.laneSaid(1, { type: 'applied', generation: 1 });
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    publisher.laneSaid(0, { type: 'refused', generation: 2, message: 'no' });
    publisher.laneSaid(1, { type: 'applied', generation: 2 });
    sent.length = 0;
    publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('c', ['m3'])));
    const [toRefuser, toOther] = sent.map(({ publication }) => publication);
    expect(toRefuser!.set.map(({ unit }) => unit.key)).toEqual(['shop/a', 'shop/c']);
    expect(toRefuser).toMatchObject({ generation: 3, drop: ['shop/b'] });
    expect(toRefuser!.rules).toHaveLength(2);
    expect(toOther!.set.map(({ unit }) => unit.key)).toEqual(['shop/c']);
    publisher.laneSaid(0, { type: 'applied', generation: 3 });
    publisher.laneSaid(1, { type: 'applied', generation: 3 });
    expect(publisher.acknowledged).toBe(3);
  });

  it('gets it at once if newer differences are on their way already, and what it says of those does not count', () => {
    const { publisher, sent, acknowledge } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    acknowledge();
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2'])));
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2', 'm3'])));
    sent.length = 0;
    publisher.laneSaid(0, { type: 'refused', generation: 2, message: 'no' });
    expect(publisher.generation).toBe(4);
    expect(sent.map(({ lane, publication }) => [lane, publication.set.length])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    publisher.laneSaid(1, { type: 'applied', generation: 4 });
    publisher.laneSaid(0, { type: 'applied', generation: 3 });
    expect(publisher.acknowledged).toBe(1);
    publisher.laneSaid(0, { type: 'applied', generation: 4 });
    expect(publisher.acknowledged).toBe(4);
  });

  it('is not sent the same again and again', () => {
    const { publisher, sent } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    sent.length = 0;
    publisher.laneSaid(0, { type: 'refused', generation: 1, message: 'no' });
    expect(sent).toEqual([]);
    expect(publisher.isServing(0)).toBe(false);
  });
});

describe('rows', () => {
  it('survive a change of order, of weight and of address', () => {
    const { publisher, rowsOf } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2', 'm3'])));
    const before = rowsOf('shop/a');
    publisher.publish(
      snapshotOf(balancer('a', ['m3', member('m1', { factor: 900 }), member('m2', { host: '10.0.0.9' })])),
    );
    expect(rowsOf('shop/a')).toEqual(before);
  });

  it('are given back to a member that returns before they are needed', () => {
    const { publisher, rowsOf } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2'])));
    const before = rowsOf('shop/a');
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2'])));
    expect(rowsOf('shop/a')).toEqual(before);
  });

  it('differ for one identity in two balancers', () => {
    const { publisher, rowsOf } = setUp();
    publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('b', ['m1'])));
    expect(rowsOf('shop/a').m1).not.toBe(rowsOf('shop/b').m1);
  });

  it('are not used anew before every lane has acknowledged a generation without them', () => {
    const { publisher, acknowledge, rowsOf } = setUp(1);
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    acknowledge();
    publisher.publish(snapshotOf(balancer('a', [])));
    publisher.laneSaid(0, { type: 'applied', generation: 2 });
    const next = snapshotOf(balancer('a', ['m2']));
    expect(publisher.publish(next).unplaced).toHaveLength(1);
    publisher.laneSaid(1, { type: 'applied', generation: 2 });
    expect(publisher.publish(next).unplaced).toEqual([]);
    expect(rowsOf('shop/a')).toEqual({ m2: 1 });
  });

  it('are not used anew while a lane is coming up that was sent them', () => {
    const { publisher, acknowledge } = setUp(1);
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    acknowledge();
    publisher.laneGone(1);
    publisher.laneStarted(1);
    publisher.publish(snapshotOf(balancer('a', [])));
    publisher.laneSaid(0, { type: 'applied', generation: 2 });
    const next = snapshotOf(balancer('a', ['m2']));
    expect(publisher.publish(next).unplaced).toHaveLength(1);
    publisher.laneSaid(1, { type: 'applied', generation: 1 });
    expect(publisher.publish(next).unplaced).toHaveLength(1);
    publisher.laneSaid(1, { type: 'applied', generation: 2 });
    expect(publisher.publish(next).unplaced).toEqual([]);
  });

  it('are not held back by a lane that is gone', () => {
    const { publisher, acknowledge } = setUp(1);
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    acknowledge();
    publisher.publish(snapshotOf(balancer('a', [])));
    publisher.laneSaid(0, { type: 'applied', generation: 2 });
    publisher.laneGone(1);
    expect(publisher.publish(snapshotOf(balancer('a', ['m2']))).unplaced).toEqual([]);
  });

  it('are not used anew while an attempt is open on them, and are empty when they are', () => {
    const { buffers, scoreboard, publisher, acknowledge } = setUp(1);
    const lane = new LaneScoreboard(buffers, 0);
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    lane.beginAttempt(1);
    lane.column.elected[1]! += 1;
    acknowledge();
    publisher.publish(snapshotOf(balancer('a', [])));
    acknowledge();
    const next = snapshotOf(balancer('a', ['m2']));
    expect(publisher.publish(next).unplaced).toHaveLength(1);
    expect(scoreboard.memberSum('elected', 1)).toBe(1);
    lane.endAttempt(1);
    expect(publisher.publish(next).unplaced).toEqual([]);
    expect(scoreboard.memberSum('elected', 1)).toBe(0);
  });

  it('of a balancer wait for the requests of its members', () => {
    const { buffers, publisher, acknowledge } = setUp(4, 1);
    const lane = new LaneScoreboard(buffers, 0);
    publisher.publish(snapshotOf(balancer('a', ['m1'])));
    lane.beginAttempt(1);
    acknowledge();
    publisher.publish(snapshotOf());
    acknowledge();
    const next = snapshotOf(balancer('b', ['m2']));
    expect(publisher.publish(next).unplaced.map(({ key }) => key)).toEqual(['shop/b']);
    lane.endAttempt(1);
    expect(publisher.publish(next).unplaced).toEqual([]);
  });
});

describe('a full scoreboard', () => {
  it('leaves the version that is served, names the balancer, and takes nothing else down', () => {
    const { publisher, sent, rowsOf } = setUp(4);
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2'])));
    const before = rowsOf('shop/a');
    sent.length = 0;
    const { unplaced } = publisher.publish(
      snapshotOf(balancer('a', ['m1', 'm2', 'm3', 'm4', 'm5']), balancer('b', ['n1', 'n2'])),
    );
    expect(unplaced).toEqual([{ key: 'shop/a', message: expect.stringMatching(/room for 4 members.*--max-members/) }]);
    expect(rowsOf('shop/a')).toEqual(before);
    expect(sent[0]!.publication.set.map(({ unit }) => unit.key)).toEqual(['shop/b']);
    expect(Object.keys(rowsOf('shop/b'))).toEqual(['n1', 'n2']);
  });

  it('serves a balancer that is new without members until there is room', () => {
    const { publisher, acknowledge, rowsOf } = setUp(2);
    publisher.publish(snapshotOf(balancer('a', ['m1', 'm2'])));
    const crowded = publisher.publish(snapshotOf(balancer('a', ['m1', 'm2']), balancer('b', ['n1'])));
    expect(crowded.unplaced.map(({ key }) => key)).toEqual(['shop/b']);
    expect(rowsOf('shop/b')).toEqual({});
    const roomy = snapshotOf(balancer('a', ['m1']), balancer('b', ['n1']));
    publisher.publish(roomy);
    acknowledge();
    expect(publisher.publish(roomy).unplaced).toEqual([]);
    expect(Object.keys(rowsOf('shop/b'))).toEqual(['n1']);
  });

  it('has a row for a stand-in even if there is none for balancers', () => {
    const { publisher } = setUp(9, 1);
    const { unplaced } = publisher.publish(snapshotOf(balancer('a', ['m1']), balancer('b', ['n1'])));
    expect(unplaced).toEqual([
      { key: 'shop/b', message: expect.stringMatching(/room for 1 Balancers.*--max-balancers/) },
    ]);
    expect([...publisher.placed()].map(({ row }) => row)).toEqual([1, 0]);
  });
});
