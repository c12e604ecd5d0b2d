import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../../src/provider/kubernetes/api-error.ts';
import { type EventReport, EventRecorder } from '../../../../src/provider/kubernetes/event-recorder.ts';
import { RecordedLog } from '../../control/fixtures.ts';
import { ManualTime } from '../../lib/manual-time.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly contentType: string | undefined;
}

function setUp() {
  const time = new ManualTime();
  const log = new RecordedLog();
  const sent: Sent[] = [];
  const state = { isLeading: true, fault: null as Error | null, tries: 0 };
  let drawn = 0;
  const recorder = new EventRecorder({
    api: {
      request: async (method, path, { body, contentType } = {}) => {
        state.tries += 1;
        if (state.fault !== null) throw state.fault;
        sent.push({ method, path, body: body as Sent['body'], contentType });
        return {};
      },
    },
    reportingController: 'example.com/controller',
    reportingInstance: 'pod-1',
    isLeading: () => state.isLeading,
    clock: time.clock,
    timers: time.timers,
    random: () => {
      drawn += 1;
      return drawn / 2 ** 48;
    },
    log,
    timeoutMs: 5_000,
  });
  const advance = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      time.advance(Math.min(100, left));
      for (let turn = 0; turn < 20; turn += 1) await null;
    }
  };
  return { recorder, sent, state, log, advance };
}

function report(reason: string, changes: Partial<EventReport> = {}, name = 'a'): EventReport {
  return {
    regarding: { apiVersion: 'example.com/v1', kind: 'Thing', namespace: 'shop', name, uid: `uid-${name}` },
    type: 'Normal',
    reason,
    action: 'Look',
    note: 'It is so.',
    ...changes,
  };
}

