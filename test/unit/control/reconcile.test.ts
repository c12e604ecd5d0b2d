import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/api/balancer.ts';
import { type Pod, parsePod } from '../../../src/api/pod.ts';
import { createNotice, createProblem, type Problem } from '../../../src/api/problem.ts';
import type { Unplaced } from '../../../src/control/publisher.ts';
import type { AgedBalancer } from '../../../src/api/resource-set.ts';
import { Reconciler } from '../../../src/control/reconcile.ts';
import type { Changes, LocatedProblem, Reading } from '../../../src/provider/provider.ts';
import type { BalancerUnit, Snapshot } from '../../../src/snapshot/snapshot.ts';
import type { BalancerConditions } from '../../../src/translate/conditions.ts';
import { ManualTime } from '../lib/manual-time.ts';
import { balancer, member, RecordedLog, snapshotOf } from './fixtures.ts';

const hostRecord = { className: 'evenkeel', hosts: ['a.example.com'] };
const served: BalancerConditions = {
  accepted: { isTrue: true, reason: 'Accepted', message: '' },
  resolvedRefs: { isTrue: true, reason: 'ResolvedRefs', message: '' },
};

function resourceOf({ namespace, name }: BalancerUnit): Balancer {
  return { kind: 'Balancer', metadata: { namespace, name }, spec: { drain: { timeout: '10m' } } } as Balancer;
}

const ref = { kind: 'Balancer', namespace: 'shop', name: 'a' };

/** A loop whose every neighbour does what the test says. */
function setUp() {
  const time = new ManualTime();
  const log = new RecordedLog();
  const state = {
    units: [balancer('a', ['m1'])] as readonly BalancerUnit[],
    version: 1,
    changes: null as Changes | null,
    problems: [] as readonly Problem[],
    documentProblems: [] as readonly LocatedProblem[],
    notices: [] as readonly Problem[],
    faults: [] as readonly string[],
    unplaced: [] as readonly Unplaced[],
    fault: null as Error | null,
    acknowledged: 0,
    balancers: null as ReadonlyMap<string, AgedBalancer> | null,
    pods: undefined as ReadonlyMap<string, Pod> | undefined,
  };
  const published: Snapshot[] = [];
  /** What the translator was asked for. */
  const looks: string[] = [];
  let lastJson = '';
  let isChanging: () => void = () => {};
  let isStarted = false;
  const reading = (): Reading => {
    const balancers = new Map(state.units.map((unit) => [unit.key, { balancer: resourceOf(unit), age: 0 }]));
    return {
      version: state.version,
      changes: state.changes,
      resources: {
        balancers: state.balancers ?? balancers,
        services: new Map(),
        secrets: new Map(),
        endpointSlices: new Map(),
        ...(state.pods === undefined ? {} : { pods: state.pods }),
      },
      problems: state.documentProblems,
      locate: ({ path }) => ({ file: 'app.yaml', line: path.length, column: 1 }),
    };
  };
  const translated = (unit: BalancerUnit) => ({ unit, problems: state.problems, conditions: served, hostRecord });
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
        looks.push('all');
        if (state.fault !== null) throw state.fault;
        const found = state.units.map((unit) => [unit.key, translated(unit)]);
        return { snapshot: snapshotOf(...state.units), balancers: new Map(found as []) };
      },
      translateServices: (_, services) => {
        looks.push([...services].join());
        const found = state.units.filter(({ key }) => services.has(key));
        return new Map(found.map((unit) => [unit.key, translated(unit)]));
      },
    },
    checkSnapshot: () => state.faults,
    checkBalancer: () => state.faults,
    noticesFor: () => state.notices,
    publisher: {
      publish: (snapshot) => {
        const json = JSON.stringify([...snapshot.balancers]);
        const isNew = json !== lastJson;
        lastJson = json;
        if (isNew) published.push(snapshot);
        return { generation: published.length, isNew, sent: 1, dropped: 0, unplaced: state.unplaced };
      },
      publishBalancers: (units) => {
        const changed = [...units];
        const before = [...published.at(-1)!.balancers.values()];
        published.push(
          snapshotOf(...before.filter(({ key }) => !changed.some((unit) => unit.key === key)), ...changed),
        );
        return { generation: published.length, isNew: true, sent: 1, dropped: 0, unplaced: state.unplaced };
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
  return { time, log, state, published, looks, reconciler, change: () => isChanging(), isStarted: () => isStarted };
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
    expect(reconciler.factsOf('shop/a')!.isProgrammed).toBe(false);
    expect(reconciler.factsOf('shop/a')!.hindrance).toEqual({
      reason: 'SnapshotRefused',
      message: 'What was served stays, since the new snapshot is not sound: rule x: there is no balancer y.',
    });
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
    expect(reconciler.factsOf('shop/a')).toMatchObject({
      isProgrammed: false,
      hindrance: { reason: 'NoRoom', message: 'It found no room: there is room for 1 members.' },
    });
    state.unplaced = [];
    time.advance(1_500);
    expect(reconciler.passes).toBe(2);
    expect(log.take().at(-1)).toBe('info problem resolved');
    expect(reconciler.factsOf('shop/a')!.isProgrammed).toBe(true);
    time.advance(60_000);
    expect(reconciler.passes).toBe(2);
  });
});

