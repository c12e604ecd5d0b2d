import { describe, expect, it } from 'vitest';
import { type StatusWish, StatusWriter } from '../../../../src/control/status/status-writer.ts';
import { ApiError } from '../../../../src/provider/kubernetes/api-error.ts';
import type { StatusTarget } from '../../../../src/provider/kubernetes/status-client.ts';
import { ManualTime } from '../../lib/manual-time.ts';
import { RecordedLog } from '../fixtures.ts';

/** A request that a test answers. */
interface Call {
  readonly name: string;
  readonly atMs: number;
  readonly total: number | null;
  /** resourceVersion that it is made over. */
  readonly over: string;
  readonly resolve: (resourceVersion: string) => void;
  readonly reject: (error: unknown) => void;
}

function setUp() {
  const time = new ManualTime();
  const log = new RecordedLog();
  const state = { isLeading: true, isOurs: true, uid: null as string | null, version: 'v1' };
  const calls: Call[] = [];
  const written: string[] = [];
  const writer = new StatusWriter({
    client: {
      apply: ({ name }, status, over, signal) => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        signal.addEventListener('abort', () => reject(signal.reason));
        calls.push({ name, atMs: time.clock.nowMs(), total: status?.members?.total ?? null, over, resolve, reject });
        return promise;
      },
      read: async ({ uid }) => ({ uid: state.uid ?? uid, resourceVersion: state.version, isOurs: state.isOurs }),
    },
    isLeading: () => state.isLeading,
    onWritten: (key, _, version) => void written.push(`${key} ${version}`),
    clock: time.clock,
    timers: time.timers,
    random: () => 0.5,
    log,
  });
  const advance = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 10) {
      time.advance(Math.min(10, left));
      await settle();
    }
  };
  return { time, log, state, calls, written, writer, advance };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await null;
}

function wishes(...entries: readonly (readonly [name: string, total: number | null])[]): Map<string, StatusWish> {
  return new Map(
    entries.map(([name, total]) => {
      const target: StatusTarget = { namespace: 'shop', name, uid: `uid-${name}` };
      const status = total === null ? null : { members: { total, ready: 0, draining: 0 } };
      return [`shop/${name}`, { target, status, before: undefined, basis: 'v1' }];
    }),
  );
}

