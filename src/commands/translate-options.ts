// What the operator's options mean for translation; the same for `serve` and for `check`.
import { valuesNotYet } from '../api/in-force.ts';
import type { Options } from '../options.ts';
import type { LbMethodName } from '../snapshot/snapshot.ts';
import type { TranslateOptions } from '../translate/options.ts';

const lbMethods: readonly LbMethodName[] = ['byrequests', 'bytraffic', 'bybusyness', 'heartbeat', 'leasttime', 'hash'];

type Chosen = Pick<Options, 'className' | 'isDefaultClass' | 'hostOwnership' | 'catchAllNamespaces'>;

export function translateOptions(options: Chosen): TranslateOptions {
  const notYet = valuesNotYet['spec.lbMethod']?.values ?? [];
  return {
    className: options.className,
    isDefaultClass: options.isDefaultClass,
    hostOwnership: options.hostOwnership,
    catchAllNamespaces: options.catchAllNamespaces,
    // Whoever can write the files could write Services of any namespace into them anyway.
    allowsForeignServices: true,
    lbMethodsInForce: new Set(lbMethods.filter((method) => !notYet.includes(method))),
  };
}
