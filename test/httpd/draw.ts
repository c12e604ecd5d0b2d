// Draws stories. Everything that the differences by name say is avoided is avoided here; the same seed draws the same.
import fc from 'fast-check';
import type { Change, Event, SessionOf, Sizes, Story, StoryMember } from './story.ts';

// 1.15 is 114 hundredths in httpd, by binary floating point.
const factor = fc.constantFrom(1, 1, 1, 1, 1.15, 1.5, 2, 2, 2.25, 3, 5, 25, 100);
const lbSet = fc.constantFrom(0, 0, 0, 0, 1, 7);
const role = fc.constantFrom('Active', 'Active', 'Active', 'Active', 'HotSpare', 'HotStandby');
const state = fc.constantFrom('Enabled', 'Enabled', 'Enabled', 'Enabled', 'Enabled', 'Draining', 'Disabled', 'Stopped');

const METHODS = ['byrequests', 'bytraffic', 'bybusyness'] as const;

/** Routes of the members there are at most, and one that is nobody's. */
const route = fc.constantFrom('r0', 'r1', 'r2', 'r3', 'nobody');

const member: fc.Arbitrary<StoryMember> = fc.record({
  factor,
  lbSet,
  role,
  state,
  ignoresErrors: fc.constantFrom(false, false, false, false, true),
  redirect: fc.constantFrom('', '', 'r0', 'r1', 'r2'),
});

// bytraffic cuts each direction to whole units of factor: odd sizes show where.
const size = fc.oneof(fc.constantFrom(0, 0, 99, 2_000, 2_000, 9_000, 30_000), fc.nat(400), fc.nat(400));
const sizes: fc.Arbitrary<Sizes> = fc.record({ up: size, down: size });

const session: fc.Arbitrary<SessionOf | null> = fc.option(
  fc.record({ route, place: fc.constantFrom('cookie', 'cookie', 'query', 'path') }),
  { freq: 3 },
);

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ state }) },
  { weight: 2, arbitrary: fc.record({ role }) },
  { weight: 2, arbitrary: fc.record({ factor }) },
  { weight: 1, arbitrary: fc.record({ lbSet }) },
);

const at = fc.nat(5);

const status = fc.constantFrom(200, 200, 200, 200, 200, 200, 404, 500, 503);
const request = fc.record({ op: fc.constant('request'), sizes, session, status });
const open = fc.record({ op: fc.constant('open'), sizes, session });

/** A member fails while requests are held, rests and comes back: what follows shows what both made of it. */
const outage = fc
  .tuple(at, fc.array(fc.oneof(request, open), { minLength: 1, maxLength: 4, size: 'max' }), fc.array(request))
  .map(([index, during, after]): readonly Event[] => [
    { op: 'down', at: index },
    ...during,
    { op: 'up', at: index },
    { op: 'rest' },
    ...after,
  ]);

/** Held requests matter where busyness and bytes decide. */
function events(holds: boolean): fc.Arbitrary<readonly Event[]> {
  const event: fc.Arbitrary<Event> = fc.oneof(
    { weight: 26, arbitrary: request },
    { weight: holds ? 16 : 1, arbitrary: open },
    { weight: holds ? 10 : 1, arbitrary: fc.record({ op: fc.constant('close'), at }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('down'), at }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('up'), at }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('rest') }) },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('set'), at, change }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('join') }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('method'), method: fc.constantFrom(...METHODS) }) },
  );
  const happening = fc.oneof({ weight: 20, arbitrary: event.map((one) => [one]) }, { weight: 1, arbitrary: outage });
  // A run of plain requests first, so that credits and bytes differ before anything happens.
  return fc
    .tuple(
      fc.array(request, { maxLength: 12, size: 'max' }),
      fc.array(happening, { minLength: 20, maxLength: 60, size: 'max' }),
    )
    .map(([first, rest]) => [...first, ...rest.flat()]);
}

const story: fc.Arbitrary<Story> = fc.constantFrom(...METHODS).chain((method) =>
  fc.record({
    method: fc.constant(method),
    members: fc.array(member, { minLength: 1, maxLength: 6, size: 'max' }),
    retrySeconds: fc.constantFrom(0, 2, 2, 600),
    maxAttempts: fc.constantFrom(null, 0, 1, 2, 3, 7),
    failOnStatus: fc.constantFrom<readonly number[]>([], [], [503], [500, 503]),
    forceRecovery: fc.constantFrom(true, true, false),
    sticky: fc.option(fc.record({ rejects: fc.boolean(), separator: fc.constantFrom('.', '.', '') }), { freq: 3 }),
    events: events(method !== 'byrequests'),
  }),
);

/** The first `count` stories of a seed. */
export function drawStories(seed: number, count: number): readonly Story[] {
  return fc.sample(story, { seed, numRuns: count }).map(withKnownAttempts);
}

/**
 * With retry 0 a member is taken again in the very request that it failed, or not, as microseconds fall: then there is
 * one attempt. With more than four members the defaults of maxattempts differ.
 */
function withKnownAttempts(drawn: Story): Story {
  if (drawn.retrySeconds === 0) return { ...drawn, maxAttempts: 0 };
  return drawn.maxAttempts === null && drawn.members.length > 4 ? { ...drawn, maxAttempts: 3 } : drawn;
}
