import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricTable } from '../../../src/admin/metric-table.ts';
import { createMetrics } from '../../../src/admin/metrics.ts';
import { metricsPage } from '../../../src/admin/metrics-page.ts';
import { MemberFlag } from '../../../src/scoreboard/layout.ts';
import { balancer, member } from '../control/fixtures.ts';
import { app, createSource } from './metrics-source.ts';

/** Values by series, labels sorted: `name{a="b",c="d"}`. */
async function scrape(source: Parameters<typeof createMetrics>[0]): Promise<ReadonlyMap<string, number>> {
  const series = new Map<string, number>();
  for (const line of (await createMetrics(source).render()).split('\n')) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) continue;
    const [, name, labels = '', value] = match;
    const sorted = (labels.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []).sort().join(',');
    series.set(sorted === '' ? name! : `${name}{${sorted}}`, Number(value!.replace('+Inf', 'Infinity')));
  }
  return series;
}

const one = 'balancer="app",member="one",namespace="shop"';
const requests = (codeClass: string, who: string) => {
  const [balancerLabel, ...rest] = who.split(',');
  return `evenkeel_requests_total{${[balancerLabel, `code_class="${codeClass}"`, ...rest].join(',')}}`;
};

describe('metrics', () => {
  it('are there with 0 before the first request', async () => {
    const series = await scrape(createSource([app]).source);
    for (const codeClass of ['2xx', '3xx', '4xx', '5xx']) {
      expect(series.get(requests(codeClass, one))).toBe(0);
      expect(series.get(requests(codeClass, 'balancer="app",member="",namespace="shop"'))).toBe(0);
      expect(series.get(requests(codeClass, 'balancer="",member="",namespace=""'))).toBe(0);
    }
    expect(series.has(requests('1xx', one))).toBe(false);
    for (const name of [
      'busy',
      'elected_total',
      'failed_total',
      'sent_bytes_total',
      'received_bytes_total',
      'in_error',
    ]) {
      expect(series.get(`evenkeel_member_${name}{${one}}`), name).toBe(0);
    }
    expect(series.get('evenkeel_request_duration_seconds_count{balancer="app",namespace="shop"}')).toBe(0);
  });

  it('add up all lanes, dead ones included', async () => {
    const { source, scoreboard, lanes } = createSource([app]);
    for (const lane of lanes) {
      lane.column.elected[1]! += 1;
      lane.countFailure(1);
      lane.countSent(1, 10);
      lane.countReceived(1, 20);
      lane.countResponse(1, 2);
      lane.countResponse(1, 0);
      lane.countOwnResponse(1, 5);
      lane.countOwnResponse(0, 4);
      lane.beginAttempt(1);
      lane.column.accepted[0]! += 4;
      lane.column.connections[0] = 9;
    }
    Atomics.or(scoreboard.shared.flags, 1, MemberFlag.Error);
    scoreboard.absorbLane(1);
    const series = await scrape(source);
    const values = Object.fromEntries(
      ['elected_total', 'failed_total', 'sent_bytes_total', 'received_bytes_total', 'busy', 'in_error'].map((name) => [
        name,
        series.get(`evenkeel_member_${name}{${one}}`),
      ]),
    );
    expect(values).toEqual({
      elected_total: 2,
      failed_total: 2,
      sent_bytes_total: 20,
      received_bytes_total: 40,
      busy: 1,
      in_error: 1,
    });
    expect(series.get(requests('2xx', one))).toBe(2);
    expect(series.get(requests('none', one))).toBe(2);
    expect(series.get(requests('5xx', 'balancer="app",member="",namespace="shop"'))).toBe(2);
    expect(series.get(requests('4xx', 'balancer="",member="",namespace=""'))).toBe(2);
    expect(series.get('evenkeel_lane_accepted_connections_total')).toBe(8);
    expect(series.get('evenkeel_lane_connections{lane="0"}')).toBe(9);
    expect(series.get('evenkeel_lane_connections{lane="1"}')).toBe(0);
  });

  it('count load reports by the way they came', async () => {
    const { source, lanes } = createSource([app]);
    for (const lane of lanes) lane.countLoadReport(true);
    lanes[0]!.countLoadReport(false);
    const series = await scrape(source);
    const reports = (result: string, way: string) =>
      series.get(`evenkeel_load_reports_total{result="${result}",source="${way}"}`);
    expect(reports('taken', 'udp')).toBe(8);
    expect(reports('unknown_sender', 'udp')).toBe(0);
    expect(reports('taken', 'header')).toBe(2);
    expect(reports('malformed', 'header')).toBe(1);
    expect(reports('taken', 'http')).toBeUndefined();
  });

  it('have a histogram that adds up', async () => {
    const { source, lanes } = createSource([app]);
    for (const seconds of [0.0005, 0.02, 0.02, 3, 100]) lanes[0]!.countDuration(1, seconds);
    const series = await scrape(source);
    const name = 'evenkeel_request_duration_seconds';
    const bucket = (le: string) => series.get(`${name}_bucket{balancer="app",le="${le}",namespace="shop"}`);
    expect(['0.001', '0.01', '0.025', '5', '60', '+Inf'].map(bucket)).toEqual([1, 1, 3, 4, 4, 5]);
    expect(series.get(`${name}_count{balancer="app",namespace="shop"}`)).toBe(5);
    expect(series.get(`${name}_sum{balancer="app",namespace="shop"}`)).toBeCloseTo(103.0405);
  });

  it('tell of lanes, generations, problems and the build', async () => {
    const series = await scrape(createSource([]).source);
    expect(series.get('evenkeel_lanes_listening')).toBe(1);
    expect(series.get('evenkeel_lane_restarts_total')).toBe(3);
    expect(series.get('evenkeel_snapshot_generation')).toBe(7);
    expect(series.get('evenkeel_snapshot_generation_acknowledged')).toBe(6);
    expect(series.get('evenkeel_problems{severity="error"}')).toBe(2);
    expect(series.get('evenkeel_problems{severity="notice"}')).toBe(5);
    expect(series.get('evenkeel_leader')).toBe(1);
    expect(series.get('evenkeel_status_writes_total{result="written"}')).toBe(4);
    expect(series.get('evenkeel_status_writes_total{result="failed"}')).toBe(9);
    expect(series.get('evenkeel_watch_synced{kind="Service"}')).toBe(1);
    expect(series.get('evenkeel_watch_synced{kind="Pod"}')).toBe(0);
    expect(series.get('evenkeel_watch_silence_seconds{kind="Service"}')).toBe(1.5);
    expect(series.has('evenkeel_watch_silence_seconds{kind="Pod"}')).toBe(false);
    expect(series.get('evenkeel_watch_relists_total{kind="Service"}')).toBe(2);
    expect(series.get('evenkeel_watch_faults_total{kind="Service"}')).toBe(6);
    expect(series.get('evenkeel_watch_objects{kind="Service"}')).toBe(40);
    expect(series.get('evenkeel_events_total{result="suppressed"}')).toBe(2);
    expect(series.get(`evenkeel_build_info{node_version="${process.version}",version="1.2.3"}`)).toBe(1);
    expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('follow what is published from scrape to scrape', async () => {
    const placed = [app];
    const { source } = createSource(placed);
    const metrics = createMetrics(source);
    expect(await metrics.render()).toContain('member="two"');
    placed[0] = { ...app, unit: { ...app.unit, members: [app.unit.members[0]!] }, memberRows: [1] };
    const text = await metrics.render();
    expect(text).toContain('member="one"');
    expect(text).not.toContain('member="two"');
  });

  it('escape names', async () => {
    const odd = { unit: balancer('odd', [member('1', { name: 'a"b\\c\nd' })]), row: 2, memberRows: [3] };
    expect(await createMetrics(createSource([odd]).source).render()).toContain('member="a\\"b\\\\c\\nd"');
  });

  it('leave a stand-in without a row of its own out', async () => {
    const standIn = { unit: balancer('full', []), row: 0, memberRows: [] };
    const { source, lanes } = createSource([standIn]);
    lanes[0]!.countOwnResponse(0, 5);
    const text = await createMetrics(source).render();
    expect(text).not.toContain('balancer="full"');
    expect(text.match(/code_class="5xx".* 1$/gm)).toHaveLength(1);
  });

  it('are rendered once for all who ask meanwhile', async () => {
    const metrics = createMetrics(createSource([app]).source);
    const first = metrics.render();
    expect(metrics.render()).toBe(first);
    await first;
    expect(metrics.render()).not.toBe(first);
  });
});

describe('the table of metrics', () => {
  it('exposes exactly the labels that it names', async () => {
    const { source, lanes } = createSource([app]);
    lanes[0]!.countDuration(1, 1);
    for (const { name, labels, read } of metricTable) {
      for (const sample of read(source)) {
        const found = Object.keys({ ...sample.labels, ...sample.sharedLabels }).filter((label) => label !== 'le');
        expect(found.sort(), name).toEqual([...labels].sort());
      }
    }
  });

  it('is on a page that is up to date (`node src/admin/metrics-page.ts` writes it)', () => {
    const path = new URL('../../../docs/reference/metrics.md', import.meta.url);
    expect(readFileSync(path, 'utf8')).toBe(metricsPage());
  });
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool)
  console.warn('promtool is not installed (Debian: apt install prometheus): its check of metrics is skipped');

it.skipIf(!hasPromtool)('promtool is content', async () => {
  const { source, lanes } = createSource([app]);
  lanes[0]!.countDuration(1, 1);
  const input = await createMetrics(source).render();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
