// The scene of most tests here: one lane, one or more members, cleaned up after each test.
import { afterEach } from 'vitest';
import { type HarnessOptions, type LaneHarness, startLane } from '../../helpers/lane-harness.ts';
import { RawMember } from '../../helpers/raw-member.ts';

export { get, ok, request } from './stage-messages.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close();
});

export interface Stage {
  readonly lane: LaneHarness;
  readonly member: RawMember;
  readonly members: readonly RawMember[];
}

/** A lane with `count` members that do nothing yet. */
export async function stage(options: HarnessOptions = {}, count = 1): Promise<Stage> {
  const members = await Promise.all(Array.from({ length: count }, () => startMember()));
  const lane = await stageLane(members, options);
  return { lane, member: members[0]!, members };
}

export async function stageLane(
  members: Parameters<typeof startLane>[0],
  options: HarnessOptions = {},
): Promise<LaneHarness> {
  const lane = await startLane(members, options);
  open.push(lane);
  return lane;
}

export async function startMember(): Promise<RawMember> {
  const member = await new RawMember().listen();
  open.push(member);
  return member;
}
