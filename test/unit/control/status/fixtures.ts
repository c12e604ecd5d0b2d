// Balancers as the API server has them, and what is known of them, in short.
import type { Balancer } from '../../../../src/api/balancer.ts';
import { parseResource } from '../../../../src/api/parse.ts';
import type { ChangeLog } from '../../../../src/lib/change-log.ts';
import type { BalancerStatus } from '../../../../src/control/status/desired-status.ts';
import type { MemberCounts } from '../../../../src/control/status/member-counts.ts';
import type { BalancerFacts } from '../../../../src/control/reconcile.ts';

interface ObjectChanges {
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly className?: string;
  readonly status?: BalancerStatus | undefined;
}

/** The Balancer `shop/NAME`. */
export function balancerObject(name: string, changes: ObjectChanges = {}): Balancer {
  const { uid = `uid-${name}`, generation = 1, resourceVersion = '1', className, status } = changes;
  const parsed = parseResource({
    apiVersion: 'evenkeel.dev/v1alpha1',
    kind: 'Balancer',
    metadata: { namespace: 'shop', name, uid, generation, resourceVersion },
    spec: { ...(className === undefined ? {} : { className }), members: [{ url: 'http://10.0.0.1:80' }] },
    ...(status === undefined ? {} : { status }),
  });
  if (parsed.resource?.kind !== 'Balancer') throw new Error(JSON.stringify(parsed.problems));
  return parsed.resource;
}

export function factsOf(balancer: Balancer, changes: Partial<BalancerFacts> = {}): BalancerFacts {
  return {
    balancer,
    conditions: {
      accepted: { isTrue: true, reason: 'Accepted', message: 'The Balancer is served.' },
      resolvedRefs: { isTrue: true, reason: 'ResolvedRefs', message: 'All references are resolved.' },
    },
    hostRecord: null,
    members: 1,
    draining: 0,
    isProgrammed: true,
    hindrance: null,
    ...changes,
  };
}

export function counts(changes: Partial<MemberCounts> = {}): MemberCounts {
  return { total: 1, ready: 1, draining: 0, inError: 0, off: 0, ...changes };
}

/** Names the keys that change. */
export class LoggedMap<V> extends Map<string, V> {
  readonly #changes: ChangeLog;

  constructor(changes: ChangeLog) {
    super();
    this.#changes = changes;
  }

  override set(key: string, value: V): this {
    this.#changes.note(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#changes.note(key);
    return super.delete(key);
  }
}
