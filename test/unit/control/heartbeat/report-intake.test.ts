import { describe, expect, it } from 'vitest';
import { RareNotice } from '../../../../src/control/heartbeat/rare-notice.ts';
import { ReportIntake, type ReportSource } from '../../../../src/control/heartbeat/report-intake.ts';
import { SenderIndex } from '../../../../src/control/heartbeat/sender-index.ts';
import { allocateScoreboard, mapShared } from '../../../../src/scoreboard/layout.ts';
import { balancer, member, RecordedLog } from '../fixtures.ts';

/** Members at 10.0.0.1, ports 8080 (row 1) and 8081 (row 2), and at 10.0.0.2 (row 3). */
function setUp(source: ReportSource = 'udp') {
  const members = [
    member('a', { host: '10.0.0.1', port: 8080 }),
    member('b', { host: '10.0.0.1', port: 8081 }),
    member('c', { host: '10.0.0.2' }),
  ];
  const unit = { ...balancer('app', members), lbMethod: 'heartbeat' as const };
  const senders = new SenderIndex({ generation: 1, placed: () => [{ unit, row: 1, memberRows: [1, 2, 3] }] });
  const shared = mapShared(allocateScoreboard(5, 2, 1));
  const time = { ms: 100_000 };
  const clock = { nowMs: () => time.ms, wallMs: () => 0 };
  const log = new RecordedLog();
  const intake = new ReportIntake({ source, senders, shared, clock, notice: new RareNotice(clock, log) });
  const take = (address: string, text: string) => intake.take(address, Buffer.from(text));
  const counts = () => Object.fromEntries(intake.counts.filter(([, count]) => count > 0));
  return { intake, take, shared, log, time, counts };
}

describe('a report', () => {
  it('is written into the rows that it is about', () => {
    const { take, shared, counts } = setUp();
    expect(take('10.0.0.1', 'v=1&ready=5&busy=1')).toBe('taken');
    expect(take('::ffff:10.0.0.1', 'v=1&ready=7&busy=2&port=8081')).toBe('taken');
    expect([...shared.reportedReady]).toEqual([0, 5, 7, 0, 0]);
    expect([...shared.reportedBusy]).toEqual([0, 1, 2, 0, 0]);
    expect([...shared.reportedAtS]).toEqual([0, 101, 101, 0, 0]);
    expect(counts()).toEqual({ taken: 2 });
  });

  it.each([
    ['10.0.0.9', 'v=1&ready=5&busy=1', 'unknown_sender'],
    ['10.0.0.9', 'rubbish', 'unknown_sender'],
    ['10.0.0.1', 'v=1&ready=5&busy=1&port=9999', 'unknown_port'],
    ['10.0.0.1', 'ready=5&busy=1', 'malformed'],
    ['10.0.0.1', '\u0000\u00ff', 'malformed'],
    ['10.0.0.1', `v=1&ready=5&busy=1&x=${'y'.repeat(1000)}`, 'too_long'],
  ])('from %s, %j, is counted as %s and changes nothing', (address, text, result) => {
    const { take, shared, counts } = setUp();
    expect(take(address, text)).toBe(result);
    expect(counts()).toEqual({ [result]: 1 });
    for (const cells of [shared.reportedReady, shared.reportedBusy, shared.reportedAtS]) {
      expect(cells.every((cell) => cell === 0)).toBe(true);
    }
  });

  it('needs no version over HTTP', () => {
    expect(setUp('http').take('10.0.0.1', 'ready=5&busy=1')).toBe('taken');
  });
});

describe('the log', () => {
  it('names what began, not each report', () => {
    const { take, log, time } = setUp();
    for (let second = 0; second < 500; second += 1) {
      time.ms += 1000;
      take('10.0.0.9', 'v=1&ready=5&busy=1');
      take('10.0.0.1', 'v=1&ready=5&busy=1');
      take('10.0.0.1', 'v=1');
    }
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'load reports are not taken',
        fields: { source: 'udp', sender: '10.0.0.9', reason: 'unknown_sender', what: 'udp unknown_sender' },
      },
      {
        level: 'warn',
        message: 'load reports are not taken',
        fields: { source: 'udp', sender: '10.0.0.1', reason: 'missing-field', what: 'udp malformed' },
      },
    ]);
  });

  it('names it again when it had stopped', () => {
    const { take, log, time } = setUp();
    take('10.0.0.9', '');
    time.ms += 59_999;
    take('10.0.0.9', '');
    expect(log.take()).toHaveLength(1);
    time.ms += 60_000;
    take('10.0.0.9', '');
    expect(log.take()).toHaveLength(1);
  });

  it('never shows what a sender wrote', () => {
    const { take, log } = setUp();
    take('10.0.0.1', 'v=1&ready=\u001b[31mowned&busy=1');
    expect(JSON.stringify(log.lines)).not.toContain('owned');
  });
});
