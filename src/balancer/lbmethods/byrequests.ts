// byrequests: each member in proportion to its factor, smoothly (httpd mod_lbmethod_byrequests.c).
// All offered members earn their factor, the richest is elected and pays the sum.
import type { LbMethod } from './lb-method.ts';

export const byrequests: LbMethod = {
  name: 'byrequests',
  needs: 'credit',
  choose({ credit }) {
    return credit!.richest();
  },
};
