// A drawn configuration in the words of httpd: a virtual host with a balancer and a manager of its own, and what to
// post to the manager for a change.
import { type Change, MAX_JOINING, type Story, type StoryMember } from './story.ts';

/** Where the manager of each virtual host is; not balanced, nor is /barrier. */
export const MANAGER_PATH = '/balancer-manager';
export const BARRIER_PATH = '/barrier';
const NONCE = 'of-the-test';

const roleLetters = { Active: '', HotSpare: 'R', HotStandby: 'H' } as const;
const stateLetters = { Enabled: '', Draining: 'N', Disabled: 'D', Stopped: 'S' } as const;

export function virtualHost(name: string, host: string, story: Story, urls: readonly string[]): string {
  const members = story.members.map(
    (member, index) => `  BalancerMember ${urls[index]} ${memberText(story, member, index)}`,
  );
  return `
<VirtualHost *:@PORT@>
  ServerName ${host}
  <Proxy balancer://${name}>
${members.map((line) => `  ${line}`).join('\n')}
    ProxySet ${balancerText(story)}
  </Proxy>
  ProxyPass ${MANAGER_PATH} !
  ProxyPass ${BARRIER_PATH} !
  ProxyPass / balancer://${name}/
  <Location ${MANAGER_PATH}>
    SetHandler balancer-manager
  </Location>
</VirtualHost>
`;
}

function memberText(story: Story, member: StoryMember, index: number): string {
  const letters = roleLetters[member.role] + stateLetters[member.state] + (member.ignoresErrors ? 'I' : '');
  const words = [`loadfactor=${member.factor}`, `lbset=${member.lbSet}`, `retry=${story.retrySeconds}`];
  if (letters !== '') words.push(`status=+${letters}`);
  if (story.sticky !== null) words.push(`route=r${index}`);
  if (member.redirect !== '') words.push(`redirect=${member.redirect}`);
  return words.join(' ');
}

function balancerText({ method, maxAttempts, forceRecovery, failOnStatus, sticky }: Story): string {
  const words = [`lbmethod=${method}`, `nonce=${NONCE}`, `growth=${MAX_JOINING}`];
  if (maxAttempts !== null) words.push(`maxattempts=${maxAttempts}`);
  if (failOnStatus.length > 0) words.push(`failonstatus=${failOnStatus.join(',')}`);
  if (!forceRecovery) words.push('forcerecovery=Off');
  if (sticky !== null) {
    words.push('stickysession=SID|sid', `nofailover=${sticky.rejects ? 'On' : 'Off'}`);
    if (sticky.separator === '') words.push('stickysessionsep=Off');
  }
  return words.join(' ');
}

type Form = Readonly<Record<string, string | number>>;

export function formOf(fields: Form): Buffer {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return Buffer.from(pairs.join('&'));
}

export function changeForm(name: string, url: string, change: Change): Form {
  return { b: name, nonce: NONCE, w: url, ...changeFields(change) };
}

function changeFields(change: Change): Form {
  if ('state' in change) {
    const flag = (state: string): number => Number(change.state === state);
    return { w_status_N: flag('Draining'), w_status_D: flag('Disabled'), w_status_S: flag('Stopped') };
  }
  if ('role' in change) {
    return { w_status_R: Number(change.role === 'HotSpare'), w_status_H: Number(change.role === 'HotStandby') };
  }
  return 'factor' in change ? { w_lf: change.factor } : { w_ls: change.lbSet };
}

/** Members are added disabled; two forms in turn make one that takes requests, with the route that is its. */
export function joinForms(name: string, url: string, route: string | null): readonly Form[] {
  const fields = route === null ? { w_status_D: 0 } : { w_status_D: 0, w_wr: route };
  return [
    { b: name, nonce: NONCE, b_nwrkr: url, b_wyes: 1 },
    { b: name, nonce: NONCE, w: url, ...fields },
  ];
}

export function methodForm(name: string, method: string): Form {
  return { b: name, nonce: NONCE, b_lbm: method };
}

/** What the manager tells of a member. */
export interface Counters {
  readonly elected: number;
  readonly sent: number;
  readonly received: number;
  readonly isInError: boolean;
  readonly busy: number;
  readonly lbstatus: number | null;
}

/** The members in the manager's XML, in order. */
export function countersOf(xml: string): readonly Counters[] {
  return xml
    .split('<httpd:worker>')
    .slice(1)
    .map((part) => {
      const text = (name: string): string => new RegExp(`<httpd:${name}>([^<]*)<`).exec(part)?.[1] ?? '';
      return {
        elected: Number(text('elected')),
        sent: Number(text('transferred')),
        received: Number(text('read')),
        isInError: text('status').includes('Err '),
        busy: Number(text('busy')),
        lbstatus: Number(text('lbstatus')),
      };
    });
}
