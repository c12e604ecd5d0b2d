// What httpd says of a balancer and its members with `key=value`, as fields of the resource. What httpd has for each member
// and the product for a balancer is that of the first member, and said so.
import { formatDuration } from '../duration-text.ts';
import type { FindingLog } from '../finding.ts';
import type { Fields } from '../manifest.ts';
import { isOn, readTimeMs } from './parameters.ts';
import type { BalancerConfig, MemberLine, ServerConfig } from './proxy-config.ts';

export function lbMethodOf({ parameters }: BalancerConfig, log: FindingLog): string | undefined {
  const given = parameters.get('lbmethod');
  if (given === undefined || given.value === 'byrequests') return undefined;
  if (['bytraffic', 'bybusyness', 'heartbeat'].includes(given.value)) return given.value;
  log.add('lost', given.at, `lbmethod=${given.value}`, 'there is no such method; byrequests is used');
  return undefined;
}

/** In httpd the default is one less than the members, however many they are. */
const defaultFurtherAttempts = 3;

export function failoverOf({ parameters }: BalancerConfig, members: readonly MemberLine[], log: FindingLog): Fields {
  const attempts = Number(parameters.get('maxattempts')?.value ?? members.length - 1);
  const failOnStatus = (parameters.get('failonstatus')?.value ?? '').split(',').filter((text) => text !== '');
  const retryMs = memberTime('retry', members, log);
  const isGiven = parameters.has('maxattempts') || attempts > defaultFurtherAttempts;
  return {
    maxAttempts: isGiven && Number.isInteger(attempts) ? Math.min(255, Math.max(0, attempts)) : undefined,
    retryAfter: retryMs === null || retryMs === 60_000 ? undefined : formatDuration(retryMs),
    forceRecovery: parameters.get('forcerecovery')?.value.toLowerCase() === 'off' ? false : undefined,
    failOnStatus: failOnStatus.length === 0 ? undefined : failOnStatus.map(Number),
    failOnTimeout: isOn(parameters.get('failontimeout')?.value) ? true : undefined,
  };
}

export function timeoutsOf(
  { parameters }: BalancerConfig,
  server: ServerConfig,
  members: readonly MemberLine[],
  log: FindingLog,
): Fields {
  const inherited =
    server.proxyTimeoutMs ?? server.parent?.proxyTimeoutMs ?? server.timeoutMs ?? server.parent?.timeoutMs;
  const idleMs = memberTime('timeout', members, log) ?? inherited ?? null;
  const connectMs = memberTime('connectiontimeout', members, log);
  const ttlMs = memberTime('ttl', members, log);
  const waitMs = readTimeMs(parameters.get('timeout')?.value);
  const duration = (ms: number | null, usual: number): string | undefined =>
    ms === null || ms === usual || ms === 0 ? undefined : formatDuration(ms);
  return {
    connect: duration(connectMs, 5_000),
    response: duration(idleMs, 60_000),
    body: duration(idleMs, 60_000),
    keepAlive: duration(ttlMs, 60_000),
    wait: duration(waitMs, 0),
  };
}

export function limitsOf(
  { maxBodyBytes, parent }: ServerConfig,
  members: readonly MemberLine[],
  log: FindingLog,
): Fields {
  const given = members.filter(({ parameters }) => parameters.has('max'));
  const [first] = given;
  if (first !== undefined) {
    const message = 'max counts for each child process of httpd, and here for each replica; multiply it';
    log.add('changed', first.at, first.text, message);
  }
  const max = Number(first?.parameters.get('max') ?? 0);
  const bodyBytes = maxBodyBytes ?? parent?.maxBodyBytes ?? 0;
  return {
    maxBodyBytes: bodyBytes > 0 ? bodyBytes : undefined,
    maxConnectionsPerMember: Number.isInteger(max) && max > 0 ? max : undefined,
  };
}

/** A time that httpd has for each member and the product for a balancer; null: none is given. */
function memberTime(key: string, members: readonly MemberLine[], log: FindingLog): number | null {
  const times = members.map(({ parameters }) => readTimeMs(parameters.get(key)));
  const [first = null] = times;
  const other = times.findIndex((time) => time !== first);
  if (other !== -1) {
    const { at, text } = members[other]!;
    log.add('changed', at, text, `${key} holds for all members of a balancer; that of the first member is used`);
  }
  return first;
}

const understood = new Set([
  ...['lbmethod', 'maxattempts', 'nofailover', 'stickysession', 'stickysessionsep', 'scolonpathdelim', 'timeout'],
  ...['failonstatus', 'failontimeout', 'forcerecovery', 'loadfactor', 'lbset', 'status', 'route', 'redirect', 'retry'],
  ...[
    'connectiontimeout',
    'ttl',
    'max',
    'hcmethod',
    'hcuri',
    'hcinterval',
    'hcpasses',
    'hcfails',
    'hcexpr',
    'hctemplate',
  ],
]);
/** About how httpd keeps its connections and its shared memory. */
const ofHttpd = new Set([
  ...[
    'min',
    'smax',
    'keepalive',
    'disablereuse',
    'enablereuse',
    'iobuffersize',
    'receivebuffersize',
    'growth',
    'nonce',
  ],
  ...[
    'flushpackets',
    'flushwait',
    'nocanon',
    'interpolate',
    'noquery',
    'upgrade',
    'addressttl',
    'responsefieldsize',
    'mapping',
  ],
]);

/** What is said of a balancer or its members that nothing was made of. */
export function remarkOnParameters(config: BalancerConfig, members: readonly MemberLine[], log: FindingLog): void {
  const given = [
    ...[...config.parameters].map(([key, { value, at }]) => ({ key, value, at })),
    ...members.flatMap(({ at, parameters }) => [...parameters].map(([key, value]) => ({ key, value, at }))),
  ];
  for (const { key, value, at } of given) {
    if (understood.has(key)) continue;
    const subject = value === '' || key === 'secret' ? key : `${key}=${value}`;
    if (ofHttpd.has(key)) log.add('skipped', at, subject, 'it is about httpd’s own connections and memory');
    else log.add('lost', at, subject, 'there is nothing like it');
  }
}
