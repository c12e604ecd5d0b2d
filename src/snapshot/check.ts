// The last look at a snapshot before it is published: whatever lanes rely on without asking must hold here.
// A finding is a fault of ours, never of a user; the snapshot is then not published and the one before stays.
import { findSessionFaults, isFieldName } from './session-check.ts';
import type { BalancerUnit, HashUnit, MemberUnit, RuleUnit, Snapshot } from './snapshot.ts';

/** Most findings told; the first ones show the fault. */
const maxFindings = 20;

/** Everything that is wrong with a snapshot, as sentences for the log; empty: it may be published. */
export function checkSnapshot(snapshot: Snapshot): string[] {
  const findings: string[] = [];
  for (const [key, unit] of snapshot.balancers) {
    if (unit.key !== key) findings.push(`balancer ${key} has the key ${unit.key}`);
    findings.push(...checkBalancer(unit));
    if (findings.length >= maxFindings) return findings.slice(0, maxFindings);
  }
  const seen = new Set<string>();
  for (const rule of snapshot.rules) {
    const text = `${rule.host} ${rule.pathType} ${rule.path}`;
    if (seen.has(text)) findings.push(`rule ${text}: stands twice in the table`);
    seen.add(text);
    if (!snapshot.balancers.has(rule.balancer)) findings.push(`rule ${text}: there is no balancer ${rule.balancer}`);
    for (const finding of findRuleFaults(rule)) findings.push(`rule ${text}: ${finding}`);
    if (findings.length >= maxFindings) break;
  }
  return findings.slice(0, maxFindings);
}

/** The same for one balancer of a snapshot. */
export function checkBalancer(unit: BalancerUnit): string[] {
  const findings: string[] = [];
  if (unit.key !== `${unit.namespace}/${unit.name}`) {
    findings.push(`balancer ${unit.namespace}/${unit.name} has the key ${unit.key}`);
  }
  for (const finding of findBalancerFaults(unit)) findings.push(`balancer ${unit.key}: ${finding}`);
  return findings.slice(0, maxFindings);
}

function* findBalancerFaults(unit: BalancerUnit): Generator<string> {
  yield* findRepeated(
    'identity',
    unit.members.map(({ identity }) => identity),
  );
  yield* findRepeated(
    'name',
    unit.members.map(({ name }) => name),
  );
  yield* findRepeated(
    'session route',
    unit.members.map(({ sessionRoute }) => sessionRoute),
  );
  for (const member of unit.members) {
    for (const finding of findMemberFaults(member)) yield `member ${member.name}: ${finding}`;
  }
  const { failover, timeouts, limits, drain } = unit;
  if (!isWhole(failover.maxAttempts, 0, 255)) yield `failover.maxAttempts is ${failover.maxAttempts}`;
  if (!failover.failOnStatus.every((status) => isWhole(status, 100, 599))) {
    yield `failover.failOnStatus is ${failover.failOnStatus.join(', ')}`;
  }
  const { timeoutMs, unreadyGraceMs } = drain;
  const drainAmounts = { 'drain.timeoutMs': timeoutMs ?? 0, 'drain.unreadyGraceMs': unreadyGraceMs };
  const amounts = { retryAfterMs: failover.retryAfterMs, ...timeouts, ...limits, ...drainAmounts };
  for (const [name, amount] of Object.entries(amounts)) {
    if (!isWhole(amount, 0, Number.MAX_SAFE_INTEGER)) yield `${name} is ${amount}`;
  }
  if (unit.session !== null) {
    for (const finding of findSessionFaults(unit.session)) yield `session: ${finding}`;
  }
  if ((unit.lbMethod === 'hash') !== (unit.hash !== null)) yield 'the method hash and what it hashes go together';
  if (unit.hash !== null && !isSoundHash(unit.hash)) yield `hash.name is ${JSON.stringify(unit.hash.name)}`;
}

function isSoundHash({ source, name }: HashUnit): boolean {
  return source === 'ClientAddress' ? name === '' : isFieldName(name);
}

function* findMemberFaults(member: MemberUnit): Generator<string> {
  if (member.identity === '' || member.name === '') yield 'has no identity or no name';
  // What cannot stand in a URL cannot be dialled, and could break out of a head that it is written to.
  if (!/^[0-9A-Za-z._:-]{1,253}$/.test(member.host)) yield `host is ${JSON.stringify(member.host)}`;
  if (!isWhole(member.port, 1, 65_535)) yield `port is ${member.port}`;
  if (!isWhole(member.factor, 100, 10_000)) yield `factor is ${member.factor}`;
  if (!isWhole(member.lbSet, 0, 99)) yield `lbSet is ${member.lbSet}`;
  if (!isRoute(member.sessionRoute)) yield `session route is ${JSON.stringify(member.sessionRoute)}`;
  if (member.redirect !== null && !isRoute(member.redirect)) yield `redirect is ${JSON.stringify(member.redirect)}`;
}

function isRoute(text: string): boolean {
  return /^[A-Za-z0-9._~:@!*+-]{1,253}$/.test(text);
}

function* findRuleFaults({ host, pathType, path }: RuleUnit): Generator<string> {
  if (host !== '*' && !/^(\*\.)?[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/.test(host))
    yield 'its host is not in normal form';
  if (!path.startsWith('/')) yield 'its path does not begin with /';
  if (/[^\x00-\xff]/.test(path)) yield 'its path has characters that are no bytes';
  if (pathType === 'Prefix' && path !== '/' && path.endsWith('/')) yield 'its path ends in /';
}

function* findRepeated(what: string, values: readonly string[]): Generator<string> {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) yield `two members have the ${what} ${value}`;
    seen.add(value);
  }
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}
