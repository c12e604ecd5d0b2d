// What the differential test tells: the run as a whole, and a story that went wrong, as short as can be.
import type { ApacheHome } from './apache.ts';
import { ALL_PREDICTED, AVOIDED, PREDICTED } from './differences.ts';
import type { Judgement } from './judge.ts';
import type { Event, Story, StoryMember } from './story.ts';

export function describeRun(seed: number, home: ApacheHome, judgements: readonly Judgement[], tookMs: number): string {
  const count = (isIt: (judgement: Judgement) => boolean): number => judgements.filter(isIt).length;
  const elections = judgements.reduce((sum, one) => sum + one.elections, 0);
  const lines = [
    `HTTPD_SEED=${seed} HTTPD_CONFIGS=${judgements.length}: ${home.version}, ${elections} elections, ${Math.round(tookMs / 1000)} s`,
    `  equal to httpd throughout: ${count(({ mismatch, differences, isUncertain }) => mismatch === null && !isUncertain && differences.length === 0)}`,
    ...ALL_PREDICTED.map(
      (name) =>
        `  differing as predicted by "${PREDICTED[name]}": ${count(({ differences }) => differences.includes(name))}`,
    ),
    `  not drawn, because they would differ by name: ${Object.keys(AVOIDED).length} kinds (differences.ts)`,
    `  times too close to tell: ${count(({ isUncertain }) => isUncertain)}`,
    `  MISMATCHES: ${count(({ mismatch }) => mismatch !== null)}`,
  ];
  return lines.join('\n');
}

export function describeMismatch(story: Story, { mismatch }: Judgement): string {
  const { method, members, retrySeconds, maxAttempts, forceRecovery, failOnStatus, sticky, events } = story;
  const balancer = [method, `retry ${retrySeconds}`, `maxattempts ${maxAttempts ?? 'default'}`];
  if (!forceRecovery) balancer.push('forcerecovery Off');
  if (failOnStatus.length > 0) balancer.push(`failonstatus ${failOnStatus.join()}`);
  if (sticky !== null)
    balancer.push(`sessions${sticky.rejects ? ', nofailover' : ''}, separator "${sticky.separator}"`);
  return [
    balancer.join(', '),
    ...members.map((member, index) => `  member ${index}: ${describeMember(member)}`),
    ...events.map((event, at) => `  ${at}: ${describeEvent(event)}${at === mismatch?.event ? '   <── here' : ''}`),
    `${mismatch?.side}, event ${mismatch?.event}: ${mismatch?.text}`,
  ].join('\n');
}

function describeMember({ factor, lbSet, role, state, ignoresErrors, redirect }: StoryMember): string {
  const words = [`factor ${factor}`, `set ${lbSet}`];
  if (role !== 'Active') words.push(role);
  if (state !== 'Enabled') words.push(state);
  if (ignoresErrors) words.push('ignores errors');
  if (redirect !== '') words.push(`redirect ${redirect}`);
  return words.join(', ');
}

function describeEvent(event: Event): string {
  switch (event.op) {
    case 'request':
    case 'open': {
      const { sizes, session } = event;
      const route = session === null ? '' : `, session ${session.route} in the ${session.place}`;
      const status = event.op === 'request' && event.status !== 200 ? `, ${event.status}` : '';
      return `${event.op} (${sizes.up} bytes up, ${sizes.down} down${route}${status})`;
    }
    case 'set':
      return `set member ${event.at} ${JSON.stringify(event.change)}`;
    case 'method':
      return `method ${event.method}`;
    case 'rest':
    case 'join':
      return event.op;
    default:
      return `${event.op} ${event.at}`;
  }
}
