// hcmethod and its relatives → spec.healthCheck. In httpd each member has its own; here the balancer has one.

import { formatDuration } from '../duration-text.ts';
import type { FindingLog } from '../finding.ts';
import type { Fields } from '../manifest.ts';
import { type Parameters, readTimeMs } from './parameters.ts';
import type { MemberLine, ServerConfig } from './proxy-config.ts';

const keys = ['hcmethod', 'hcuri', 'hcinterval', 'hcpasses', 'hcfails', 'hcexpr'] as const;

/** Undefined: members are not probed. */
export function healthCheckOf(
  members: readonly MemberLine[],
  server: ServerConfig,
  log: FindingLog,
): Fields | undefined {
  const checked = members.map((member) => ({ member, check: checkOf(member, server, log) }));
  const first = checked.find(({ check }) => check.get('hcmethod')?.toLowerCase() !== 'none' && check.has('hcmethod'));
  if (first === undefined) return undefined;
  const { member, check } = first;
  for (const other of checked) {
    if (keys.every((key) => other.check.get(key) === check.get(key))) continue;
    const message = `all members are probed alike, as on line ${member.at.line}`;
    log.add('changed', other.member.at, other.member.text, message);
  }
  const method = check.get('hcmethod')!.toUpperCase().replace(/11$/, '');
  if (!['GET', 'HEAD', 'OPTIONS', 'TCP'].includes(method)) {
    log.add('lost', member.at, `hcmethod=${method}`, 'members are probed by GET, HEAD, OPTIONS or a connection only');
    return undefined;
  }
  const intervalMs = readTimeMs(check.get('hcinterval'));
  const statuses = statusesOf(check.get('hcexpr'), server, member, log);
  return {
    method: method === 'GET' ? undefined : method,
    path: method === 'TCP' ? undefined : check.get('hcuri'),
    interval: intervalMs === null || intervalMs === 30_000 ? undefined : formatDuration(intervalMs),
    passes: countOf(check, 'hcpasses'),
    fails: countOf(check, 'hcfails'),
    expect: { statuses },
  };
}

/** A template is a set of defaults. */
function checkOf({ at, text, parameters }: MemberLine, { checks }: ServerConfig, log: FindingLog): Parameters {
  const name = parameters.get('hctemplate');
  if (name === undefined) return parameters;
  const template = checks.get(name);
  if (template === undefined) log.add('lost', at, text, `there is no ProxyHCTemplate ${name}`);
  return new Map([...(template ?? []), ...parameters]);
}

function countOf(check: Parameters, key: string): number | undefined {
  const count = Number(check.get(key) ?? 1);
  return Number.isInteger(count) && count > 1 && count <= 100 ? count : undefined;
}

/** `{%{REQUEST_STATUS} =~ /^[234]/}` is a list of statuses; other conditions are not. */
function statusesOf(
  name: string | undefined,
  { conditions }: ServerConfig,
  { at }: MemberLine,
  log: FindingLog,
): readonly string[] | undefined {
  if (name === undefined) return undefined;
  const text = conditions.get(name) ?? '';
  const classes = /^\{?\s*%\{REQUEST_STATUS\}\s*=~\s*\/\^(?:\[([1-5]+)\]|([1-5]))\/\s*\}?$/.exec(text);
  const exact = /^\{?\s*%\{REQUEST_STATUS\}\s*(?:==|-eq)\s*'?([1-5][0-9]{2})'?\s*\}?$/.exec(text);
  if (exact !== null) return [exact[1]!];
  if (classes !== null) return [...(classes[1] ?? classes[2]!)].map((digit) => `${digit}00-${digit}99`);
  log.add('lost', at, `hcexpr=${name}`, 'only conditions on the status are carried over; 200 to 399 passes');
  return undefined;
}
