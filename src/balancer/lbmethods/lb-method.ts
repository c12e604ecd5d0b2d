// What a balancing method is: a comparison of the members that are offered. It never sees a request; walking
// sets, spares and standbys is done before it (walk.ts), charging credit and counting after it (elect.ts).
import type { LbMethodName } from '../../snapshot/snapshot.ts';
import type { CompiledBalancer } from '../compiled-balancer.ts';

export interface LbMethod {
  readonly name: LbMethodName;
  /** What it goes by besides what any method may read; each is kept only for the methods that need it. */
  readonly needs: 'nothing' | 'credit' | 'traffic' | 'reports' | 'ring';
  /**
   * The place in `balancer.offered` of the best member, or NONE. Called with at least one member offered; changes
   * nothing that others see. Ties go to the lowest place. `keyHash`: a signed 32-bit hash, for `hash` only.
   */
  choose(balancer: CompiledBalancer, keyHash: number): number;
}
