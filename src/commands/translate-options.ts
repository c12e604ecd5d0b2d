// What the operator's options mean for translation; the same for `serve` and for `check`.
import { valuesNotYet } from '../api/in-force.ts';
import type { Options } from '../options.ts';
import type { LbMethodName } from '../snapshot/snapshot.ts';
import type { TranslateOptions } from '../translate/options.ts';

const lbMethods: readonly LbMethodName[] = ['byrequests', 'bytraffic', 'bybusyness', 'heartbeat', 'leasttime', 'hash'];

type Chosen = Pick<
  Options,
  'className' | 'isDefaultClass' | 'hostOwnership' | 'catchAllNamespaces' | 'allowsExternalNames' | 'zone'
>;

/** `cluster`: where resources come from, with the namespace that we run in, if known; null: from files. */
export function translateOptions(
  options: Chosen,
  cluster: { readonly namespace: string | null } | null = null,
): TranslateOptions {
  const ownNamespaces = new Set(cluster === null || cluster.namespace === null ? [] : [cluster.namespace]);
  const notYet = valuesNotYet['spec.lbMethod']?.values ?? [];
  return {
    className: options.className,
    isDefaultClass: options.isDefaultClass,
    hostOwnership: options.hostOwnership,
    catchAllNamespaces: options.catchAllNamespaces ?? (cluster === null ? 'all' : ownNamespaces),
    // Whoever can write the files could write Services of any namespace into them anyway.
    allowsForeignServices: cluster === null,
    allowsExternalNames: options.allowsExternalNames,
    zone: options.zone,
    lbMethodsInForce: new Set(lbMethods.filter((method) => !notYet.includes(method))),
  };
}
