// The part of a resource's metadata that anything here reads. Everything else in it is dropped when parsing.
import { z } from 'zod';

/** A DNS subdomain: how Kubernetes names most objects. */
export const subdomainPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
/** A DNS label: how Kubernetes names namespaces and Services. */
export const labelPattern = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

export const metadataSchema = z.object({
  name: z
    .string()
    .max(253)
    .regex(subdomainPattern)
    .meta({ 'x-allowed': 'a name of at most 253 lower-case letters, digits, "-" and "."' }),
  namespace: z
    .string()
    .max(63)
    .regex(labelPattern)
    .default('default')
    .meta({ 'x-allowed': 'a name of at most 63 lower-case letters, digits and "-"' }),
  uid: z.string().optional(),
  /** RFC 3339; absent in files. */
  creationTimestamp: z.string().optional(),
  generation: z.number().optional(),
  /** Opaque: to be compared for equality only. */
  resourceVersion: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