describe('what is known of a Balancer', () => {
  it('is nothing before the first pass', () => {
    expect(setUp().reconciler.factsOf('shop/a')).toBeUndefined();
  });

  it('is programmed once every lane that serves has its version', async () => {
    const { reconciler, state } = setUp();
    state.units = [balancer('a', ['m1', 'm2'])];
    await reconciler.start();
    expect(reconciler.factsOf('shop/a')).toEqual({
      balancer: resourceOf(balancer('a', [])),
      conditions: served,
      hostRecord,
      members: 2,
      draining: 0,
      isProgrammed: false,
      hindrance: null,
    });
    state.acknowledged = 1;
    expect(reconciler.factsOf('shop/a')!.isProgrammed).toBe(true);
  });
});

describe('the keys of what changed', () => {
  async function started() {
    const parts = setUp();
    parts.state.units = [balancer('a', ['m1']), balancer('b', ['m1'])];
    await parts.reconciler.start();
    const { reconciler, time, change } = parts;
    const changesOf = (changes: Partial<typeof parts.state>): readonly string[] | null => {
      const { version } = reconciler.changes;
      Object.assign(parts.state, changes);
      change();
      time.advance(100);
      const keys = reconciler.changes.since(version);
      return keys && [...keys];
    };
    // The same objects each time, as from a provider.
    const objects = new Map(parts.state.units.map((unit) => [unit.key, { balancer: resourceOf(unit), age: 0 }]));
    parts.state.balancers = objects;
    changesOf({});
    return { ...parts, changesOf };
  }

  it('are those of Balancers of which something else is known, those that are gone, or any', async () => {
    const { state, changesOf } = await started();
    expect(changesOf({})).toEqual([]);
    const [a, b] = state.units as [BalancerUnit, BalancerUnit];
    expect(changesOf({ units: [a, balancer('b', ['m2'])] })).toEqual(['shop/b']);
    expect(changesOf({ units: [a] })).toEqual(['shop/b']);
    expect(changesOf({ units: [a, b] })).toEqual(['shop/b']);
    const unplaced = [{ key: 'shop/a', message: 'full' }];
    expect(changesOf({ unplaced: unplaced })).toEqual(['shop/a']);
    expect(changesOf({ unplaced: [] })).toEqual(['shop/a']);
    // What keeps a snapshot back keeps all of it back.
    expect(changesOf({ faults: ['broken'] })).toBeNull();
    expect(changesOf({})).toEqual([]);
    expect(changesOf({ faults: [] })).toBeNull();
  });
});

describe('a change of Services alone', () => {
  async function started() {
    const parts = setUp();
    parts.state.units = [balancer('a', ['m1']), balancer('b', ['m1'])];
    await parts.reconciler.start();
    const pass = (changes: Changes | null) => {
      parts.state.version += 1;
      parts.state.changes = changes;
      parts.change();
      parts.time.advance(100);
      return parts.looks.at(-1);
    };
    return { ...parts, pass };
  }
  const services = new Set(['shop/a']);

  it('leads to a look at their Balancers only, and the others stay as they are', async () => {
    const { state, pass, published, reconciler } = await started();
    state.units = [balancer('a', ['m1', 'm2']), balancer('b', ['m9'])];
    expect(pass({ since: 1, services })).toBe('shop/a');
    const membersOf = (key: string) =>
      published
        .at(-1)!
        .balancers.get(key)!
        .members.map(({ identity }) => identity);
    expect([membersOf('shop/a'), membersOf('shop/b')]).toEqual([['m1', 'm2'], ['m1']]);
    expect(reconciler.factsOf('shop/a')!.members).toBe(2);
    expect(reconciler.factsOf('shop/b')).toBeDefined();
  });

  it('is a look at everything when it does not follow on what was looked at last', async () => {
    const { pass } = await started();
    expect(pass({ since: 1, services })).toBe('shop/a');
    expect(pass({ since: 1, services })).toBe('all');
    expect(pass({ since: 3, services })).toBe('shop/a');
    expect(pass(null)).toBe('all');
  });

  it('is a look at everything after a pass that was refused, found no room or threw', async () => {
    const { state, pass, time } = await started();
    state.faults = ['a fault of ours'];
    expect(pass({ since: 1, services })).toBe('shop/a');
    state.faults = [];
    expect(pass({ since: 2, services })).toBe('all');
    state.unplaced = [{ key: 'shop/a', message: 'full' }];
    expect(pass({ since: 3, services })).toBe('shop/a');
    state.unplaced = [];
    time.advance(2_000);
    expect(pass({ since: 4, services })).toBe('shop/a');
    state.fault = new Error('broken');
    expect(pass(null)).toBe('all');
    state.fault = null;
    expect(pass({ since: 5, services })).toBe('all');
  });

  it('tells problems that appear and those that are resolved, of the Balancers looked at', async () => {
    const { state, pass, log, reconciler } = await started();
    log.take();
    state.problems = [createProblem(ref, 'spec.members', 'no endpoints')];
    pass({ since: 1, services });
    expect(log.take()).toEqual(['warn problem found', 'info published a new generation']);
    expect(reconciler.problems).toHaveLength(1);
    state.problems = [];
    pass({ since: 2, services });
    expect(log.take()).toEqual(['info problem resolved', 'info published a new generation']);
    expect(reconciler.problems).toEqual([]);
  });
});

