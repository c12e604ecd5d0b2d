// What can be read of a Balancer that does not parse: enough to tell its author so. Nothing is served from it.
import { type Balancer, balancerSchema } from './balancer.ts';
import type { Problem } from './problem.ts';

export interface RefusedBalancer extends Pick<Balancer, 'metadata' | 'status'> {
  readonly spec: Pick<Balancer['spec'], 'className'>;
  /** Why. */
  readonly problems: readonly Problem[];
}

const legible = balancerSchema.pick({ metadata: true, status: true });

/** Undefined where not even its metadata can be read. A class that is no text counts as left out. */
export function readRefused(
  document: Readonly<Record<string, unknown>>,
  problems: readonly Problem[],
): RefusedBalancer | undefined {
  const { metadata, spec, status } = document;
  const { data } = legible.safeParse({ metadata, ...(status === undefined ? {} : { status }) });
  if (data === undefined) return undefined;
  const given: unknown = typeof spec === 'object' && spec !== null && 'className' in spec ? spec.className : undefined;
  return { ...data, spec: typeof given === 'string' ? { className: given } : {}, problems };
}
