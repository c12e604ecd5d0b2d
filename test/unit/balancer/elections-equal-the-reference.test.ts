import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { type CompiledBalancer, NONE } from '../../../src/balancer/compiled-balancer.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { isUsable, markFailed } from '../../../src/balancer/member-state.ts';
import { stick } from '../../../src/balancer/session.ts';
import { ERROR } from '../../../src/balancer/standings.ts';
import type { BalancerUnit, MemberUnit } from '../../../src/snapshot/snapshot.ts';
import { balancerUnit, credits, laneOn, manualClock, memberUnit, placed, scoreboardFor } from './fixtures.ts';
import { ReferenceModel } from './reference-model.ts';

const ROUTES = ['r0', 'r1', 'r2', 'r3'];
const route = fc.constantFrom(...ROUTES);
const state = fc.constantFrom<MemberUnit['state']>('Enabled', 'Enabled', 'Enabled', 'Draining', 'Disabled', 'Stopped');

const member = fc.record({
  factor: fc.constantFrom(100, 100, 100, 150, 200, 225, 500),
  lbSet: fc.constantFrom(0, 0, 0, 1, 7),
  role: fc.constantFrom<MemberUnit['role']>('Active', 'Active', 'Active', 'HotSpare', 'HotStandby'),
  state,
  ignoreErrors: fc.constantFrom(false, false, false, true),
  sessionRoute: route,
  redirect: fc.option(route),
});

type Event =
  | { readonly op: 'elect' | 'open' }
  | { readonly op: 'stick'; readonly route: string }
  | { readonly op: 'fail' | 'close'; readonly at: number }
  | { readonly op: 'move'; readonly at: number; readonly bytes: number }
  | { readonly op: 'advance'; readonly ms: number }
  | { readonly op: 'state'; readonly at: number; readonly state: MemberUnit['state'] };

const at = fc.nat(7);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Event>({ op: 'elect' }) },
  { weight: 3, arbitrary: fc.constant<Event>({ op: 'open' }) },
  { weight: 3, arbitrary: route.map<Event>((name) => ({ op: 'stick', route: name })) },
  { weight: 2, arbitrary: at.map<Event>((index) => ({ op: 'close', at: index })) },
  {
    weight: 2,
    arbitrary: fc.tuple(at, fc.nat(5000)).map<Event>(([index, bytes]) => ({ op: 'move', at: index, bytes })),
  },
  { weight: 2, arbitrary: at.map<Event>((index) => ({ op: 'fail', at: index })) },
  { weight: 2, arbitrary: fc.constantFrom(1, 500, 1000, 1001).map<Event>((ms) => ({ op: 'advance', ms })) },
  { weight: 1, arbitrary: fc.tuple(at, state).map<Event>(([index, now]) => ({ op: 'state', at: index, state: now })) },
);

function setUp(unit: BalancerUnit) {
  const clock = manualClock();
  const lane = laneOn(scoreboardFor(unit.members.length), 0, { clock });
  const model = new ReferenceModel(unit);
  model.nowUs = clock.nowMs() * 1000;
  return { clock, lane, model, balancer: compile(placed(unit), null, lane) };
}

function expectSame(balancer: CompiledBalancer, model: ReferenceModel): void {
  const { flags, retries } = balancer.standings;
  const rows = [...balancer.rows];
  expect(rows.map((row) => flags[row]! === ERROR)).toEqual(model.members.map((one) => one.isInError));
  expect(rows.map((row) => retries[row])).toEqual(model.members.map((one) => one.retries));
  expect(Object.values(credits(balancer))).toEqual(model.members.map((one) => one.lbstatus));
}

