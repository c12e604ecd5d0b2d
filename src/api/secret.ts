// The part of a Kubernetes Secret that certificates and signing keys come from. Its values must never reach a message.
import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.ts';
import { metadataSchema } from './metadata.ts';

export const secretSchema = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('Secret'),
  metadata: metadataSchema,
  type: z.string().default('Opaque'),
  /** Base64. */
  data: z.record(z.string(), z.string()).default({}),
  /** Plain text, in files only: a cluster moves it to data. It wins over data. */
  stringData: z.record(z.string(), z.string()).default({}),
});

export type Secret = DeepReadonly<z.output<typeof secretSchema>>;
