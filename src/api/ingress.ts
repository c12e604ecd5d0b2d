// The part of a Kubernetes Ingress (networking.k8s.io/v1) that an importer reads. Unknown fields are dropped.
import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.ts';

const backendSchema = z.object({
  service: z
    .object({
      name: z.string(),
      port: z.object({ name: z.string().optional(), number: z.int().optional() }).prefault({}),
    })
    .optional(),
});

const ruleSchema = z.object({
  host: z.string().default(''),
  http: z
    .object({
      paths: z
        .array(
          z.object({
            path: z.string().default('/'),
            pathType: z.enum(['Exact', 'Prefix', 'ImplementationSpecific']).default('ImplementationSpecific'),
            backend: backendSchema,
          }),
        )
        .default([]),
    })
    .optional(),
});

const ingressSchema = z.object({
  kind: z.literal('Ingress'),
  metadata: z.object({
    name: z.string(),
    namespace: z.string().optional(),
    annotations: z.record(z.string(), z.coerce.string()).default({}),
  }),
  spec: z.object({
    ingressClassName: z.string().optional(),
    defaultBackend: backendSchema.optional(),
    tls: z.array(z.object({ hosts: z.array(z.string()).default([]), secretName: z.string().optional() })).default([]),
    rules: z.array(ruleSchema).default([]),
  }),
});

export type Ingress = DeepReadonly<z.output<typeof ingressSchema>>;
export type IngressBackend = DeepReadonly<z.output<typeof backendSchema>>;

/** The Ingress, or a sentence for people that says why a document is none. */
export function parseIngress(document: unknown): Ingress | string {
  const parsed = ingressSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'cannot be read'}`;
}
