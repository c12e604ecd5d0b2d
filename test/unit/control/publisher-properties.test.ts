// Any sequence of snapshots, acknowledgements, deaths and refusals: lanes end up with the snapshot, and a row never
// means two members at once, neither to two lanes nor to one attempt that is still open.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Publisher } from '../../../src/control/publisher.ts';
import { ControlScoreboard } from '../../../src/scoreboard/control-side.ts';
import { allocateScoreboard } from '../../../src/scoreboard/layout.ts';
import type { Publication } from '../../../src/snapshot/lane-protocol.ts';
import { balancer, member, publicationOf, ReplayedLane, snapshotOf } from './fixtures.ts';

const LANES = 3;

const memberSpec = fc.record({ id: fc.integer({ min: 0, max: 5 }), factor: fc.constantFrom(100, 200) });
const balancerSpec = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  members: fc.uniqueArray(memberSpec, { selector: ({ id }) => id, maxLength: 5 }),
});
const snapshotSpec = fc.uniqueArray(balancerSpec, { selector: ({ name }) => name, maxLength: 4 });
const lane = fc.integer({ min: 0, max: LANES - 1 });

type Step =
  | {
      readonly type: 'publish' | 'update';
      readonly snapshot: typeof snapshotSpec extends fc.Arbitrary<infer T> ? T : never;
    }
  | { readonly type: 'settle' }
  | { readonly type: 'deliver' | 'refuse' | 'restart'; readonly lane: number }
  | { readonly type: 'begin' | 'end'; readonly lane: number; readonly at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('publish', 'update'), snapshot: snapshotSpec }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('deliver' as const), lane }) },
  { weight: 3, arbitrary: fc.constant({ type: 'settle' as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('refuse' as const, 'restart' as const), lane }) },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constantFrom('begin' as const, 'end' as const), lane, at: fc.nat(20) }),
  },
);

/** Publisher and lanes, with messages that wait to be delivered and attempts that wait to end. */
class World {
  readonly scoreboard: ControlScoreboard;
  readonly publisher: Publisher;
  readonly lanes = Array.from({ length: LANES }, () => new ReplayedLane());
  readonly queues: Publication[][] = Array.from({ length: LANES }, () => []);
  readonly open: { readonly lane: number; readonly row: number; readonly identity: string }[] = [];

  constructor(maxMembers: number, maxBalancers: number) {
    this.scoreboard = new ControlScoreboard(allocateScoreboard(maxMembers + 1, maxBalancers + 1, LANES));
    this.publisher = new Publisher(this.scoreboard, {
      send: (to, message) => void this.queues[to]!.push(publicationOf(message)),
    });
    for (let each = 0; each < LANES; each += 1) this.#start(each);
  }

  run(step: Step): void {
    switch (step.type) {
      case 'publish':
        this.publisher.publish(toSnapshot(step.snapshot));
        break;
      case 'update':
        this.#update(step.snapshot);
        break;
      case 'deliver':
        this.deliver(step.lane);
        break;
      case 'settle':
        this.settle();
        break;
      case 'refuse':
        this.#refuse(step.lane);
        break;
      case 'restart':
        this.#restart(step.lane);
        break;
      case 'begin':
        this.#begin(step.lane, step.at);
        break;
      case 'end':
        this.#end(step.at);
        break;
    }
  }

  deliver(to: number): boolean {
    const publication = this.queues[to]!.shift();
    if (publication === undefined) return false;
    this.lanes[to]!.apply(publication);
    this.publisher.laneSaid(to, { type: 'applied', generation: publication.generation });
    return true;
  }

  /** Every lane takes all that waits for it. */
  settle(): void {
    for (let to = 0; to < LANES; to += 1) while (this.deliver(to));
  }

  /** Whose row it is, to everybody who knows it: one answer per row. */
  ownersOfRows(): Map<number, Set<string>> {
    const owners = new Map<number, Set<string>>();
    const add = (row: number, identity: string): void => {
      owners.set(row, (owners.get(row) ?? new Set()).add(identity));
    };
    const known = [...this.lanes.flatMap(({ balancers }) => [...balancers.values()]), ...this.publisher.placed()];
    for (const { unit, memberRows } of known) {
      for (const [index, row] of memberRows.entries()) add(row, `${unit.key} ${unit.members[index]!.identity}`);
    }
    for (const { row, identity } of this.open) add(row, identity);
    return owners;
  }

