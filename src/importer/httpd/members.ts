// BalancerMember lines → spec.members, and what they say that here holds for the balancer as a whole.
import { loadFactorHundredths } from '../../api/load-factor.ts';
import type { FindingLog } from '../finding.ts';
import type { Fields } from '../manifest.ts';
import type { MemberLine } from './proxy-config.ts';
import { memberUrl, readTarget } from './proxy-target.ts';

/** A Service in place of the members of a balancer. */
export interface ServiceTarget {
  readonly namespace: string | null;
  readonly name: string;
  readonly port: string | number;
}

export interface ImportedMembers {
  readonly fields: readonly Fields[];
  /** Lines that became members. */
  readonly lines: readonly MemberLine[];
  /** Paths of the members' URLs; null: they differ. */
  readonly path: string | null;
}

export function importMembers(
  lines: readonly MemberLine[],
  service: ServiceTarget | null,
  log: FindingLog,
): ImportedMembers {
  const fields: Fields[] = [];
  const taken: MemberLine[] = [];
  const paths = new Set<string>();
  const urls = new Set<string>();
  for (const line of lines) {
    const target = readTarget(line.url);
    if (target?.kind !== 'server') {
      log.add('lost', line.at, line.text, `${line.url || 'it'} is not the URL of a member`);
      continue;
    }
    const found = memberUrl(target.address);
    if (service === null && 'reason' in found) {
      log.add('lost', line.at, line.text, found.reason);
      continue;
    }
    const url = 'url' in found ? found.url : line.url;
    if (urls.has(url)) {
      log.add('lost', line.at, line.text, `${url} is a member already`);
      continue;
    }
    urls.add(url);
    paths.add(target.path.replace(/\/+$/, ''));
    taken.push(line);
    fields.push({ url, ...settingsOf(line, log) });
  }
  const [path = ''] = paths;
  const shared = paths.size > 1 ? null : path;
  if (service === null) return { fields, lines: taken, path: shared };
  return { fields: taken.length === 0 ? [] : [serviceFields(service, fields, taken, log)], lines: taken, path: shared };
}

/** One entry for all endpoints of a Service: what differs between members has no place in it. */
function serviceFields(
  service: ServiceTarget,
  members: readonly Fields[],
  lines: readonly MemberLine[],
  log: FindingLog,
): Fields {
  const same = (key: string): Fields[string] => {
    const values = new Set(members.map((fields) => fields[key]));
    if (values.size === 1) return members[0]?.[key];
    const line = lines.find((_, index) => members[index]?.[key] !== undefined)!;
    log.add('lost', line.at, line.text, `${key} differs between members; see spec.overrides for single pods`);
    return undefined;
  };
  const routed = lines.find((_, index) => members[index]?.route !== undefined);
  if (routed !== undefined) {
    const advice = 'give each pod its own name as jvmRoute (downward API)';
    log.add('changed', routed.at, routed.text, `session routes are the names of pods; ${advice}`);
  }
  return {
    service: { name: service.name, namespace: service.namespace ?? undefined, port: service.port },
    loadFactor: same('loadFactor'),
    lbSet: same('lbSet'),
    role: same('role'),
    state: same('state'),
    ignoreErrors: same('ignoreErrors'),
    routeFrom: routed === undefined ? undefined : 'PodName',
  };
}

function settingsOf({ at, text, parameters }: MemberLine, log: FindingLog): Fields {
  const say = (weight: 'lost' | 'changed', message: string): void => log.add(weight, at, text, message);
  const status = readStatus(parameters.get('status') ?? '');
  for (const letter of status.unknown) say('lost', `status ${letter} has no equivalent`);
  const lbSet = Number(parameters.get('lbset') ?? 0);
  const route = (key: string): string | undefined => {
    const value = parameters.get(key);
    if (value === undefined || value === '' || /^[A-Za-z0-9._~:@!*+-]{1,63}$/.test(value)) return value || undefined;
    say('lost', `${key}=${value} has signs that no session route can have`);
    return undefined;
  };
  if (lbSet > 99) say('lost', `lbset=${lbSet} is above 99`);
  return {
    loadFactor: loadFactorOf(parameters.get('loadfactor'), say),
    lbSet: lbSet > 0 && lbSet <= 99 ? lbSet : undefined,
    role: status.has('R') ? 'HotSpare' : status.has('H') ? 'HotStandby' : undefined,
    state: status.has('S') ? 'Stopped' : status.has('D') ? 'Disabled' : status.has('N') ? 'Draining' : undefined,
    route: route('route'),
    redirect: route('redirect'),
    ignoreErrors: status.has('I') ? true : undefined,
  };
}

/** As httpd reads it: the number in front, times a hundred, without what is behind. */
function loadFactorOf(
  text: string | undefined,
  say: (weight: 'lost', message: string) => void,
): number | string | undefined {
  if (text === undefined) return undefined;
  const hundredths = loadFactorHundredths(text);
  if (!(hundredths >= 100 && hundredths <= 10_000)) {
    say('lost', `loadfactor=${text} is not from 1 to 100; 1 is used`);
    return undefined;
  }
  if (hundredths === 100) return undefined;
  if (hundredths % 100 === 0) return hundredths / 100;
  // The product cuts as httpd does: both read 1.15 as 114 hundredths and 1.14 as 113, since that is how such numbers are stored.
  const texts = [hundredths, hundredths + 1].map((count) => (count / 100).toFixed(2));
  return texts.find((candidate) => loadFactorHundredths(candidate) === hundredths) ?? texts[0];
}

/** `+H`, `DS`, `-E+R`: the letters that are set. */
function readStatus(text: string): { readonly has: (letter: string) => boolean; readonly unknown: readonly string[] } {
  const letters = new Set<string>();
  let isSetting = true;
  for (const sign of text.toUpperCase()) {
    if (sign === '+' || sign === '-') isSetting = sign === '+';
    else if (isSetting) letters.add(sign);
    else letters.delete(sign);
  }
  const unknown = [...letters].filter((letter) => !'DSRHNIEOGFC'.includes(letter));
  return { has: (letter) => letters.has(letter), unknown };
}
