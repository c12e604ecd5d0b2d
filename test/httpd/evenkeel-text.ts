// A drawn configuration in the words of Evenkeel: one Balancer in a file of its own.
import type { Shape, Story, StoryMember } from './story.ts';

/** A longer body is refused before any member is elected: so it can be seen, without a trace, which rules are served. */
export const MAX_BODY_BYTES = 100_000;

/** `markerHost` leads to the same balancer; a version of its own for each text, to see when it is served. */
export function balancerText(
  name: string,
  hosts: readonly string[],
  story: Story,
  { method, members }: Shape,
  urls: readonly string[],
): string {
  const { maxAttempts, retrySeconds, forceRecovery, failOnStatus, sticky } = story;
  const attempts = maxAttempts === null ? '' : `, maxAttempts: ${maxAttempts}`;
  return `apiVersion: evenkeel.dev/v1alpha1
kind: Balancer
metadata: { name: ${name} }
spec:
  rules:
    - hosts: [${hosts.join(', ')}]
  lbMethod: ${method}
  members:
${members.map((member, index) => memberText(story, member, index, urls[index]!)).join('\n')}
  failover: { retryAfter: ${retrySeconds}s, forceRecovery: ${forceRecovery}, failOnStatus: [${failOnStatus.join(', ')}]${attempts} }
  limits: { maxBodyBytes: ${MAX_BODY_BYTES} }
${sticky === null ? '' : `  stickySession: { cookie: SID, urlParameter: sid, strategy: Route, separator: "${sticky.separator}", onMemberDown: ${sticky.rejects ? 'Reject' : 'Redispatch'} }\n`}`;
}

function memberText(story: Story, member: StoryMember, index: number, url: string): string {
  const { factor, lbSet, role, state, ignoresErrors, redirect } = member;
  const fields = [`url: "${url}"`, `loadFactor: ${factor}`, `lbSet: ${lbSet}`, `role: ${role}`, `state: ${state}`];
  fields.push(`ignoreErrors: ${ignoresErrors}`);
  if (story.sticky !== null) fields.push(`route: r${index}`);
  if (redirect !== '') fields.push(`redirect: ${redirect}`);
  return `    - { ${fields.join(', ')} }`;
}
