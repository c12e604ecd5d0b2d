// The kind Balancer as a source of snapshots: what it claims, and the unit it becomes. Other kinds get an entry
// like this one; what is behind (rules.ts, members.ts) is shared. Pure.
import type { Balancer } from '../api/balancer.ts';
import { durationMs } from '../api/duration.ts';
import { refOf } from '../api/parse.ts';
import { keyOf } from '../api/resource-set.ts';
import type { SessionUnit } from '../snapshot/session-unit.ts';
import type { BalancerUnit, DrainUnit, FailoverUnit, HashUnit, MemberUnit } from '../snapshot/snapshot.ts';
import { catchAllHost, normaliseHost, normalisePath } from './host-and-path.ts';
import type { TranslateOptions } from './options.ts';
import type { Claimant, RuleClaim } from './rules.ts';

/** A Balancer, as far as its class goes. */
export interface Classed {
  readonly spec: Pick<Balancer['spec'], 'className'>;
}

/** Whether a Balancer is ours to serve; others are not touched at all. */
export function isServed(balancer: Classed, options: Pick<TranslateOptions, 'className' | 'isDefaultClass'>): boolean {
  const { className } = balancer.spec;
  return className === undefined ? options.isDefaultClass : className === options.className;
}

/** What a Balancer wants of hosts and paths. `heldHosts`: what its status records. */
export function claimsOf(balancer: Balancer, age: number, heldHosts: readonly string[]): Claimant {
  const claims: RuleClaim[] = [];
  for (const [ruleIndex, rule] of balancer.spec.rules.entries()) {
    const ruleField = `spec.rules[${ruleIndex}]`;
    const hosts = rule.hosts.map((host, index) => ({
      host: normaliseHost(host),
      hostField: `${ruleField}.hosts[${index}]`,
    }));
    if (hosts.length === 0) hosts.push({ host: catchAllHost, hostField: ruleField });
    for (const { host, hostField } of hosts) {
      for (const [pathIndex, { type, value }] of rule.paths.entries()) {
        const pathField = `${ruleField}.paths[${pathIndex}]`;
        const path = normalisePath(type, value);
        claims.push({ host, pathType: type, path, pathText: value, hostField, pathField });
      }
    }
  }
  const { namespace, name } = balancer.metadata;
  return { ref: refOf(balancer), balancer: keyOf(namespace, name), age, claims, heldHosts };
}

const defaultFurtherAttempts = 3;

/** The unit that lanes get: everything filled in, units in names. */
export function unitOf(
  balancer: Balancer,
  members: readonly MemberUnit[],
  session: SessionUnit | null,
  options: Pick<TranslateOptions, 'lbMethodsInForce'>,
): BalancerUnit {
  const { metadata, spec } = balancer;
  const { timeouts, limits } = spec;
  const lbMethod = options.lbMethodsInForce.has(spec.lbMethod) ? spec.lbMethod : 'byrequests';
  return {
    key: keyOf(metadata.namespace, metadata.name),
    namespace: metadata.namespace,
    name: metadata.name,
    lbMethod,
    members,
    failover: failoverOf(spec.failover, members.length),
    timeouts: {
      connectMs: durationMs(timeouts.connect),
      responseMs: durationMs(timeouts.response),
      bodyMs: durationMs(timeouts.body),
      keepAliveMs: durationMs(timeouts.keepAlive),
      tunnelMs: durationMs(timeouts.tunnel),
      waitMs: durationMs(timeouts.wait),
    },
    limits: {
      maxBodyBytes: limits.maxBodyBytes,
      maxConnectionsPerMember: limits.maxConnectionsPerMember,
      maxWaiting: limits.maxWaiting,
    },
    hostHeader: spec.forwarding.host,
    session,
    drain: drainOf(spec.drain),
    hash: lbMethod === 'hash' ? hashOf(spec.hash) : null,
  };
}

function drainOf({ timeout, onTimeout, unreadyGrace }: Balancer['spec']['drain']): DrainUnit {
  const timeoutMs = timeout === undefined ? null : durationMs(timeout);
  return { timeoutMs, onTimeout, unreadyGraceMs: durationMs(unreadyGrace) };
}

function hashOf(hash: Balancer['spec']['hash']): HashUnit {
  return { source: hash?.source ?? 'ClientAddress', name: hash?.name ?? '' };
}

function failoverOf(failover: Balancer['spec']['failover'], memberCount: number): FailoverUnit {
  return {
    maxAttempts: failover.maxAttempts ?? Math.max(0, Math.min(memberCount - 1, defaultFurtherAttempts)),
    retryAfterMs: durationMs(failover.retryAfter),
    forceRecovery: failover.forceRecovery,
    failOnStatus: failover.failOnStatus,
    failOnTimeout: failover.failOnTimeout,
  };
}
