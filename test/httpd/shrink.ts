// Makes a story that went wrong shorter as long as it still goes wrong: many shorter ones are played at once, the
// shortest that fails goes on.
import type { ApacheHome } from './apache.ts';
import type { Judgement } from './judge.ts';
import type { Event, Story } from './story.ts';
import { playAll } from './theatre.ts';

interface Failure {
  readonly story: Story;
  readonly judgement: Judgement;
}

const MAX_ROUNDS = 12;

export async function shrink(home: ApacheHome, story: Story, judgement: Judgement): Promise<Failure> {
  let least: Failure = { story, judgement };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const candidates = shorterOnes(least);
    const judgements = await playAll(home, candidates);
    const failed = candidates
      .map((candidate, index): Failure => ({ story: candidate, judgement: judgements[index]! }))
      .filter((candidate) => candidate.judgement.mismatch !== null)
      .sort((a, b) => weightOf(a.story) - weightOf(b.story));
    const best = failed[0];
    if (best === undefined) return least;
    least = best;
  }
  return least;
}

function weightOf({ events, members }: Story): number {
  return events.length + members.length + events.filter(({ op }) => op !== 'request').length / 10;
}

/** Without what comes after the mismatch, without runs of events, without a member, or with plainer parts. */
function shorterOnes({ story, judgement }: Failure): readonly Story[] {
  const events = story.events.slice(0, (judgement.mismatch?.event ?? story.events.length) + 1);
  const cut: Story = { ...story, events };
  const found: Story[] = events.length < story.events.length ? [cut] : [];
  for (const size of [16, 8, 4, 2, 1]) {
    for (let from = 0; from + size <= events.length; from += size) {
      found.push({ ...story, events: events.toSpliced(from, size) });
    }
  }
  story.members.forEach((_, index) => {
    if (story.members.length > 1)
      found.push({
        ...cut,
        members: story.members.toSpliced(index, 1),
        events: withoutMember(events, index, story.members.length),
      });
  });
  return found;
}

/** Events of the member go, those of others follow them to their new places. */
function withoutMember(events: readonly Event[], gone: number, count: number): readonly Event[] {
  return events.flatMap((event): readonly Event[] => {
    if (event.op !== 'set' && event.op !== 'down' && event.op !== 'up') return [event];
    const at = event.at % count;
    if (at === gone) return [];
    return [{ ...event, at: at > gone ? at - 1 : at }];
  });
}
