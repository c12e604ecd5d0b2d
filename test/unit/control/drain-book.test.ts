// When a drain begins, ends, and begins not anew; what becomes of endpoints that stop serving; and, for any course of events:
// no session moves before its member's deadline, and none moves twice.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DrainBook } from '../../../src/control/drain-book.ts';
import type { SessionUnit } from '../../../src/snapshot/session-unit.ts';
import type { BalancerUnit, DrainUnit, MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { ManualTime } from '../lib/manual-time.ts';
import { balancer, member } from './fixtures.ts';

const session: SessionUnit = {
  strategy: 'Suffix',
  cookie: 'sid',
  header: null,
  urlParameter: null,
  separator: '.',
  attributes: null,
  signing: null,
  onMemberDown: 'Redispatch',
  rejectStatus: 503,
  informsMember: false,
};

/** `a` to `c` as pods; a state by name, null for one that is not there. */
function unitOf(states: Record<string, MemberUnit['state'] | null>, drain: Partial<DrainUnit> = {}): BalancerUnit {
  const members = Object.entries(states).flatMap(([name, state]) =>
    state === null
      ? []
      : [member(`pod:${name}`, { name, state, host: `10.0.0.${'abc'.indexOf(name)}`, sessionRoute: `r${name}` })],
  );
  const settings: DrainUnit = { timeoutMs: 1_000, onTimeout: 'Redispatch', unreadyGraceMs: 0, ...drain };
  return { ...balancer('app', members), session, drain: settings };
}

function setUp() {
  const time = new ManualTime();
  const book = new DrainBook(time.clock);
  const show = (unit: BalancerUnit): string =>
    book
      .stage(unit)
      .members.map(({ name, state }) => `${name} ${state}`)
      .join(', ');
  const leftMs = (): number => book.nextDeadlineMs - time.clock.nowMs();
  return { time, book, show, leftMs };
}

describe('a drain', () => {
  it('ends when its time is over, by itself', () => {
    const { time, book, show, leftMs } = setUp();
    const unit = unitOf({ a: 'Draining', b: 'Enabled' });
    expect(show(unit)).toBe('a Draining, b Enabled');
    expect(leftMs()).toBe(1_000);
    time.advance(999);
    expect(book.due(time.clock.nowMs())).toEqual([]);
    expect(show(unit)).toBe('a Draining, b Enabled');
    time.advance(1);
    expect(book.due(time.clock.nowMs())).toEqual(['shop/app']);
    expect(show(unit)).toBe('a Drained, b Enabled');
    expect(book.due(time.clock.nowMs())).toEqual([]);
    expect(leftMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('goes on for ever without a timeout, and ends at once with none at all', () => {
    const { time, show, leftMs } = setUp();
    expect(show(unitOf({ a: 'Draining' }, { timeoutMs: null }))).toBe('a Draining');
    expect(leftMs()).toBe(Number.POSITIVE_INFINITY);
    time.advance(1e9);
    expect(show(unitOf({ a: 'Draining' }, { timeoutMs: null }))).toBe('a Draining');
    expect(setUp().show(unitOf({ a: 'Draining' }, { timeoutMs: 0 }))).toBe('a Drained');
  });

  it('does not begin anew when the configuration changes; the new timeout counts from its beginning', () => {
    const { time, show, leftMs } = setUp();
    show(unitOf({ a: 'Draining', b: 'Enabled' }));
    time.advance(600);
    expect(show(unitOf({ a: 'Draining', b: 'Enabled', c: 'Enabled' }))).toBe('a Draining, b Enabled, c Enabled');
    expect(leftMs()).toBe(400);
    show(unitOf({ a: 'Draining' }, { timeoutMs: 5_000 }));
    expect(leftMs()).toBe(4_400);
    expect(show(unitOf({ a: 'Draining' }, { timeoutMs: 500 }))).toBe('a Drained');
    expect(show(unitOf({ a: 'Draining' }, { timeoutMs: 700 }))).toBe('a Draining');
  });

  it('ends when the member is enabled, and then begins anew', () => {
    const { time, show, leftMs } = setUp();
    show(unitOf({ a: 'Draining' }));
    time.advance(600);
    expect(show(unitOf({ a: 'Enabled' }))).toBe('a Enabled');
    expect(leftMs()).toBe(Number.POSITIVE_INFINITY);
    show(unitOf({ a: 'Draining' }));
    expect(leftMs()).toBe(1_000);
    time.advance(1_000);
    expect(show(unitOf({ a: 'Draining' }))).toBe('a Drained');
    expect(show(unitOf({ a: 'Enabled' }))).toBe('a Enabled');
  });

  it('is of one member and one balancer', () => {
    const { time, book, show } = setUp();
    show(unitOf({ a: 'Draining', b: 'Enabled' }));
    const other = { ...unitOf({ a: 'Draining' }), key: 'shop/other', name: 'other' };
    time.advance(600);
    show(unitOf({ a: 'Draining', b: 'Draining' }));
    book.stage(other);
    time.advance(400);
    expect(book.due(time.clock.nowMs())).toEqual(['shop/app']);
    expect(show(unitOf({ a: 'Draining', b: 'Draining' }))).toBe('a Drained, b Draining');
    expect(show(other)).toBe('a Draining');
  });

  it('goes on where it was when the member comes back soon, and is not waited for meanwhile', () => {
    const { time, show, leftMs } = setUp();
    show(unitOf({ a: 'Draining', b: 'Enabled' }));
    time.advance(600);
    show(unitOf({ b: 'Enabled' }));
    expect(leftMs()).toBe(Number.POSITIVE_INFINITY);
    time.advance(600);
    expect(show(unitOf({ a: 'Draining', b: 'Enabled' }))).toBe('a Drained, b Enabled');
    show(unitOf({ b: 'Enabled' }));
    time.advance(600_001);
    show(unitOf({ b: 'Enabled', c: 'Enabled' }));
    expect(show(unitOf({ a: 'Draining', b: 'Enabled' }))).toBe('a Draining, b Enabled');
  });

  it('is forgotten with its balancer', () => {
    const { time, book, show, leftMs } = setUp();
    show(unitOf({ a: 'Draining' }));
    time.advance(600);
    book.forget('shop/app');
    expect(leftMs()).toBe(Number.POSITIVE_INFINITY);
    show(unitOf({ a: 'Draining' }));
    expect(leftMs()).toBe(1_000);
  });

  it('tells how far it is', () => {
    const { time, book, show } = setUp();
    const unit = unitOf({ a: 'Draining', b: 'Enabled' });
    show(unit);
    time.advance(300);
    expect(book.draining('shop/app')).toMatchObject([{ member: { name: 'a' }, forMs: 300, leftMs: 700 }]);
    time.advance(800);
    show(unit);
    expect(book.draining('shop/app')).toMatchObject([{ member: { name: 'a', state: 'Drained' }, leftMs: 0 }]);
    expect(book.draining('shop/none')).toEqual([]);
  });
});

describe('what is handed back', () => {
  it('is the same object where nothing drains', () => {
    const { book } = setUp();
    const unit = unitOf({ a: 'Enabled', b: 'Draining' });
    expect(book.stage(unit)).toBe(unit);
    expect(book.stage(unit)).toBe(unit);
  });

  it('is the same object as last time, and so are its members, where nothing has changed since', () => {
    const { time, book } = setUp();
    const unit = unitOf({ a: 'Draining', b: 'Draining' });
    book.stage(unit);
    time.advance(1_000);
    const first = book.stage(unit);
    time.advance(1_000);
    expect(book.stage(unit)).toBe(first);
    const changed = { ...unit, lbMethod: 'bytraffic' } as const;
    expect(book.stage(changed).members[0]).toBe(first.members[0]);
    expect(book.stage(changed).lbMethod).toBe('bytraffic');
  });
});

describe('an endpoint that stops serving', () => {
  const grace = { unreadyGraceMs: 500, timeoutMs: null };

  it('is gone at once by default', () => {
    const { show } = setUp();
    show(unitOf({ a: 'Enabled', b: 'Enabled' }));
    expect(show(unitOf({ a: 'Enabled' }))).toBe('a Enabled');
  });

  it('keeps its place for its sessions until its grace is over', () => {
    const { time, book, show, leftMs } = setUp();
    show(unitOf({ a: 'Enabled', b: 'Enabled' }, grace));
    const without = unitOf({ b: 'Enabled' }, grace);
    expect(show(without)).toBe('b Enabled, a Draining');
    expect(leftMs()).toBe(500);
    expect(book.draining('shop/app')).toMatchObject([{ member: { name: 'a' }, forMs: 0, leftMs: 500 }]);
    time.advance(200);
    // A change elsewhere does not give it more.
    expect(show(unitOf({ b: 'Enabled', c: 'Enabled' }, grace))).toBe('b Enabled, c Enabled, a Draining');
    expect(leftMs()).toBe(300);
    time.advance(300);
    expect(book.due(time.clock.nowMs())).toEqual(['shop/app']);
    const after = unitOf({ b: 'Enabled', c: 'Enabled' }, grace);
    expect(show(after)).toBe('b Enabled, c Enabled');
    expect(book.due(time.clock.nowMs())).toEqual([]);
    expect(show(after)).toBe('b Enabled, c Enabled');
  });

  it('is a member again when it serves again, and has a new grace afterwards', () => {
    const { time, show, leftMs } = setUp();
    show(unitOf({ a: 'Enabled', b: 'Enabled' }, grace));
    show(unitOf({ b: 'Enabled' }, grace));
    time.advance(400);
    expect(show(unitOf({ a: 'Enabled', b: 'Enabled' }, grace))).toBe('a Enabled, b Enabled');
    expect(leftMs()).toBe(Number.POSITIVE_INFINITY);
    show(unitOf({ b: 'Enabled' }, grace));
    expect(leftMs()).toBe(500);
  });

  it('keeps no session longer than its drain lasts', () => {
    const { time, show } = setUp();
    const settings = { unreadyGraceMs: 500, timeoutMs: 300 };
    show(unitOf({ a: 'Draining', b: 'Enabled' }, settings));
    time.advance(200);
    const without = unitOf({ b: 'Enabled' }, settings);
    expect(show(without)).toBe('b Enabled, a Draining');
    time.advance(100);
    expect(show(without)).toBe('b Enabled, a Drained');
    time.advance(400);
    expect(show(without)).toBe('b Enabled');
  });

  it.each([
    ['was terminating', { isLeaving: true, state: 'Draining' }],
    ['was taken out of the configuration', { identity: 'url:http://a' }],
    ['was switched off', { state: 'Disabled' }],
  ] as const)('is gone at once when it %s', (_, change) => {
    const { show } = setUp();
    const unit = unitOf({ a: 'Enabled', b: 'Enabled' }, grace);
    show({ ...unit, members: [{ ...unit.members[0]!, ...change }, unit.members[1]!] });
    expect(show(unitOf({ b: 'Enabled' }, grace))).toBe('b Enabled');
  });

  it.each([
    ['address', { host: '10.0.0.0' }],
    ['name', { name: 'a' }],
    ['session route', { sessionRoute: 'ra' }],
  ])('gives up its place to whoever gets its %s', (_, change) => {
    const { show } = setUp();
    const unit = unitOf({ a: 'Enabled', b: 'Enabled' }, grace);
    show(unit);
    expect(show(unitOf({ b: 'Enabled' }, grace))).toBe('b Enabled, a Draining');
    const heir = { ...member('pod:new', { host: '10.9.9.9', sessionRoute: 'rnew', name: 'new' }), ...change };
    expect(show({ ...unitOf({ b: 'Enabled' }, grace), members: [unit.members[1]!, heir] })).toBe(
      `b Enabled, ${heir.name} Enabled`,
    );
  });

  it('is gone at once where there are no sessions', () => {
    const { show } = setUp();
    show({ ...unitOf({ a: 'Enabled', b: 'Enabled' }, grace), session: null });
    expect(show({ ...unitOf({ b: 'Enabled' }, grace), session: null })).toBe('b Enabled');
  });
});

describe('any course of events', () => {
  const state = fc.constantFrom<MemberUnit['state'] | null>('Enabled', 'Draining', 'Draining', 'Disabled', null);
  const event = fc.record({
    a: state,
    b: state,
    isOtherwiseChanged: fc.boolean(),
    afterMs: fc.integer({ min: 0, max: 700 }),
  });
  const drain = fc.record({
    timeoutMs: fc.constantFrom(null, 0, 300, 1_000),
    unreadyGraceMs: fc.constantFrom(0, 200, 500),
  });

  /** What the product does: stages changes when they come, and what is due when it is. */
  class Loop {
    readonly time = new ManualTime();
    readonly book = new DrainBook(this.time.clock);
    unit: BalancerUnit;
    staged: BalancerUnit;

    constructor(unit: BalancerUnit) {
      this.unit = unit;
      this.staged = this.book.stage(unit);
    }

    take(unit: BalancerUnit): void {
      this.unit = unit;
      this.staged = this.book.stage(unit);
    }

    /** Calls `look` at every moment at which something changes. */
    wait(ms: number, look: () => void): void {
      const endMs = this.time.clock.nowMs() + ms;
      for (let rounds = 0; this.book.nextDeadlineMs <= endMs; rounds += 1) {
        // Staging what is due moves the deadline on.
        expect(rounds).toBeLessThan(10);
        this.time.advance(this.book.nextDeadlineMs - this.time.clock.nowMs());
        expect(this.book.due(this.time.clock.nowMs())).toEqual(['shop/app']);
        this.staged = this.book.stage(this.unit);
        look();
      }
      this.time.advance(endMs - this.time.clock.nowMs());
    }
  }

  it('a session stays until its member’s deadline, and does not come back to it in the same drain', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), drain, (events, settings) => {
        const loop = new Loop(unitOf({ a: 'Enabled', b: 'Enabled' }, settings));
        let beganMs: number | null = null;
        let goneMs: number | null = null;
        let hasMoved = false;
        for (const { a, b, isOtherwiseChanged, afterMs } of events) {
          const unit = unitOf({ a, b, ...(isOtherwiseChanged ? { c: 'Enabled' } : {}) }, settings);
          const nowMs = loop.time.clock.nowMs();
          const before = loop.unit.members.find(({ name }) => name === 'a')?.state;
          if (a === null) goneMs ??= nowMs;
          else goneMs = null;
          if (a === 'Draining') beganMs ??= nowMs;
          if (a !== 'Draining' && a !== null) {
            beganMs = null;
            hasMoved = false;
          }
          if (a !== null && before === undefined) hasMoved = hasMoved && a === 'Draining';
          loop.take(unit);
          const look = (): void => {
            const at = loop.time.clock.nowMs();
            const now = loop.staged.members.find(({ name }) => name === 'a');
            const isKept = now?.state === 'Draining' || now?.state === 'Enabled';
            const isOver = beganMs !== null && settings.timeoutMs !== null && at >= beganMs + settings.timeoutMs;
            const isLost = goneMs !== null && (settings.unreadyGraceMs === 0 || at >= goneMs + settings.unreadyGraceMs);
            if (a !== null && a !== 'Disabled') expect(isKept).toBe(!isOver);
            if (isKept) expect(isOver || isLost).toBe(false);
            if (hasMoved && beganMs !== null && goneMs === null) expect(isKept).toBe(false);
            if (isOver) hasMoved = true;
          };
          look();
          loop.wait(afterMs, look);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('what is published could be published: no identity, name, route or address stands twice', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 25 }), drain, (events, settings) => {
        const loop = new Loop(unitOf({ a: 'Enabled', b: 'Enabled' }, settings));
        const look = (): void => {
          const { members } = loop.staged;
          for (const mark of ['identity', 'name', 'sessionRoute', 'host'] as const) {
            expect(new Set(members.map((each) => each[mark])).size).toBe(members.length);
          }
        };
        for (const { a, b, isOtherwiseChanged, afterMs } of events) {
          // The newcomer has the address that `a` had.
          const unit = unitOf({ a, b }, settings);
          const heir = member('pod:heir', { host: '10.0.0.0', name: 'heir', sessionRoute: 'heir' });
          loop.take(isOtherwiseChanged && a === null ? { ...unit, members: [...unit.members, heir] } : unit);
          look();
          loop.wait(afterMs, look);
        }
      }),
      { numRuns: 300 },
    );
  });
});
