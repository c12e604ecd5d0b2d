import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../../src/api/balancer.ts';
import type { RefusedBalancer } from '../../../../src/api/refused-balancer.ts';
import { createProblem } from '../../../../src/api/problem.ts';
import type { BalancerStatus, StatusAddress } from '../../../../src/control/status/desired-status.ts';
import { StatusReporter } from '../../../../src/control/status/status-reporter.ts';
import type { StatusWish } from '../../../../src/control/status/status-writer.ts';
import type { BalancerFacts } from '../../../../src/control/reconcile.ts';
import type { PlacedBalancer } from '../../../../src/snapshot/lane-protocol.ts';
import { ChangeLog } from '../../../../src/lib/change-log.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { balancer, member, RecordedLog } from '../fixtures.ts';
import { balancerObject, LoggedMap, factsOf } from './fixtures.ts';

type Objects = Parameters<typeof balancerObject>;

/** A reporter before a cluster of which the test moves every part. */
function setUp() {
  const time = new ManualTime();
  const log = new RecordedLog();
  const newestChanges = new ChangeLog();
  const newest = new LoggedMap<Balancer>(newestChanges);
  const refused = new LoggedMap<RefusedBalancer>(newestChanges);
  const known = new ChangeLog();
  const facts = new LoggedMap<BalancerFacts>(known);
  const published = new ChangeLog();
  const placed = new LoggedMap<PlacedBalancer>(published);
  const shared = {
    flags: new Int32Array(new SharedArrayBuffer(64)),
    flagTurns: new Int32Array(new SharedArrayBuffer(4)),
  };
  const state = { isLeading: true, passes: 1, addresses: [] as readonly StatusAddress[] | null, acknowledged: 1 };
  /** Keys of Balancers that were looked at. */
  const looks: string[] = [];
  const told: string[] = [];
  let versions = 0;
  let wishes: ReadonlyMap<string, StatusWish> = new Map();
  const reporter = new StatusReporter({
    reconciler: {
      get passes() {
        return state.passes;
      },
      factsOf: (key) => {
        looks.push(key);
        return facts.get(key);
      },
      changes: known,
    },
    publisher: {
      placedOf: (key) => placed.get(key),
      changes: published,
      get acknowledged() {
        return state.acknowledged;
      },
    },
    shared,
    newest,
    refused,
    newestChanges,
    isOurs: ({ spec }) => spec.className === undefined,
    addresses: () => state.addresses,
    isLeading: () => state.isLeading,
    writer: {
      wish: (all) => {
        wishes = new Map(all);
      },
    },
    onTransition: ({ name }, { type, status, reason }) => void told.push(`${name} ${type} ${status} ${reason}`),
    clock: time.clock,
    timers: time.timers,
    log,
  });
  return {
    time,
    log,
    state,
    facts,
    newest,
    refused,
    placed,
    shared,
    told,
    looks,
    known,
    reporter,
    /** The Balancer is there, and what is known of it is all right. */
    serve(...object: Objects): Balancer {
      const found = balancerObject(...object);
      const key = `shop/${object[0]}`;
      newest.set(key, found);
      facts.set(key, factsOf(found));
      placed.set(key, { unit: balancer(object[0], [member('1'), member('2')]), row: 1, memberRows: [1, 2] });
      return found;
    },
    /** The watch shows another version of it. */
    show(...object: Objects): void {
      newest.set(`shop/${object[0]}`, balancerObject(...object));
    },
    wish: (name: string) => wishes.get(`shop/${name}`),
    /** The writer has done what was wished for a Balancer. */
    fulfil(name: string): BalancerStatus | null {
      const wish = wishes.get(`shop/${name}`)!;
      versions += 1;
      reporter.onWritten(`shop/${name}`, wish, `w${versions}`);
      return wish.status;
    },
    raise(row: number): void {
      Atomics.or(shared.flags, row, 1);
      Atomics.add(shared.flagTurns, 0, 1);
    },
  };
}

