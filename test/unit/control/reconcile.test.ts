import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/api/balancer.ts';
import { createNotice, createProblem, type Problem } from '../../../src/api/problem.ts';
import type { Unplaced } from '../../../src/control/publisher.ts';
import { Reconciler } from '../../../src/control/reconcile.ts';
import type { LocatedProblem, Reading } from '../../../src/provider/provider.ts';
import type { BalancerUnit, Snapshot } from '../../../src/snapshot/snapshot.ts';
import type { BalancerConditions } from '../../../src/translate/conditions.ts';
import { ManualTime } from '../lib/manual-time.ts';
import { balancer, RecordedLog, snapshotOf } from './fixtures.ts';

const served: BalancerConditions = {
  accepted: { isTrue: true, reason: 'Accepted', message: '' },
  resolvedRefs: { isTrue: true, reason: 'ResolvedRefs', message: '' },
};
const ref = { kind: 'Balancer', namespace: 'shop', name: 'a' };

/** A loop whose every neighbour does what the test says. */
function setUp() {
  const time = new ManualTime();
  const log = new RecordedLog();
  const state = {
    units: [balancer('a', ['m1'])] as readonly BalancerUnit[],
    problems: [] as readonly Problem[],
    documentProblems: [] as readonly LocatedProblem[],
    notices: [] as readonly Problem[],
    faults: [] as readonly string[],
    unplaced: [] as readonly Unplaced[],
    fault: null as Error | null,
    acknowledged: 0,
  };
  const published: Snapshot[] = [];
  let lastJson = '';
  let isChanging: () => void = () => {};
  let isStarted = false;
  const reading = (): Reading => {
    const balancers = new Map(state.units.map(({ key }) => [key, { balancer: {} as Balancer, age: 0 }]));
    return {
      resources: { balancers, services: new Map(), secrets: new Map(), endpointSlices: new Map() },
      problems: state.documentProblems,
      locate: ({ path }) => ({ file: 'app.yaml', line: path.length, column: 1 }),
    };
  };
  const reconciler = new Reconciler({
    provider: {
      start: async (onChange) => {
        isStarted = true;
        isChanging = onChange;
      },
      read: reading,
      stop: async () => {},
    },
    translator: {
      translate: () => {
        if (state.fault !== null) throw state.fault;
        const conditions = new Map(state.units.map(({ key }) => [key, served]));
        return { snapshot: snapshotOf(...state.units), problems: state.problems, conditions };
      },
    },
    checkSnapshot: () => state.faults,
    noticesFor: () => state.notices,
    publisher: {
      publish: (snapshot) => {
        const json = JSON.stringify([...snapshot.balancers]);
        const isNew = json !== lastJson;
        lastJson = json;
        if (isNew) published.push(snapshot);
        return { generation: published.length, isNew, sent: 1, dropped: 0, unplaced: state.unplaced };
      },
      generationOf: (key) => (published.at(-1)?.balancers.has(key) ? published.length : null),
      get acknowledged() {
        return state.acknowledged;
      },
    },
    clock: time.clock,
    timers: time.timers,
    random: () => 1,
    log,
  });
  return { time, log, state, published, reconciler, change: () => isChanging(), isStarted: () => isStarted };
}

describe('the loop', () => {
  it('makes its first pass as soon as the provider has read everything', async () => {
    const { reconciler, published, log } = setUp();
    await reconciler.start();
    expect(reconciler.passes).toBe(1);
    expect(published).toHaveLength(1);
    expect(log.lines[0]).toMatchObject({
      level: 'info',
      message: 'published a new generation',
      fields: { generation: 1, balancers: 1 },
    });
  });

  it('bundles a burst of changes into one pass', async () => {
    const { reconciler, time, change, state, published } = setUp();
    await reconciler.start();
    for (const members of [['m1', 'm2'], ['m2'], ['m3']]) {
      state.units = [balancer('a', members)];
      change();
      time.advance(5);
    }
    time.advance(100);
    expect(reconciler.passes).toBe(2);
    expect(published.at(-1)!.balancers.get('shop/a')!.members[0]!.identity).toBe('m3');
  });

  it('is not starved by constant change', async () => {
    const { reconciler, time, change } = setUp();
    await reconciler.start();
    for (let i = 0; i < 100; i += 1) {
      change();
      time.advance(10);
    }
    expect(reconciler.passes).toBeGreaterThanOrEqual(5);
  });

  it('says and does nothing while nothing changes', async () => {
    const { reconciler, time, change, log, published } = setUp();
    await reconciler.start();
    log.take();
    change();
    time.advance(100);
    expect(reconciler.passes).toBe(2);
    expect(log.take()).toEqual([]);
    expect(published).toHaveLength(1);
  });

  it('can be waited for by the number of the pass', async () => {
    const { reconciler, time, change } = setUp();
    await reconciler.start();
    await reconciler.whenPassed(1);
    const second = reconciler.whenPassed(2);
    change();
    time.advance(100);
    await second;
  });

  it('makes no pass after it was stopped', async () => {
    const { reconciler, time, change, state } = setUp();
    state.unplaced = [{ key: 'shop/a', message: 'full' }];
    await reconciler.start();
    change();
    reconciler.stop();
    change();
    time.advance(100_000);
    expect(reconciler.passes).toBe(1);
    expect(time.pending).toBe(0);
  });
});

