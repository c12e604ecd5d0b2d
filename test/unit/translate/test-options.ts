// Options as a checkout without a cluster has them; tests change what they are about.
import type { TranslateOptions } from '../../../src/translate/options.ts';

export const testOptions: TranslateOptions = {
  className: 'evenkeel',
  isDefaultClass: true,
  hostOwnership: 'Strict',
  catchAllNamespaces: 'all',
  allowsForeignServices: true,
  allowsExternalNames: true,
  zone: null,
  lbMethodsInForce: new Set(['byrequests', 'bytraffic', 'bybusyness', 'heartbeat', 'leasttime', 'hash']),
};