describe('the reporter of statuses', () => {
  it('wishes for a status where there is none, and for nothing once it is there', () => {
    const { serve, show, wish, fulfil, reporter, time, told } = setUp();
    serve('a', { generation: 2 });
    reporter.start();
    expect(wish('a')).toMatchObject({
      target: { namespace: 'shop', name: 'a', uid: 'uid-a' },
      status: { observedGeneration: 2, members: { total: 2, ready: 2, draining: 0 } },
    });
    const status = fulfil('a')!;
    expect(told).toEqual(['a Ready True Ready']);
    time.advance(1_000);
    expect(wish('a')).toBeUndefined();
    show('a', { generation: 2, resourceVersion: '2', status });
    time.advance(60_000);
    expect(wish('a')).toBeUndefined();
    expect(told).toHaveLength(1);
  });

  it('wishes for nothing where another leader has said the same, at another time', () => {
    const first = setUp();
    first.serve('a');
    first.reporter.start();
    const status = first.wish('a')!.status!;
    const second = setUp();
    second.time.advance(3_600_000);
    second.serve('a', { status });
    second.reporter.start();
    expect(second.looks).toEqual(['shop/a']);
    expect(second.wish('a')).toBeUndefined();
  });

  it('does nothing while it does not lead, or before the first pass', () => {
    const { serve, state, looks, reporter, time } = setUp();
    serve('a');
    state.isLeading = false;
    reporter.start();
    time.advance(10_000);
    state.isLeading = true;
    state.passes = 0;
    time.advance(10_000);
    expect(looks).toEqual([]);
    state.passes = 1;
    time.advance(250);
    expect(looks).toEqual(['shop/a']);
    reporter.stop();
    time.advance(10_000);
    expect(looks).toHaveLength(1);
  });

  it('takes its wishes back when it leads no more, and looks at everything when it leads again', () => {
    const { serve, wish, state, looks, reporter, time } = setUp();
    serve('a');
    reporter.start();
    expect(wish('a')).toBeDefined();
    state.isLeading = false;
    time.advance(250);
    expect(wish('a')).toBeUndefined();
    time.advance(10_000);
    looks.length = 0;
    state.isLeading = true;
    time.advance(250);
    expect(looks).toEqual(['shop/a']);
    expect(wish('a')).toBeDefined();
  });

  it('does not trust a write that ended when the lead was lost already', () => {
    const { serve, wish, state, reporter, time } = setUp();
    serve('a');
    reporter.start();
    const late = wish('a')!;
    state.isLeading = false;
    time.advance(250);
    reporter.onWritten('shop/a', late, 'w1');
    state.isLeading = true;
    time.advance(250);
    expect(wish('a')).toMatchObject({ before: undefined, basis: '1' });
  });

  it('sees members fail within a moment', () => {
    const { serve, wish, fulfil, raise, reporter, time, told } = setUp();
    serve('a');
    reporter.start();
    fulfil('a');
    time.advance(5_000);
    raise(2);
    time.advance(400);
    // Over what was written, which the watch does not have.
    expect(wish('a')!.basis).toBe('w1');
    expect(wish('a')!.status!.members).toEqual({ total: 2, ready: 1, draining: 0 });
    fulfil('a');
    raise(1);
    time.advance(400);
    fulfil('a');
    expect(told).toEqual(['a Ready True Ready', 'a Ready False NoMemberReady']);
  });

  it('looks at a Balancer that changes all the time four times a second, at one that has a wish once', () => {
    const { serve, wish, fulfil, looks, facts, reporter, time } = setUp();
    const found = serve('a');
    reporter.start();
    looks.length = 0;
    for (let turn = 0; turn < 100; turn += 1) {
      facts.set('shop/a', factsOf(found));
      time.advance(50);
    }
    expect(looks).toHaveLength(20);
    expect(wish('a')).toBeDefined();
    looks.length = 0;
    // A wish that is not fulfilled is made again and again.
    time.advance(10_000);
    expect(looks).toHaveLength(10);
    fulfil('a');
    time.advance(10_000);
    looks.length = 0;
    time.advance(600_000);
    expect(looks).toHaveLength(20);
  });

  describe('of a thousand Balancers', () => {
    function setUpMany() {
      const world = setUp();
      const { serve, fulfil, show, reporter, time, looks } = world;
      const names = Array.from({ length: 1_000 }, (_, index) => `b${index}`);
      for (const name of names) serve(name);
      reporter.start();
      for (const name of names) show(name, { resourceVersion: '2', status: fulfil(name)! });
      time.advance(20_000);
      looks.length = 0;
      return world;
    }

    it('looks at the one that changed, until that is told', () => {
      const { placed, facts, newest, wish, fulfil, show, looks, time } = setUpMany();
      placed.set('shop/b7', { unit: balancer('b7', [member('1')]), row: 1, memberRows: [1] });
      facts.set('shop/b7', factsOf(newest.get('shop/b7')!));
      time.advance(250);
      expect(looks).toEqual(['shop/b7']);
      expect(wish('b7')!.status!.members!.total).toBe(1);
      show('b7', { resourceVersion: '3', status: fulfil('b7')! });
      time.advance(9_000);
      expect(new Set(looks)).toEqual(new Set(['shop/b7']));
      expect(looks.length).toBeLessThan(12);
    });

    it('looks at those that are on their way to the lanes when these have got further', () => {
      const { facts, newest, looks, state, time } = setUpMany();
      facts.set('shop/b7', factsOf(newest.get('shop/b7')!, { isProgrammed: false }));
      time.advance(250);
      looks.length = 0;
      state.acknowledged = 2;
      time.advance(250);
      expect(looks).toEqual(['shop/b7']);
    });

    it.each<[string, (world: ReturnType<typeof setUpMany>) => void]>([
      ['flags of members change', ({ raise }) => raise(1)],
      [
        'the addresses change',
        ({ state }) => Object.assign(state, { addresses: [{ type: 'Hostname', value: 'a.example' }] }),
      ],
      ['lanes are less far than before', ({ state }) => Object.assign(state, { acknowledged: 0 })],
      ['nobody can say what changed', ({ known }) => known.noteAll()],
    ])('looks at all when %s', (_, change) => {
      const world = setUpMany();
      change(world);
      world.time.advance(250);
      expect(world.looks).toHaveLength(1_000);
    });

    it('looks at all twice a minute though nothing seems new', () => {
      const { looks, time } = setUpMany();
      time.advance(60_000);
      expect(looks).toHaveLength(2_000);
    });
  });

  it('counts members anew after they changed while a version was on its way', () => {
    const { serve, facts, wish, fulfil, show, raise, reporter, time } = setUp();
    const found = serve('a');
    reporter.start();
    show('a', { resourceVersion: '2', status: fulfil('a')! });
    time.advance(10_000);
    facts.set('shop/a', factsOf(found, { isProgrammed: false }));
    raise(1);
    time.advance(1_000);
    facts.set('shop/a', factsOf(found));
    time.advance(1_000);
    expect(wish('a')!.status!.members!.ready).toBe(1);
  });

  it('sees within a moment that an object changed, though nothing else did', () => {
    const { serve, show, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    const status = fulfil('a')!;
    show('a', { resourceVersion: '2', status });
    time.advance(100_000);
    show('a', { resourceVersion: '3', status: { ...status, members: { total: 9, ready: 9, draining: 9 } } });
    time.advance(400);
    expect(wish('a')!.status).toEqual(status);
  });

  it('sees that members changed, and that it has another address', () => {
    const { serve, wish, fulfil, placed, state, reporter, time } = setUp();
    serve('a');
    reporter.start();
    fulfil('a');
    time.advance(100_000);
    placed.set('shop/a', { unit: balancer('a', [member('1', { state: 'Draining' })]), row: 1, memberRows: [1] });
    time.advance(400);
    expect(wish('a')!.status!.members).toEqual({ total: 1, ready: 0, draining: 1 });
    fulfil('a');
    time.advance(100_000);
    state.addresses = [{ type: 'IPAddress', value: '192.0.2.1' }];
    time.advance(400);
    expect(wish('a')!.status!.addresses).toEqual([{ type: 'IPAddress', value: '192.0.2.1' }]);
  });

  it('waits two seconds before it says that a version is on its way', () => {
    const { serve, facts, wish, fulfil, reporter, time } = setUp();
    const found = serve('a');
    reporter.start();
    fulfil('a');
    facts.set('shop/a', factsOf(found, { isProgrammed: false }));
    time.advance(1_900);
    expect(wish('a')).toBeUndefined();
    time.advance(2_000);
    expect(wish('a')!.status!.conditions![2]).toMatchObject({ type: 'Programmed', status: 'False', reason: 'Pending' });
    facts.set('shop/a', factsOf(found, { isProgrammed: false, hindrance: { reason: 'NoRoom', message: 'full' } }));
    time.advance(1_000);
    expect(wish('a')!.status!.conditions![2]).toMatchObject({ reason: 'NoRoom', message: 'full' });
  });

  it('says nothing again because others have put into a status what cannot be read here', () => {
    const { serve, show, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    const status = fulfil('a')!;
    const foreign = { type: 'New', status: 'Perhaps' } as never;
    time.advance(100_000);
    show('a', { resourceVersion: '3', status: { ...status, conditions: [foreign, ...status.conditions!] } });
    time.advance(100_000);
    expect(wish('a')).toBeUndefined();
  });

  it('does not take what the watch has not seen yet for a change', () => {
    const { serve, show, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    const status = fulfil('a')!;
    // An older version comes late.
    show('a', { resourceVersion: '2' });
    time.advance(4_000);
    expect(wish('a')).toBeUndefined();
    show('a', { resourceVersion: '3', status });
    time.advance(60_000);
    expect(wish('a')).toBeUndefined();
  });

  it('takes what comes after its write came back for what it is, at once', () => {
    const { serve, show, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    const status = fulfil('a')!;
    show('a', { resourceVersion: 'w1', status });
    time.advance(500);
    const other = { ...status, members: { total: 99, ready: 99, draining: 0 } };
    show('a', { resourceVersion: '3', status: other });
    time.advance(500);
    expect(wish('a')).toMatchObject({ before: other, basis: '3' });
  });

  it('trusts what it wrote for as long as the watch shows nothing new at all', () => {
    const { serve, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    fulfil('a');
    time.advance(600_000);
    expect(wish('a')).toBeUndefined();
  });

  it('puts right what somebody else wrote over it', () => {
    const { serve, show, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    const status = fulfil('a')!;
    show('a', { resourceVersion: '3', status: { ...status, members: { total: 99, ready: 99, draining: 0 } } });
    time.advance(7_000);
    expect(wish('a')!.status!.members!.total).toBe(2);
  });

  it('starts anew with a Balancer that was deleted and made again', () => {
    const { serve, show, wish, fulfil, reporter, time } = setUp();
    serve('a');
    reporter.start();
    fulfil('a');
    show('a', { uid: 'another' });
    time.advance(2_000);
    // What is known is of the old one.
    expect(wish('a')).toBeUndefined();
    serve('a', { uid: 'another' });
    time.advance(1_000);
    expect(wish('a')!.target.uid).toBe('another');
  });

  it('leaves alone what is gone, and what is not known yet', () => {
    const { serve, newest, facts, wish, reporter, time } = setUp();
    serve('a');
    serve('b');
    newest.delete('shop/a');
    facts.delete('shop/b');
    reporter.start();
    time.advance(2_000);
    expect([wish('a'), wish('b')]).toEqual([undefined, undefined]);
  });

  it('takes its words back from a Balancer that goes to another class, once', () => {
    const { serve, show, facts, wish, fulfil, reporter, time, told } = setUp();
    serve('a');
    reporter.start();
    const status = fulfil('a')!;
    facts.delete('shop/a');
    show('a', { className: 'other', resourceVersion: '3', status });
    time.advance(1_000);
    expect(wish('a')).toMatchObject({ target: { uid: 'uid-a' }, status: null });
    fulfil('a');
    expect(told).toHaveLength(1);
    time.advance(1_000);
    expect(wish('a')).toBeUndefined();
    // Its new owner speaks, in the same terms.
    show('a', { className: 'other', resourceVersion: '5', status });
    time.advance(60_000);
    expect(wish('a')).toBeUndefined();
    // It comes back and goes again.
    serve('a', { resourceVersion: '6', status });
    time.advance(1_000);
    facts.delete('shop/a');
    show('a', { className: 'other', resourceVersion: '7', status });
    time.advance(1_000);
    expect(wish('a')).toMatchObject({ status: null });
  });

  it('does not ask about Balancers of other classes without such a status', () => {
    const { show, wish, reporter } = setUp();
    show('a', { className: 'other' });
    show('b', { className: 'other', status: { members: { total: 1, ready: 1, draining: 0 } } });
    reporter.start();
    expect([wish('a'), wish('b')]).toEqual([undefined, undefined]);
  });

  it('says once that it failed with one, and goes on with the others', () => {
    const { serve, facts, reporter, time, log, wish } = setUp();
    const found = serve('a');
    facts.set('shop/a', { ...factsOf(found), conditions: null as never });
    serve('b');
    reporter.start();
    time.advance(5_000);
    expect(log.take()).toEqual(['error a status cannot be made']);
    expect(wish('b')).toBeDefined();
    facts.set('shop/a', factsOf(found));
    time.advance(400);
    expect(wish('a')).toBeDefined();
  });

  describe('of a version that does not parse', () => {
    function refusal(
      generation: number,
      resourceVersion: string,
      more: Partial<RefusedBalancer> = {},
    ): RefusedBalancer {
      const { metadata, status } = balancerObject('a', { generation, resourceVersion });
      const problem = createProblem({ kind: 'Balancer', namespace: 'shop', name: 'a' }, 'spec.x', 'spec.x is 7');
      return { metadata, status, spec: {}, problems: [problem], ...more };
    }

    it('says so, and that the one before it is served on', () => {
      const { serve, refused, wish, fulfil, raise, told, time, reporter } = setUp();
      serve('a', { generation: 1 });
      reporter.start();
      const status = fulfil('a')!;
      time.advance(1_000);
      refused.set('shop/a', refusal(2, '5', { status }));
      time.advance(400);
      const wished = wish('a')!;
      expect(wished).toMatchObject({ basis: 'w1', before: status });
      expect(wished.status).toMatchObject({ observedGeneration: 2, members: { total: 2, ready: 2, draining: 0 } });
      expect(
        wished.status!.conditions!.map((each) => [each.type, each.status, each.reason, each.observedGeneration]),
      ).toEqual([
        ['Accepted', 'False', 'Invalid', 2],
        ['ResolvedRefs', 'True', 'ResolvedRefs', 1],
        ['Programmed', 'False', 'OlderVersion', 2],
        ['Ready', 'False', 'NotAccepted', 2],
      ]);
      expect(wished.status!.conditions![0]!.message).toBe(
        'This version cannot be read: spec.x is 7. The version before it is served on.',
      );
      const after = fulfil('a')!;
      expect(told).toContain('a Accepted False Invalid');
      refused.set('shop/a', refusal(2, '6', { status: after }));
      time.advance(100_000);
      expect(wish('a')).toBeUndefined();
      raise(1);
      time.advance(400);
      expect(wish('a')!.status!.members).toEqual({ total: 2, ready: 1, draining: 0 });
      const counted = fulfil('a')!;
      refused.set('shop/a', refusal(2, '7', { status: counted }));
      time.advance(10_000);
      expect(wish('a')).toBeUndefined();
      // Mended.
      refused.delete('shop/a');
      serve('a', { generation: 3, resourceVersion: '8', status: counted });
      time.advance(400);
      expect(wish('a')!.status!.conditions![0]).toMatchObject({ status: 'True', observedGeneration: 3 });
    });

    it('says that nothing is served where there is no other', () => {
      const { refused, wish, fulfil, told, time, reporter } = setUp();
      refused.set('shop/a', refusal(1, '5'));
      reporter.start();
      const { status, basis } = wish('a')!;
      expect(basis).toBe('5');
      expect(status).toMatchObject({ observedGeneration: 1, members: { total: 0, ready: 0, draining: 0 } });
      expect(status!.conditions!.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
        'Accepted Invalid',
        'Programmed NotServed',
        'Ready NotAccepted',
      ]);
      expect(status!.conditions![0]!.message).toMatch(/Nothing is served of it\.$/);
      fulfil('a');
      expect(told).toContain('a Accepted False Invalid');
      time.advance(4_000);
      expect(wish('a')).toBeUndefined();
    });

    it('says nothing of those of other classes', () => {
      const { refused, wish, looks, reporter } = setUp();
      refused.set('shop/a', refusal(1, '5', { spec: { className: 'other' } }));
      reporter.start();
      expect(looks).toEqual(['shop/a']);
      expect(wish('a')).toBeUndefined();
    });
  });
});