describe('drains', () => {
  const draining = (timeoutMs: number): BalancerUnit => {
    const unit = balancer('a', [member('m1', { state: 'Draining' }), member('m2')]);
    return { ...unit, drain: { ...unit.drain, timeoutMs } };
  };
  const statesOf = (snapshot: Snapshot | undefined, key = 'shop/a'): readonly string[] | undefined =>
    snapshot?.balancers.get(key)?.members.map(({ state }) => state);

  it('end by themselves, without a look at anything else', async () => {
    const { reconciler, time, state, published, looks } = setUp();
    state.units = [draining(5_000), balancer('b', ['m3'])];
    await reconciler.start();
    expect(statesOf(published.at(-1))).toEqual(['Draining', 'Enabled']);
    expect(reconciler.factsOf('shop/a')).toMatchObject({ members: 2, draining: 1 });
    looks.length = 0;
    time.advance(4_999);
    expect(reconciler.passes).toBe(1);
    time.advance(100);
    expect(reconciler.passes).toBe(2);
    expect(looks).toEqual(['']);
    expect(statesOf(published.at(-1))).toEqual(['Drained', 'Enabled']);
    time.advance(1_000_000);
    expect(reconciler.passes).toBe(2);
  });

  it('go on through changes, and end in the pass that a change brings', async () => {
    const { reconciler, time, state, published, change } = setUp();
    state.units = [draining(5_000)];
    await reconciler.start();
    time.advance(3_000);
    state.units = [{ ...draining(5_000), lbMethod: 'bytraffic' }];
    change();
    time.advance(1_990);
    expect(statesOf(published.at(-1))).toEqual(['Draining', 'Enabled']);
    state.units = [{ ...draining(5_000), lbMethod: 'bybusyness' }];
    change();
    time.advance(100);
    expect(statesOf(published.at(-1))).toEqual(['Drained', 'Enabled']);
    expect(published.at(-1)?.balancers.get('shop/a')?.lbMethod).toBe('bybusyness');
  });

  it('are not waited for after the end, nor for Balancers that are gone', async () => {
    const { reconciler, time, state, change } = setUp();
    state.units = [draining(5_000), balancer('b', ['m3'])];
    await reconciler.start();
    state.units = [balancer('b', ['m3'])];
    change();
    time.advance(100);
    expect(time.pending).toBe(0);
    state.units = [draining(5_000)];
    change();
    time.advance(100);
    expect(time.pending).toBe(1);
    reconciler.stop();
    expect(time.pending).toBe(0);
  });

  it('are not tried again and again while translating fails', async () => {
    const { reconciler, time, state, change } = setUp();
    state.units = [draining(5_000)];
    await reconciler.start();
    state.fault = new Error('boom');
    change();
    time.advance(6_000);
    expect(reconciler.passes).toBeLessThan(10);
  });

  it('tells of pods that are killed before their drain is over, while it knows of Pods', async () => {
    const { state, reconciler, change, time } = setUp();
    const app = balancer('a', [member('m1', { pod: 'shop/app-1' })]);
    state.units = [{ ...app, drain: { ...app.drain, timeoutMs: 600_000 } }];
    await reconciler.start();
    expect(reconciler.problems).toEqual([]);
    const metadata = { name: 'app-1', namespace: 'shop' };
    for (const [graceSeconds, count] of [
      [30, 1],
      [600, 0],
    ]) {
      const pod = parsePod({ metadata, spec: { terminationGracePeriodSeconds: graceSeconds } })!;
      state.pods = new Map([['shop/app-1', pod]]);
      change();
      time.advance(100);
      expect(reconciler.problems.map(({ problem }) => problem.path)).toEqual(Array(count).fill('spec.drain.timeout'));
    }
  });
});
