// What a change of one EndpointSlice costs the leader in a large cluster: the parts are the real ones, from what the
// provider reads to what the writer is told.
import { expect, it } from 'vitest';
import type { EndpointSlice } from '../../../../src/api/endpoint-slice.ts';
import type { Resource } from '../../../../src/api/parse.ts';
import type { ResourceSet } from '../../../../src/api/resource-set.ts';
import { Publisher } from '../../../../src/control/publisher.ts';
import { Reconciler } from '../../../../src/control/reconcile.ts';
import { StatusReporter } from '../../../../src/control/status/status-reporter.ts';
import type { StatusWish } from '../../../../src/control/status/status-writer.ts';
import { ChangeLog } from '../../../../src/lib/change-log.ts';
import type { Changes } from '../../../../src/provider/provider.ts';
import { ControlScoreboard } from '../../../../src/scoreboard/control-side.ts';
import { allocateScoreboard } from '../../../../src/scoreboard/layout.ts';
import { createTranslator } from '../../../../src/translate/translate.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { balancer, endpoint, service, setOf, slice } from '../../translate/resources.ts';
import { testOptions } from '../../translate/test-options.ts';
import { RecordedLog } from '../fixtures.ts';
import { balancerObject } from './fixtures.ts';

const BALANCERS = 1_000;

function sliceOf(index: number, endpoints: number): Resource {
  const list = Array.from({ length: endpoints }, (_, place) => endpoint(index * 4 + place));
  return slice(`s${index}-1`, `s${index}`, list);
}

async function leader() {
  const time = new ManualTime();
  const log = new RecordedLog();
  const resources: Resource[] = [];
  for (let index = 0; index < BALANCERS; index += 1) {
    const members = [{ service: { name: `s${index}`, port: 'http' } }];
    const rules = [{ hosts: [`b${index}.example`] }];
    resources.push(service(`s${index}`), sliceOf(index, 2), balancer(`b${index}`, { rules, members }));
  }
  const set = setOf(resources);
  const slices = set.endpointSlices as Map<string, readonly EndpointSlice[]>;
  // As the API server has them.
  for (const { balancer: object } of set.balancers.values()) {
    Object.assign(object.metadata, balancerObject(object.metadata.name).metadata);
  }
  const state = { version: 1, changes: null as Changes | null, tell: (): void => undefined };
  const scoreboard = new ControlScoreboard(allocateScoreboard(BALANCERS * 4, BALANCERS + 1, 1));
  const publisher = new Publisher(scoreboard, {
    send: () => time.timers.set(() => publisher.laneSaid(0, { type: 'applied', generation: publisher.generation }), 5),
  });
  publisher.laneStarted(0);
  const reconciler = new Reconciler({
    provider: {
      start: async (onChange) => {
        state.tell = onChange;
      },
      read: () => ({ ...state, resources: set as ResourceSet, problems: [], locate: () => null }),
      stop: async () => undefined,
    },
    translator: createTranslator(testOptions),
    checkSnapshot: () => [],
    checkBalancer: () => [],
    noticesFor: () => [],
    publisher,
    clock: time.clock,
    timers: time.timers,
    random: () => 1,
    log,
  });
  const work = { looks: [] as string[], facts: 0, placed: 0, wished: 0 };
  const newestChanges = new ChangeLog();
  const newest = new Map([...set.balancers].map(([key, aged]) => [key, aged.balancer]));
  let wishes: ReadonlyMap<string, StatusWish> = new Map();
  const reporter = new StatusReporter({
    reconciler: {
      get passes() {
        return reconciler.passes;
      },
      changes: reconciler.changes,
      factsOf: (key) => {
        work.looks.push(key);
        const facts = reconciler.factsOf(key);
        if (facts !== undefined) work.facts += 1;
        return facts;
      },
    },
    publisher: {
      get acknowledged() {
        return publisher.acknowledged;
      },
      changes: publisher.changes,
      placedOf: (key) => {
        work.placed += 1;
        return publisher.placedOf(key);
      },
    },
    shared: scoreboard.shared,
    newest,
    refused: new Map(),
    newestChanges,
    isOurs: () => true,
    addresses: () => null,
    isLeading: () => true,
    writer: {
      wish: (all) => {
        work.wished += all.size;
        wishes = new Map(all);
      },
    },
    onTransition: () => undefined,
    clock: time.clock,
    timers: time.timers,
    log,
  });
  /** The writer does all that is wished for, and the watch shows it. */
  const fulfil = (): void => {
    for (const [key, wish] of wishes) {
      const before = newest.get(key)!;
      const metadata = { ...before.metadata, resourceVersion: `${time.clock.nowMs()} ${key}` };
      reporter.onWritten(key, wish, metadata.resourceVersion);
      newest.set(key, { ...before, metadata, status: wish.status! });
      newestChanges.note(key);
    }
  };
  await reconciler.start();
  time.advance(10);
  reporter.start();
  return {
    time,
    work,
    newest,
    fulfil,
    /** The watch brings another version of the slice of one Service. */
    change(index: number, endpoints: number): void {
      slices.set(`shop/s${index}`, [sliceOf(index, endpoints) as EndpointSlice]);
      state.changes = { since: state.version, services: new Set([`shop/s${index}`]) };
      state.version += 1;
      state.tell();
    },
  };
}

it('a change of one EndpointSlice leads to looks at its Balancer only, among a thousand', async () => {
  const { time, work, newest, change, fulfil } = await leader();
  expect(work.looks).toHaveLength(BALANCERS);
  fulfil();
  time.advance(20_000);
  fulfil();
  expect(newest.get('shop/b7')!.status!.members).toEqual({ total: 2, ready: 2, draining: 0 });
  // Everything was looked at a moment ago, and is not again before the end of this.
  time.advance(10_500);
  for (const endpoints of [3, 1]) {
    Object.assign(work, { looks: [], facts: 0, placed: 0, wished: 0 });
    change(7, endpoints);
    time.advance(1_000);
    fulfil();
    time.advance(9_000);
    expect(newest.get('shop/b7')!.status!.members!.total).toBe(endpoints);
    expect(new Set(work.looks)).toEqual(new Set(['shop/b7']));
    for (const count of [work.looks.length, work.facts, work.placed, work.wished]) expect(count).toBeLessThan(20);
  }
});
