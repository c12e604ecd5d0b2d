// What the operator decides about translation, apart from what users write.
import type { LbMethodName } from '../snapshot/snapshot.ts';

export interface TranslateOptions {
  /** Balancers of this class are ours. */
  readonly className: string;
  /** Whether Balancers without a class are ours too. */
  readonly isDefaultClass: boolean;
  /** `Strict`: a host belongs to the namespace that claimed it first. `Shared`: namespaces may share hosts. */
  readonly hostOwnership: 'Strict' | 'Shared';
  /** Namespaces whose Balancers may take every host (`*`). */
  readonly catchAllNamespaces: 'all' | ReadonlySet<string>;
  /** Whether members may be Services of other namespaces than the Balancer's even where no ReferenceGrant permits it. */
  readonly allowsForeignServices: boolean;
  /** Whether Services of type ExternalName may be members. */
  readonly allowsExternalNames: boolean;
  /** The zone of this process, for the hints of EndpointSlices; null: not known. */
  readonly zone: string | null;
  /** Methods that lanes know; a Balancer that asks for another one is served by byrequests meanwhile. */
  readonly lbMethodsInForce: ReadonlySet<LbMethodName>;
}
