import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, LeaseWorld } from './lease-world.ts';

const quiet = Promise.resolve(true);

describe('one candidate', () => {
  it('leads once it has written the Lease, and renews it every two seconds', async () => {
    const world = new LeaseWorld();
    const a = world.add('a');
    a.elector.start();
    expect(world.leaders).toEqual([]);
    await world.advance(100);
    expect(world.leaders).toEqual(['a']);
    expect(world.lease?.record).toMatchObject({ holder: 'a', durationMs: 15_000, transitions: 0 });
    await world.advance(20_000);
    expect(world.writes.length).toBeGreaterThanOrEqual(10);
    expect(world.writes.length).toBeLessThanOrEqual(12);
    expect(world.lease?.record.acquireTime).toBe(world.writes[0]!.record.acquireTime);
    expect(a.changes).toEqual([true]);
  });

  it('stops leading ten seconds after its last renewal was sent, before anybody else may lead', async () => {
    const world = new LeaseWorld();
    const a = world.add('a');
    a.elector.start();
    await world.advance(100);
    const lastMs = world.writes.at(-1)!.atMs;
    a.isCutOff = true;
    await world.advance(lastMs + 9_900 - world.trueMs);
    expect(world.leaders).toEqual(['a']);
    await world.advance(100);
    expect(world.leaders).toEqual([]);
    a.isCutOff = false;
    await world.advance(8_000);
    expect(world.leaders).toEqual(['a']);
    expect(a.changes).toEqual([true, false, true]);
    expect(a.log.take()).toEqual([
      'info leading: this replica writes statuses and events',
      'warn the Lease cannot be read or written; trying on',
      'info not leading any more',
      'info the Lease can be read and written again',
      'info leading: this replica writes statuses and events',
    ]);
  });

  it('renews visibly though its wall clock stands still or goes back', async () => {
    const world = new LeaseWorld();
    const a = world.add('a');
    const b = world.add('b');
    a.wallOffMs = null;
    a.elector.start();
    await world.advance(1_000);
    b.elector.start();
    for (let minute = 0; minute < 2; minute += 1) {
      await world.advance(60_000, () => expect(world.leaders).toEqual(['a']));
      a.wallOffMs = -3_600_000;
    }
    expect(b.changes).toEqual([]);
  });

  it('stops at once when it reads that another one holds the Lease', async () => {
    const world = new LeaseWorld();
    const a = world.add('a');
    a.elector.start();
    await world.advance(1_000);
    const stolen = { ...world.lease!.record, holder: 'by-hand' };
    world.commit(stolen, world.lease);
    await world.advance(3_000);
    // The renewal is refused, and the read of the next try says why.
    expect(world.lease?.record.holder).toBe('by-hand');
    await world.advance(3_000);
    expect(world.leaders).toEqual([]);
    await world.advance(20_000);
    expect(world.leaders).toEqual(['a']);
    expect(world.lease?.record.transitions).toBe(1);
  });

  it('makes the Lease anew when somebody deletes it', async () => {
    const world = new LeaseWorld();
    const a = world.add('a');
    a.elector.start();
    await world.advance(1_000);
    world.lease = null;
    await world.advance(6_000);
    expect(world.leaders).toEqual(['a']);
    expect(world.lease).not.toBeNull();
  });
});