describe('the writer of statuses', () => {
  it('writes a wish once, and says so', async () => {
    const { calls, writer, written, advance } = setUp();
    writer.wish(wishes(['a', 1]));
    await settle();
    expect(calls.map(({ name, total }) => [name, total])).toEqual([['a', 1]]);
    calls[0]!.resolve('v2');
    await advance(5_000);
    expect(calls).toHaveLength(1);
    expect(written).toEqual(['shop/a v2']);
    expect(writer.counts).toEqual({ written: 1, unchanged: 0, conflict: 0, gone: 0, failed: 0 });
  });

  it('counts what the server found to be so already', async () => {
    const { calls, writer } = setUp();
    writer.wish(wishes(['a', 1]));
    calls[0]!.resolve('v1');
    await settle();
    expect(writer.counts).toMatchObject({ written: 0, unchanged: 1 });
  });

  it('writes a Balancer at most once a second, and only the newest wish', async () => {
    const { calls, writer, advance } = setUp();
    for (let total = 0; total < 300; total += 1) {
      writer.wish(wishes(['a', total]));
      calls.at(-1)!.resolve(`v${total + 2}`);
      await advance(10);
    }
    await advance(2_000);
    const times = calls.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThanOrEqual(3);
    for (const [index, atMs] of times.entries()) {
      if (index > 0) expect(atMs - times[index - 1]!).toBeGreaterThanOrEqual(1_000);
    }
    expect(calls.at(-1)!.total).toBe(299);
  });

  it('forgets a wish that nobody has any more', async () => {
    const { calls, writer, advance } = setUp();
    writer.wish(wishes(['a', 1]));
    calls[0]!.resolve('v2');
    await settle();
    writer.wish(wishes(['a', 2]));
    await advance(500);
    writer.wish(wishes());
    await advance(5_000);
    expect(calls).toHaveLength(1);
  });

  it('spreads many over time, a few at once', async () => {
    const { calls, writer, advance } = setUp();
    const names = Array.from({ length: 60 }, (_, index) => [`b${index}`, 1] as const);
    writer.wish(wishes(...names));
    await advance(1_000);
    expect(calls).toHaveLength(4);
    for (let done = 0; done < 60; done += 1) {
      calls[done]!.resolve('v2');
      await advance(20);
    }
    expect(calls).toHaveLength(60);
    for (let index = 10; index < 60; index += 1) {
      expect(calls[index]!.atMs - calls[index - 1]!.atMs).toBeGreaterThanOrEqual(19);
    }
  });

  it('tries one that fails less and less often, while others go on', async () => {
    const { calls, writer, log, advance } = setUp();
    const ofA: number[] = [];
    for (let ms = 0; ms < 120_000; ms += 100) {
      writer.wish(wishes(['a', 1], ['b', ms]));
      await settle();
      for (const call of calls.splice(0)) {
        if (call.name === 'b') call.resolve(`v${ms}`);
        else {
          ofA.push(call.atMs);
          call.reject(new ApiError('PATCH a: 500 Internal', { status: 500, reason: 'InternalError' }));
        }
      }
      await advance(100);
    }
    expect(writer.counts.written).toBeGreaterThan(90);
    expect(ofA.length).toBeGreaterThan(4);
    expect(ofA.length).toBeLessThan(14);
    expect(log.take()).toEqual(['warn a status cannot be written; trying on']);
    writer.wish(wishes(['a', 1]));
    await advance(60_000);
    calls.at(-1)!.resolve('v2');
    await settle();
    writer.wish(wishes());
    expect(log.take()).toEqual(['info statuses can be written again']);
  });

  it('does not wait out its delays once the API server answers again, but for faults of the Balancer itself', async () => {
    const { calls, writer, advance } = setUp();
    const faults: Readonly<Record<string, ApiError>> = {
      away: new ApiError('refused', { reason: 'Unreachable' }),
      ill: new ApiError('500', { status: 500, reason: 'InternalError' }),
      bad: new ApiError('422', { status: 422, reason: 'Invalid' }),
    };
    for (let ms = 0; ms < 60_000; ms += 100) {
      writer.wish(wishes(['away', 1], ['ill', 1], ['bad', 1]));
      await settle();
      for (const call of calls.splice(0)) call.reject(faults[call.name]);
      await advance(100);
    }
    // All have just been tried in vain, or wait for long.
    writer.wish(wishes(['away', 2], ['ill', 2], ['bad', 2]));
    calls.length = 0;
    writer.retrySoon();
    await advance(100);
    expect(calls.map(({ name, total }) => [name, total])).toEqual([
      ['away', 2],
      ['ill', 2],
    ]);
    // It begins anew with short delays.
    for (const call of calls.splice(0)) call.reject(faults[call.name]);
    writer.wish(wishes(['away', 3]));
    await advance(1_100);
    expect(calls.map(({ total }) => total)).toEqual([3]);
  });

  it('spares a server that has too much to do, with all Balancers and for as long as it asks', async () => {
    const { calls, writer, advance } = setUp();
    writer.wish(wishes(['a', 1]));
    calls[0]!.reject(new ApiError('429', { status: 429, reason: 'TooManyRequests', retryAfterMs: 7_000 }));
    await settle();
    writer.wish(wishes(['a', 1], ['b', 1]));
    await advance(6_900);
    expect(calls).toHaveLength(1);
    await advance(300);
    expect(calls.map(({ name }) => name)).toEqual(['a', 'a', 'b']);
  });

  it('takes it as an ordinary end that a Balancer is gone', async () => {
    const { calls, writer, log, written } = setUp();
    writer.wish(wishes(['a', 1]));
    calls[0]!.reject(new ApiError('no', { status: 404 }));
    await settle();
    expect(writer.counts).toEqual({ written: 0, unchanged: 0, conflict: 0, gone: 1, failed: 0 });
    expect(log.take()).toEqual([]);
    expect(written).toEqual([]);
  });

  it('writes over a newer version of a Balancer at once', async () => {
    const { calls, writer, state, written } = setUp();
    writer.wish(wishes(['a', 1]));
    state.version = 'v7';
    calls[0]!.reject(new ApiError('no', { status: 409 }));
    await settle();
    expect(calls.map(({ over }) => over)).toEqual(['v1', 'v7']);
    calls[1]!.resolve('v8');
    await settle();
    expect(written).toEqual(['shop/a v8']);
    expect(writer.counts).toMatchObject({ written: 1, conflict: 1 });
  });

  it('does not write to a Balancer that was deleted and made anew', async () => {
    const { calls, writer, state, written, log, advance } = setUp();
    writer.wish(wishes(['a', 1]));
    state.uid = 'another';
    calls[0]!.reject(new ApiError('no', { status: 409 }));
    await advance(5_000);
    expect(calls).toHaveLength(1);
    expect(written).toEqual([]);
    expect(log.take()).toEqual([]);
  });

  it('lets a Balancer that changes all the time have a second of rest now and then', async () => {
    const { calls, writer, advance } = setUp();
    writer.wish(wishes(['a', 1]));
    for (let turn = 0; turn < 3; turn += 1) {
      calls[turn]!.reject(new ApiError('no', { status: 409 }));
      await settle();
    }
    writer.wish(wishes(['a', 1]));
    await advance(900);
    expect(calls).toHaveLength(3);
    await advance(200);
    expect(calls).toHaveLength(4);
  });

  it('does not write over a newer version once it does not lead', async () => {
    const { calls, writer, state } = setUp();
    writer.wish(wishes(['a', 1]));
    state.isLeading = false;
    calls[0]!.reject(new ApiError('no', { status: 409 }));
    await settle();
    expect(calls).toHaveLength(1);
  });

  it('writes nothing once it does not lead, not even what it wished for before', async () => {
    const { calls, writer, state, advance } = setUp();
    writer.wish(wishes(...Array.from({ length: 10 }, (_, index) => [`b${index}`, 1] as const)));
    await advance(1_000);
    expect(calls).toHaveLength(4);
    state.isLeading = false;
    for (const call of calls) call.resolve('v2');
    await advance(60_000);
    expect(calls).toHaveLength(4);
  });

  it('clears a status only where it is ours', async () => {
    const { calls, writer, state, written, advance } = setUp();
    writer.wish(wishes(['a', null]));
    await settle();
    expect(calls.map(({ total }) => total)).toEqual([null]);
    calls[0]!.resolve('v2');
    state.isOurs = false;
    writer.wish(wishes(['b', null]));
    await advance(100);
    expect(calls).toHaveLength(1);
    // Of the other one it is known now that there is nothing to clear.
    expect(written).toEqual(['shop/a v2', 'shop/b v1']);
  });

  it('does not clear a status if it ceased to lead while it found out whose it is', async () => {
    const { calls, writer, state } = setUp();
    writer.wish(wishes(['a', null]));
    state.isLeading = false;
    await settle();
    expect(calls).toEqual([]);
  });

  it('stops when what is under way has ended', async () => {
    const { calls, writer, advance } = setUp();
    writer.wish(wishes(['a', 1], ['b', 1], ['c', 1], ['d', 1], ['e', 1]));
    await advance(200);
    const stopped = writer.stop();
    for (const call of calls) call.resolve('v2');
    expect(await stopped).toBe(true);
    await advance(5_000);
    expect(calls).toHaveLength(4);
  });

  it('cuts what does not end, and says so', async () => {
    const { writer, advance, log } = setUp();
    writer.wish(wishes(['a', 1]));
    await settle();
    const stopped = writer.stop();
    await advance(2_100);
    expect(await stopped).toBe(false);
    expect(log.take()).toEqual([]);
  });
});