describe('a pass that goes wrong', () => {
  it('is logged once, does not throw, and is tried again with growing delays', async () => {
    const { reconciler, time, log, state, published } = setUp();
    state.fault = new Error('broken invariant');
    await reconciler.start();
    time.advance(4_000);
    expect(reconciler.passes).toBe(3);
    expect(log.take()).toEqual(['error reconciling failed and is tried again; what was served stays']);
    state.fault = null;
    time.advance(30_000);
    expect(published).toHaveLength(1);
    expect(log.take()).toEqual(['info published a new generation', 'info reconciling works again']);
    expect(time.pending).toBe(0);
  });

  it('keeps what was published when the check refuses the snapshot, and says so once', async () => {
    const { reconciler, time, log, state, published, change } = setUp();
    await reconciler.start();
    log.take();
    state.acknowledged = 1;
    state.faults = ['rule x: there is no balancer y'];
    state.units = [balancer('a', ['m2'])];
    for (let i = 0; i < 3; i += 1) {
      change();
      time.advance(100);
    }
    expect(published).toHaveLength(1);
    expect(log.take()).toEqual(['error the new snapshot is not sound; what was served stays']);
    expect(reconciler.facts().get('shop/a')!.isProgrammed).toBe(false);
    state.faults = [];
    change();
    time.advance(100);
    expect(published).toHaveLength(2);
    expect(log.take()).toEqual(['info the snapshot is sound again', 'info published a new generation']);
  });
});

describe('problems', () => {
  it('are logged once when they appear, with their place, and once when they are resolved', async () => {
    const { reconciler, time, log, state, change } = setUp();
    state.problems = [createProblem(ref, 'spec.x', 'spec.x is wrong')];
    state.notices = [createNotice(ref, 'spec.tls', 'spec.tls is not in force yet')];
    await reconciler.start();
    expect(log.lines[0]).toEqual({
      level: 'warn',
      message: 'problem found',
      fields: { resource: 'Balancer shop/a', field: 'spec.x', problem: 'spec.x is wrong', at: 'app.yaml:6' },
    });
    expect(log.take()).toEqual(['warn problem found', 'info notice', 'info published a new generation']);
    change();
    time.advance(100);
    expect(log.take()).toEqual([]);
    expect(reconciler.problems.map(({ problem }) => problem.severity)).toEqual(['error', 'notice']);
    state.problems = [];
    change();
    time.advance(100);
    expect(log.lines[0]).toMatchObject({ fields: { resource: 'Balancer shop/a', problem: 'spec.x is wrong' } });
    expect(log.take()).toEqual(['info problem resolved']);
  });

  it('of documents keep the place that the provider gave', async () => {
    const { reconciler, log, state } = setUp();
    const location = { file: 'other.yaml', line: 3, column: 1 };
    state.documentProblems = [{ problem: createProblem(ref, '', 'cannot be parsed'), location }];
    await reconciler.start();
    expect(log.lines[0]!.fields).toMatchObject({ at: 'other.yaml:3' });
  });

  it('in masses do not flood the log', async () => {
    const { reconciler, log, state } = setUp();
    state.problems = Array.from({ length: 5_000 }, (_, index) => createProblem(ref, `spec.x[${index}]`, `no ${index}`));
    await reconciler.start();
    expect(log.lines.length).toBeLessThan(110);
    expect(log.lines.some(({ fields }) => fields.count === 4_900)).toBe(true);
    expect(reconciler.problems).toHaveLength(5_000);
  });

  it('of room name the Balancer and are tried again without a change', async () => {
    const { reconciler, time, log, state } = setUp();
    state.unplaced = [{ key: 'shop/a', message: 'there is room for 1 members' }];
    state.acknowledged = 1;
    await reconciler.start();
    expect(log.lines[0]!.fields).toMatchObject({ resource: 'Balancer shop/a', problem: 'there is room for 1 members' });
    expect(reconciler.facts().get('shop/a')!.isProgrammed).toBe(false);
    state.unplaced = [];
    time.advance(1_500);
    expect(reconciler.passes).toBe(2);
    expect(log.take().at(-1)).toBe('info problem resolved');
    expect(reconciler.facts().get('shop/a')!.isProgrammed).toBe(true);
    time.advance(60_000);
    expect(reconciler.passes).toBe(2);
  });
});

describe('what is known of a Balancer', () => {
  it('is nothing before the first pass', () => {
    expect(setUp().reconciler.facts().size).toBe(0);
  });

  it('is programmed once every lane that serves has its version', async () => {
    const { reconciler, state } = setUp();
    state.units = [balancer('a', ['m1', 'm2'])];
    await reconciler.start();
    expect(reconciler.facts().get('shop/a')).toEqual({ conditions: served, members: 2, isProgrammed: false });
    state.acknowledged = 1;
    expect(reconciler.facts().get('shop/a')!.isProgrammed).toBe(true);
  });
});