describe('two candidates', () => {
  async function twoOfThem(): Promise<{ world: LeaseWorld; a: Candidate; b: Candidate }> {
    const world = new LeaseWorld();
    const a = world.add('a');
    const b = world.add('b');
    a.elector.start();
    await world.advance(1_000);
    b.elector.start();
    await world.advance(30_000);
    expect(world.leaders).toEqual(['a']);
    return { world, a, b };
  }

  it('change the lead within 18 seconds of the death of the leader, and not before 13', async () => {
    const { world, a } = await twoOfThem();
    a.kill();
    await world.advance(12_900);
    expect(world.leaders).toEqual([]);
    await world.advance(5_000);
    expect(world.leaders).toEqual(['b']);
    expect(world.lease?.record.transitions).toBe(1);
  });

  it('change the lead within three seconds when the leader gives it back', async () => {
    const { world, a } = await twoOfThem();
    const stopped = a.elector.stop(quiet);
    expect(world.leaders).toEqual([]);
    await world.advance(200);
    await stopped;
    expect(world.lease?.record.holder).toBe('');
    await world.advance(2_800);
    expect(world.leaders).toEqual(['b']);
    expect(a.log.take().at(-1)).toBe('info gave the Lease back');
  });

  it('wait for the Lease to run out when the leader ends with something still under way', async () => {
    const { world, a } = await twoOfThem();
    const stopped = a.elector.stop(Promise.resolve(false));
    await world.advance(200);
    await stopped;
    expect(world.lease?.record.holder).toBe('a');
    await world.advance(12_000);
    expect(world.leaders).toEqual([]);
    await world.advance(6_000);
    expect(world.leaders).toEqual(['b']);
  });

  it('do not lead together when the leader wakes from a long pause', async () => {
    const { world, a } = await twoOfThem();
    a.pausedUntilMs = world.trueMs + 30_000;
    await world.advance(40_000, () => expect(world.leaders.length).toBeLessThanOrEqual(1));
    expect(world.leaders).toEqual(['b']);
    expect(a.changes).toEqual([true, false]);
  });

  it('do not change the lead when the Lease is deleted, whoever of them looks first', async () => {
    const { world } = await twoOfThem();
    for (let time = 0; time < 10; time += 1) {
      world.lease = null;
      await world.advance(5_700, () => expect(world.leaders).not.toContain('b'));
      expect(world.leaders).toEqual(['a']);
    }
  });

  it('honour a holder that counts on its Lease for longer than they would', async () => {
    const world = new LeaseWorld();
    const record = { holder: 'old', durationMs: 40_000, transitions: 7, acquireTime: '', renewTime: '' };
    world.commit(record, null);
    const a = world.add('a');
    a.elector.start();
    await world.advance(39_900);
    expect(world.leaders).toEqual([]);
    await world.advance(500);
    expect(world.leaders).toEqual(['a']);
    expect(world.lease?.record.transitions).toBe(8);
  });
});

describe('several candidates in a bad world', () => {
  it('never lead two at once, and one leads once the faults are over', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 2, max: 3 }),
        fc.double({ min: 0, max: 0.6, noNaN: true }),
        async (seed, count, faultiness) => {
          const random = randomOf(seed);
          const world = new LeaseWorld(random);
          world.faultiness = faultiness;
          const names = ['a', 'b', 'c'].slice(0, count);
          for (const name of names) world.add(name, 0.93 + random() * 0.14).elector.start();
          const check = (): void => expect(world.leaders.length).toBeLessThanOrEqual(1);
          for (let turn = 0; turn < 40; turn += 1) {
            shake(world, random);
            await world.advance(random() * 8_000, check);
          }
          world.faultiness = 0;
          for (const candidate of world.candidates) candidate.isCutOff = false;
          // Late writes arrive for another twenty seconds; then a Lease may have to run out.
          await world.advance(60_000, check);
          const [leader] = world.leaders;
          expect(leader).toBeDefined();
          await world.advance(60_000, () => expect(world.leaders).toEqual([leader]));
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Something happens to one of them. */
function shake(world: LeaseWorld, random: () => number): void {
  const candidate = world.candidates[Math.floor(random() * world.candidates.length)]!;
  const what = random();
  if (what < 0.25) candidate.isCutOff = !candidate.isCutOff;
  else if (what < 0.45) candidate.pausedUntilMs = world.trueMs + random() * 25_000;
  else if (what < 0.75) candidate.wallOffMs = random() < 0.3 ? null : (random() - 0.5) * 7_200_000;
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
