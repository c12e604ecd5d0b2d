// The part of a Kubernetes EndpointSlice (discovery.k8s.io/v1) that leads to members. Unknown fields are dropped.
import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.ts';
import { metadataSchema } from './metadata.ts';

/** The label that ties a slice to its Service. */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** All three are filled in: a missing ready is true, a missing serving is as ready, a missing terminating is false. */
const conditionsSchema = z
  .object({
    ready: z.boolean().optional(),
    serving: z.boolean().optional(),
    terminating: z.boolean().optional(),
  })
  .transform(({ ready = true, serving = ready, terminating = false }) => ({ ready, serving, terminating }));

const endpointSchema = z.object({
  /** IP addresses, or names for addressType FQDN. kube-proxy uses the first only, and so do we. */
  addresses: z.array(z.string()).min(1),
  conditions: conditionsSchema.prefault({}),
  hostname: z.string().optional(),
  nodeName: z.string().optional(),
  zone: z.string().optional(),
  /** The pod behind the address; its uid is the identity of the member. */
  targetRef: z
    .object({
      kind: z.string().optional(),
      name: z.string().optional(),
      namespace: z.string().optional(),
      uid: z.string().optional(),
    })
    .optional(),
  hints: z.object({ forZones: z.array(z.object({ name: z.string() })).default([]) }).optional(),
});

const portSchema = z.object({
  /** Equals the name of the Service's port; empty for its only, nameless one. */
  name: z.string().default(''),
  /** Absent means "all ports", which no address can be dialled with. */
  port: z.int().min(1).max(65_535).optional(),
  protocol: z.string().default('TCP'),
  appProtocol: z.string().optional(),
});

export const endpointSliceSchema = z.object({
  apiVersion: z.literal('discovery.k8s.io/v1'),
  kind: z.literal('EndpointSlice'),
  metadata: metadataSchema,
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z.array(endpointSchema).default([]),
  ports: z.array(portSchema).default([]),
});

export type EndpointSlice = DeepReadonly<z.output<typeof endpointSliceSchema>>;
export type Endpoint = EndpointSlice['endpoints'][number];

/** The Service a slice belongs to; undefined for a slice of nobody. */
export function serviceNameOf(slice: EndpointSlice): string | undefined {
  return slice.metadata.labels[serviceNameLabel];
}