/** Plays the events on both and compares each choice and, now and then or after each event, the counters. */
function play(unit: BalancerUnit, events: readonly Event[], comparesAlways: boolean): void {
  const { clock, lane, model, balancer: first } = setUp(unit);
  let balancer = first;
  const open: number[] = [];
  for (const one of events) {
    const index = 'at' in one ? one.at % unit.members.length : 0;
    const row = balancer.rows[index]!;
    switch (one.op) {
      case 'elect':
      case 'open': {
        const chosen = elect(balancer);
        expect(chosen).toBe(model.elect());
        if (chosen === NONE) break;
        expect(isUsable(balancer, chosen)).toBe(true);
        if (one.op === 'open') {
          open.push(chosen);
          Atomics.add(balancer.standings.busyTotal, balancer.rows[chosen]!, 1);
          model.members[chosen]!.busy += 1;
        }
        break;
      }
      case 'stick':
        expect(stick(balancer, one.route)).toBe(model.stick(one.route));
        break;
      case 'close': {
        const [closed] = open.splice(index, 1);
        if (closed === undefined) break;
        Atomics.sub(balancer.standings.busyTotal, balancer.rows[closed]!, 1);
        model.members[closed]!.busy -= 1;
        break;
      }
      case 'move':
        Atomics.add(balancer.standings.sentTotal.whole, row, BigInt(one.bytes));
        Atomics.add(balancer.standings.receivedTotal.whole, row, BigInt(one.bytes * 3));
        model.members[index]!.sent += one.bytes;
        model.members[index]!.received += one.bytes * 3;
        break;
      case 'fail':
        // In bytraffic and byrequests alike; only bytraffic levels those that return, which has its own test.
        if (unit.lbMethod === 'bytraffic') break;
        markFailed(balancer, index);
        model.fail(index);
        break;
      case 'advance':
        clock.advanceMs(one.ms);
        model.nowUs += one.ms * 1000;
        break;
      case 'state': {
        if (unit.lbMethod === 'bytraffic') break;
        const members = model.unit.members.map((old, place) => (place === index ? { ...old, state: one.state } : old));
        model.unit = { ...model.unit, members };
        model.members.forEach((old, place) => {
          old.unit = members[place]!;
        });
        balancer = compile(placed(model.unit), balancer, lane);
        break;
      }
    }
    if (comparesAlways) expectSame(balancer, model);
  }
  expectSame(balancer, model);
}

const units = fc.record({
  members: fc.array(member, { minLength: 1, maxLength: 8 }),
  lbMethod: fc.constantFrom('byrequests' as const, 'bytraffic' as const, 'bybusyness' as const),
  forceRecovery: fc.boolean(),
});

test.each([false, true])(
  'every election, session, flag and credit equals the reference (comparing always: %s)',
  (always) => {
    fc.assert(
      fc.property(units, fc.array(event, { maxLength: 80 }), ({ members, lbMethod, forceRecovery }, events) => {
        const unit = balancerUnit(
          members.map((over, index) => memberUnit(`m${index}`, over)),
          {
            lbMethod,
            failover: { maxAttempts: 1, retryAfterMs: 1000, forceRecovery, failOnStatus: [], failOnTimeout: false },
          },
        );
        play(unit, events, always);
      }),
      { numRuns: 1500 },
    );
  },
);

test('each member gets exactly its share in as many elections as the factors ask for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 100, max: 10_000 }), { minLength: 1, maxLength: 12 }),
      fc.constantFrom('byrequests' as const, 'bybusyness' as const),
      (factors, lbMethod) => {
        const unit = balancerUnit(
          factors.map((factor, index) => memberUnit(`m${index}`, { factor: Math.ceil(factor / 100) * 100 })),
          { lbMethod },
        );
        const { balancer } = setUp(unit);
        const shares = unit.members.map((one) => one.factor / gcd(unit.members.map((other) => other.factor)));
        const total = shares.reduce((sum, share) => sum + share, 0);
        for (let period = 1; period <= 2; period++) {
          for (let round = 0; round < total; round++) elect(balancer);
          const elected = [...balancer.rows].map((row) => balancer.standings.elected[row]);
          expect(elected).toEqual(shares.map((share) => share * period));
          expect(Object.values(credits(balancer)).every((credit) => credit === 0)).toBe(true);
        }
      },
    ),
    { numRuns: 100 },
  );
});

function gcd(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => {
    let [x, y] = [a, b];
    while (y !== 0) [x, y] = [y, x % y];
    return x;
  });
}

test('the order of members is irrelevant but for ties', () => {
  // Factors that are powers of three times 100 never tie.
  const names = ['a', 'b', 'c', 'd'];
  const factors: Record<string, number> = { a: 100, b: 300, c: 900, d: 2700 };
  const orders = permutations(names);
  const runs = orders.map((order) => {
    const unit = balancerUnit(order.map((name) => memberUnit(name, { factor: factors[name]! })));
    const { balancer } = setUp(unit);
    return Array.from({ length: 200 }, () => balancer.members[elect(balancer)]!.name).filter((name) => name !== '-');
  });
  const counts = runs.map((run) => names.map((name) => run.filter((one) => one === name).length).join());
  expect(new Set(counts).size).toBe(1);
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
