// The part of a ReferenceGrant of the Gateway API that says who may refer to Services of its namespace. Unknown fields
// are dropped, not judged: the kind is not ours.
import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.ts';
import { metadataSchema } from './metadata.ts';

export const referenceGrantGroup = 'gateway.networking.k8s.io';

const referenceGrantSchema = z.object({
  metadata: metadataSchema,
  spec: z.object({
    from: z.array(z.object({ group: z.string(), kind: z.string(), namespace: z.string() })).default([]),
    to: z.array(z.object({ group: z.string(), kind: z.string(), name: z.string().optional() })).default([]),
  }),
});

export type ReferenceGrant = DeepReadonly<z.output<typeof referenceGrantSchema>>;

/** Undefined for what is no ReferenceGrant: it grants nothing. */
export function parseReferenceGrant(document: unknown): ReferenceGrant | undefined {
  return referenceGrantSchema.safeParse(document).data;
}

/** Whether Balancers of namespace `from` may have members from the Service `name`; `grants` are those of the Service's namespace. */
export function permitsService(grants: readonly ReferenceGrant[], from: string, name: string): boolean {
  return grants.some(
    ({ spec }) =>
      spec.from.some(
        ({ group, kind, namespace }) => group === 'evenkeel.dev' && kind === 'Balancer' && namespace === from,
      ) && spec.to.some((to) => to.group === '' && to.kind === 'Service' && (to.name ?? name) === name),
  );
}
