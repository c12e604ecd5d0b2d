import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/balancer/compile.ts';
import { NONE } from '../../../src/balancer/compiled-balancer.ts';
import { elect } from '../../../src/balancer/elect.ts';
import { decide, NO_MEMBER_STATUS, type Outcome } from '../../../src/balancer/failover.ts';
import { isInError, markFailed, markSucceeded } from '../../../src/balancer/member-state.ts';
import { stick } from '../../../src/balancer/session.ts';
import { balancerUnit, laneOn, manualClock, memberUnit, placed, scoreboardFor } from './fixtures.ts';
import { lettersOf, stateOf } from './status-letters.ts';

interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly cfg: {
    readonly members: readonly {
      readonly name: string;
      readonly status?: string;
      readonly route?: string;
      readonly retry?: number;
      readonly lbset?: number;
    }[];
    readonly maxattempts?: number;
    readonly forcerecovery?: boolean;
    readonly failonstatus?: readonly number[];
  };
  readonly events: readonly {
    readonly op: 'backend' | 'request' | 'advance';
    readonly member?: string;
    readonly mode?: string;
    readonly route?: string;
    readonly seconds?: number;
  }[];
  readonly expected: readonly Played[];
}

interface Played {
  readonly tried?: readonly string[];
  readonly status?: number;
  /** Letters by member. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** What is compared; the vectors say more. */
function essence({ tried, status, flags }: Played): Played {
  return tried === undefined ? {} : { tried, status: status!, flags: flags! };
}

const file = JSON.parse(readFileSync(new URL('../../vectors/failover.json', import.meta.url), 'utf8')) as {
  readonly scenarios: readonly Scenario[];
};

function outcomeOf(mode: string): Outcome {
  switch (mode) {
    case 'up':
      return { kind: 'answered', status: 200 };
    case 'refuse':
      return { kind: 'connect-refused' };
    case 'close':
      return { kind: 'closed-before-head' };
    case 'hang':
      return { kind: 'response-timeout' };
    case 'garbage':
      return { kind: 'bad-response-head' };
    case 'nodns':
      return { kind: 'name-not-resolved' };
    default:
      return { kind: 'answered', status: Number(mode) };
  }
}

/** Plays a scenario with requests that may not be repeated once a member has seen them, or that may. */
function play({ cfg, events }: Scenario, isIdempotent = false) {
  const unit = balancerUnit(
    cfg.members.map((member) => ({
      ...memberUnit(member.name, { sessionRoute: member.route ?? '', lbSet: member.lbset ?? 0 }),
      ...stateOf(member.status ?? ''),
    })),
    {
      failover: {
        maxAttempts: cfg.maxattempts ?? cfg.members.length - 1,
        retryAfterMs: (cfg.members[0]!.retry ?? 60) * 1000,
        forceRecovery: cfg.forcerecovery ?? true,
        failOnStatus: cfg.failonstatus ?? [],
        failOnTimeout: false,
      },
    },
  );
  const clock = manualClock();
  const balancer = compile(placed(unit), null, laneOn(scoreboardFor(unit.members.length), 0, { clock }));
  const modes = new Map<string, string>();

  const request = (route: string | undefined) => {
    const tried: string[] = [];
    let status = NO_MEMBER_STATUS;
    let avoid = NONE;
    for (let attempts = 1; ; attempts++) {
      let index = route === undefined ? NONE : stick(balancer, route);
      if (index < 0) index = elect(balancer, 0, avoid);
      if (index === NONE) return { tried, status };
      const member = unit.members[index]!;
      tried.push(member.name);
      const outcome = outcomeOf(modes.get(member.name) ?? 'up');
      const situation = { isIdempotent, isReplayable: true, attempts, ignoresErrors: member.ignoreErrors };
      const verdict = decide(outcome, situation, unit.failover);
      if (outcome.kind === 'answered') markSucceeded(balancer, index);
      if (verdict.failsMember) markFailed(balancer, index);
      status = outcome.kind === 'answered' ? outcome.status : verdict.status;
      avoid = verdict.avoidsMember ? index : NONE;
      if (verdict.next !== 'try-next') return { tried, status };
    }
  };

  return events.map((event) => {
    if (event.op === 'backend') modes.set(event.member!, event.mode!);
    if (event.op === 'advance') clock.advanceMs(event.seconds! * 1000);
    if (event.op !== 'request') return {};
    const played = request(event.route);
    const flags = unit.members.map((member, index) => [
      member.name,
      (isInError(balancer, index) ? 'E' : '') + lettersOf(member),
    ]);
    return { ...played, flags: Object.fromEntries(flags) };
  });
}

/** Scenarios where we differ on purpose; each has a test of its own below. */
const DIFFERENT = new Set(['fo-17', 'fo-25']);

describe('whole requests as observed on httpd', () => {
  test.each(file.scenarios.filter(({ id }) => !DIFFERENT.has(id)))('$id: $title', (scenario) => {
    expect(play(scenario)).toEqual(scenario.expected.map(essence));
  });
});

test('Differs from httpd: a response that does not begin in time is 504, and an idempotent request may fail over', () => {
  const scenario = file.scenarios.find(({ id }) => id === 'fo-17')!;
  const expected = scenario.expected.map((one) => (one.status === 502 ? { ...one, status: 504 } : one));
  expect(play(scenario)).toEqual(expected.map(essence));
  const [, first] = play(scenario, true);
  expect(first).toMatchObject({ tried: ['a', 'b'], status: 200, flags: { a: '', b: '' } });
});

test('Differs from httpd: a name that does not resolve sends the request to the next member', () => {
  const scenario = file.scenarios.find(({ id }) => id === 'fo-25')!;
  const expected = scenario.expected.map((one) =>
    one.status === 500 ? { ...one, tried: ['a', 'b'], status: 200 } : one,
  );
  expect(play(scenario)).toEqual(expected.map(essence));
});
