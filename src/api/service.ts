// The part of a Kubernetes Service that leads to members. Unknown fields are dropped, not judged: the kind is not ours.
import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.ts';
import { metadataSchema } from './metadata.ts';

const portSchema = z.object({
  /** Empty where a Service has one port without a name; the EndpointSlice's port has the same name. */
  name: z.string().default(''),
  port: z.int().min(1).max(65_535),
  targetPort: z.union([z.int(), z.string()]).optional(),
  protocol: z.string().default('TCP'),
  appProtocol: z.string().optional(),
});

export const serviceSchema = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata: metadataSchema,
  spec: z.object({
    type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).default('ClusterIP'),
    /** Only for type ExternalName: a DNS name. */
    externalName: z.string().optional(),
    /** `None` for a headless Service. */
    clusterIP: z.string().optional(),
    /** The first one is the family that the Service prefers. */
    ipFamilies: z.array(z.string()).optional(),
    ports: z.array(portSchema).default([]),
    publishNotReadyAddresses: z.boolean().default(false),
  }),
});

export type Service = DeepReadonly<z.output<typeof serviceSchema>>;
export type ServicePort = Service['spec']['ports'][number];
