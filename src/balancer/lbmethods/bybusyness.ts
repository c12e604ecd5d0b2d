// bybusyness: the member with the fewest attempts under way; among equals as byrequests (httpd
// mod_lbmethod_bybusyness.c). Factors matter only between members that are equally busy.
import type { CompiledBalancer } from '../compiled-balancer.ts';
import type { LbMethod } from './lb-method.ts';

export const bybusyness: LbMethod = {
  name: 'bybusyness',
  needs: 'credit',
  choose(balancer: CompiledBalancer): number {
    const { row: rows, factor: factors, count } = balancer.offered;
    const { busyTotal } = balancer.standings;
    const { debts, round } = balancer.credit!;
    let best = balancer.credit!.richest();
    let leastBusy = busyTotal[rows[best]!]!;
    // Nobody is less busy than idle, nobody richer than the richest.
    if (leastBusy <= 0) return best;
    let bestCredit = round * factors[best]! - debts[best]!;
    for (let place = 0; place < count; place++) {
      const busy = busyTotal[rows[place]!]!;
      if (busy > leastBusy) continue;
      const credit = round * factors[place]! - debts[place]!;
      if (busy < leastBusy || credit > bestCredit) {
        best = place;
        leastBusy = busy;
        bestCredit = credit;
      }
    }
    return best;
  },
};