describe('events', () => {
  it('are what the API server takes', async () => {
    const { recorder, sent, advance } = setUp();
    recorder.report(report('Ready'));
    await advance(100);
    expect(sent).toEqual([
      {
        method: 'POST',
        path: '/apis/events.k8s.io/v1/namespaces/shop/events',
        contentType: 'application/json',
        body: {
          apiVersion: 'events.k8s.io/v1',
          kind: 'Event',
          metadata: { name: 'a.000000000001', namespace: 'shop' },
          eventTime: '1970-01-01T00:00:01.000000Z',
          reportingController: 'example.com/controller',
          reportingInstance: 'pod-1',
          action: 'Look',
          reason: 'Ready',
          type: 'Normal',
          regarding: { apiVersion: 'example.com/v1', kind: 'Thing', namespace: 'shop', name: 'a', uid: 'uid-a' },
          note: 'It is so.',
        },
      },
    ]);
    expect(recorder.counts.created).toBe(1);
  });

  it('have names and notes that fit', async () => {
    const { recorder, sent, advance } = setUp();
    recorder.report(report('Ready', { note: 'ä'.repeat(600) }, `${'a'.repeat(239)}.${'b'.repeat(13)}`));
    await advance(100);
    const { metadata, note } = sent[0]!.body as { metadata: { name: string }; note: string };
    expect(metadata.name).toBe(`${'a'.repeat(239)}.000000000001`);
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(note).toMatch(/^ä{510}…$/);
  });

  it('that say the same again are one series, written once a minute', async () => {
    const { recorder, sent, advance } = setUp();
    for (let second = 0; second < 130; second += 1) {
      recorder.report(report('Ready'));
      await advance(1_000);
    }
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH']);
    expect(sent[1]).toMatchObject({
      path: '/apis/events.k8s.io/v1/namespaces/shop/events/a.000000000001',
      contentType: 'application/merge-patch+json',
    });
    expect((sent[2]!.body.series as { count: number }).count).toBeGreaterThan(115);
    // The rest is not lost.
    await advance(120_000);
    expect(sent.at(-1)!.body.series).toMatchObject({ count: 130 });
    expect(recorder.counts).toMatchObject({ created: 1, repeated: 129 });
    await advance(400_000);
    recorder.report(report('Ready'));
    await advance(100);
    expect(sent.at(-1)!.method).toBe('POST');
  });

  it('about one object come a few times a minute at most, whatever they say', async () => {
    const { recorder, sent, advance } = setUp();
    for (let turn = 0; turn < 600; turn += 1) {
      recorder.report(report(`Reason${turn}`));
      await advance(100);
    }
    expect(sent.length).toBeGreaterThanOrEqual(8);
    expect(sent.length).toBeLessThanOrEqual(9);
    recorder.report(report('Ready', {}, 'b'));
    await advance(200);
    expect(sent.at(-1)!.body.regarding).toMatchObject({ name: 'b' });
    expect(recorder.counts.suppressed).toBeGreaterThan(580);
  });

  it('wait in line, and are dropped when the line is long', async () => {
    const { recorder, sent, advance } = setUp();
    for (let turn = 0; turn < 2_200; turn += 1) recorder.report(report('Ready', {}, `b${turn}`));
    await advance(1_000);
    expect(sent.length).toBeLessThan(15);
    await advance(240_000);
    expect(sent.length + recorder.counts.dropped).toBe(2_200);
    expect(recorder.counts.dropped).toBe(199);
    // What was dropped is no series.
    recorder.report(report('Ready', {}, 'b2199'));
    await advance(200);
    expect(sent.at(-1)).toMatchObject({ method: 'POST', body: { regarding: { name: 'b2199' } } });
  });

  it('about a thousand objects at once are all told', async () => {
    const { recorder, sent, advance } = setUp();
    for (let turn = 0; turn < 1_000; turn += 1) recorder.report(report('Ready', {}, `b${turn}`));
    await advance(110_000);
    expect(sent).toHaveLength(1_000);
    expect(recorder.counts.dropped).toBe(0);
  });

  it('that failed are no series: said again they are tried anew', async () => {
    const { recorder, state, sent, advance } = setUp();
    state.fault = new ApiError('500', { status: 500 });
    recorder.report(report('Ready'));
    recorder.report(report('Ready'));
    await advance(5_000);
    state.fault = null;
    await advance(130_000);
    expect(sent).toEqual([]);
    recorder.report(report('Ready'));
    await advance(200);
    expect(sent.map(({ method }) => method)).toEqual(['POST']);
  });

  it('whose series is gone at the API server are made anew', async () => {
    const { recorder, state, sent, advance } = setUp();
    recorder.report(report('Ready'));
    await advance(61_000);
    state.fault = new ApiError('404', { status: 404, reason: 'NotFound' });
    recorder.report(report('Ready'));
    await advance(1_000);
    state.fault = null;
    recorder.report(report('Ready'));
    await advance(200);
    expect(sent.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });

  it('are given up after a few tries, at once where trying is no use, and the log says so once', async () => {
    const { recorder, state, log, sent, advance } = setUp();
    state.fault = new ApiError('500', { status: 500 });
    recorder.report(report('One'));
    await advance(5_000);
    expect(state.tries).toBe(3);
    state.fault = new ApiError('403', { status: 403, reason: 'Forbidden' });
    recorder.report(report('Two'));
    await advance(5_000);
    expect(state.tries).toBe(4);
    expect(recorder.counts.failed).toBe(2);
    expect(log.take()).toEqual(['warn an event cannot be written and is given up']);
    state.fault = null;
    recorder.report(report('Three'));
    await advance(1_000);
    expect(sent).toHaveLength(1);
  });

  it('are not written by who does not lead, not even those that waited', async () => {
    const { recorder, state, sent, advance } = setUp();
    state.isLeading = false;
    recorder.report(report('One'));
    await advance(1_000);
    state.isLeading = true;
    for (let turn = 0; turn < 5; turn += 1) recorder.report(report('Two', {}, `b${turn}`));
    await advance(100);
    state.isLeading = false;
    await advance(10_000);
    const before = sent.length;
    expect(before).toBeLessThanOrEqual(2);
    // What was given up is no series.
    state.isLeading = true;
    recorder.report(report('Two', {}, 'b4'));
    await advance(200);
    expect(sent.slice(before)).toMatchObject([{ method: 'POST', body: { regarding: { name: 'b4' } } }]);
  });

  it('end with the process', async () => {
    const { recorder, sent, advance } = setUp();
    for (let turn = 0; turn < 5; turn += 1) recorder.report(report('Two', {}, `b${turn}`));
    await advance(100);
    const before = sent.length;
    await recorder.stop();
    recorder.report(report('Three'));
    await advance(10_000);
    expect(sent).toHaveLength(before);
  });
});