  /** New versions of balancers that are published. */
  #update(specs: PublishStep['snapshot']): void {
    const keys = new Set([...this.publisher.placed()].map(({ unit }) => unit.key));
    const units = toSnapshot(specs).balancers.values();
    this.publisher.publishBalancers(units.filter(({ key }) => keys.has(key)));
  }

  #start(number: number): void {
    const whole = this.publisher.laneStarted(number);
    if (whole !== null) this.queues[number]!.push(publicationOf(whole));
  }

  #refuse(from: number): void {
    const publication = this.queues[from]!.shift();
    if (publication === undefined) return;
    this.publisher.laneSaid(from, { type: 'refused', generation: publication.generation, message: 'no' });
  }

  #restart(number: number): void {
    for (const attempt of this.open.filter((each) => each.lane === number)) this.#close(attempt);
    this.lanes[number] = new ReplayedLane();
    this.queues[number] = [];
    this.publisher.laneGone(number);
    this.#start(number);
  }

  #begin(on: number, at: number): void {
    const known = [...this.lanes[on]!.balancers.values()].flatMap(({ unit, memberRows }) =>
      memberRows.map((row, index) => ({ lane: on, row, identity: `${unit.key} ${unit.members[index]!.identity}` })),
    );
    const attempt = known[at % Math.max(1, known.length)];
    if (attempt === undefined) return;
    this.open.push(attempt);
    Atomics.add(this.scoreboard.shared.busyTotal, attempt.row, 1);
  }

  #end(at: number): void {
    const attempt = this.open[at % Math.max(1, this.open.length)];
    if (attempt !== undefined) this.#close(attempt);
  }

  #close(attempt: World['open'][number]): void {
    this.open.splice(this.open.indexOf(attempt), 1);
    Atomics.sub(this.scoreboard.shared.busyTotal, attempt.row, 1);
  }
}

type PublishStep = Extract<Step, { readonly snapshot: unknown }>;

function toSnapshot(specs: PublishStep['snapshot']) {
  return snapshotOf(
    ...specs.map(({ name, members }) =>
      balancer(
        name,
        members.map(({ id, factor }) => member(`m${id}`, { factor })),
      ),
    ),
  );
}

const room = fc.constantFrom([100, 20], [8, 20], [6, 3]);

it('gives a row to one member at a time, and lanes the newest snapshot in the end', () => {
  fc.assert(
    fc.property(
      room,
      fc.array(step, { minLength: 40, maxLength: 60 }),
      snapshotSpec,
      ([members, balancers], steps, last) => {
        const world = new World(members!, balancers!);
        for (const each of steps) {
          world.run(each);
          for (const [row, owners] of world.ownersOfRows()) expect([row, [...owners]]).toEqual([row, [[...owners][0]]]);
        }
        world.publisher.publish(toSnapshot(last));
        // A generation that cannot be the one before, so that whoever refused the last one is sent another.
        world.publisher.publish(snapshotOf(balancer('final', [])));
        const result = world.publisher.publish(toSnapshot(last));
        world.settle();
        const published = new Map([...world.publisher.placed()].map((placed) => [placed.unit.key, placed]));
        const wanted = toSnapshot(last);
        expect([...published.keys()].sort()).toEqual([...wanted.balancers.keys()].sort());
        for (const each of world.lanes) {
          expect(new Map([...each.balancers].sort())).toEqual(new Map([...published].sort()));
          expect(each.rules).toEqual(wanted.rules);
          expect(each.generation).toBe(world.publisher.generation);
        }
        const unplaced = new Set(result.unplaced.map(({ key }) => key));
        for (const [key, unit] of wanted.balancers)
          if (!unplaced.has(key)) expect(published.get(key)!.unit).toEqual(unit);
      },
    ),
    { numRuns: 400 },
  );
});
