// The Balancer: everything a user can say about a group of members, the requests they take and the sessions they keep.
// The single source of its type, its defaults, its validation and its CRD. It must not act on anything.
import { z } from 'zod';
import type { DeepReadonly } from './deep-readonly.ts';
import { metadataSchema, subdomainPattern } from './metadata.ts';
import { crossRule, withRules } from './schema/cross-rule.ts';
import { list, text } from './schema/field.ts';
import { drainSchema } from './spec/drain.ts';
import { failoverSchema } from './spec/failover.ts';
import { forwardingSchema } from './spec/forwarding.ts';
import { healthCheckSchema } from './spec/health-check.ts';
import { hashSchema, lbMethodField } from './spec/lb-method.ts';
import { limitsSchema } from './spec/limits.ts';
import { memberSchema, type ServiceMemberFields, type UrlMemberFields } from './spec/member.ts';
import { overrideSchema } from './spec/override.ts';
import { ruleSchema } from './spec/rule.ts';
import { legibleStatus, statusSchema } from './spec/status.ts';
import { stickySessionSchema } from './spec/sticky-session.ts';
import { timeoutsSchema } from './spec/timeouts.ts';
import { tlsSchema } from './spec/tls.ts';

export const balancerApiVersion = 'evenkeel.dev/v1alpha1';

const overridesSchema = z
  .array(overrideSchema)
  .max(1024)
  .superRefine((overrides, context) => {
    const names = new Set<string>();
    for (const [index, { member }] of overrides.entries()) {
      const message = 'each member may be named only once';
      if (names.has(member)) context.addIssue({ code: 'custom', path: [index, 'member'], message, params: crossRule });
      names.add(member);
    }
  })
  .meta({
    description: 'Settings for single members, such as one endpoint of a Service, by pod name or session route.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['member'],
  });

const specSchema = withRules(
  z.strictObject({
    className: text({
      doc: 'The class of controller that serves the Balancer. Default: the class that the cluster declares as default.',
      allowed: 'the name of a class: at most 253 lower-case letters, digits, "-" and "."',
      pattern: subdomainPattern,
      max: 253,
    }).optional(),
    rules: list('Which requests it takes. Omitted: every host and every path.', ruleSchema, 64, 1).prefault([{}]),
    tls: list('Certificates for its hosts.', tlsSchema, 64).default([]),
    lbMethod: lbMethodField.default('byrequests'),
    hash: hashSchema.optional(),
    members: list('The members, in the order in which ties between them are settled.', memberSchema, 256, 1),
    overrides: overridesSchema.default([]),
    stickySession: stickySessionSchema.optional(),
    drain: drainSchema.prefault({}),
    failover: failoverSchema.prefault({}),
    timeouts: timeoutsSchema.prefault({}),
    limits: limitsSchema.prefault({}),
    forwarding: forwardingSchema.prefault({}),
    healthCheck: healthCheckSchema.optional(),
  }),
  [
    {
      cel: "!has(self.hash) || self.lbMethod == 'hash'",
      holds: ({ hash, lbMethod }) => hash === undefined || lbMethod === 'hash',
      message: 'hash may be given only with lbMethod hash',
      reads: ['hash', 'lbMethod'],
      blame: 'hash',
    },
  ],
).meta({ description: 'What the user wants.' });

export const balancerSchema = z.strictObject({
  apiVersion: z.literal(balancerApiVersion),
  kind: z.literal('Balancer'),
  metadata: metadataSchema,
  spec: specSchema,
  // Written by controllers, perhaps of another version: what cannot be read is no reason to refuse the Balancer, nor to
  // forget the rest. Whoever makes a JSON schema of it asks for the value in place of nothing.
  status: statusSchema.optional().catch((context?: { readonly input: unknown }) => legibleStatus(context?.input)),
});

export type Balancer = DeepReadonly<z.output<typeof balancerSchema>>;
export type BalancerSpec = Balancer['spec'];
export type ServiceMember = DeepReadonly<ServiceMemberFields>;
export type UrlMember = DeepReadonly<UrlMemberFields>;
export type Member = ServiceMember | UrlMember;
export type Override = BalancerSpec['overrides'][number];
export type StickySession = NonNullable<BalancerSpec['stickySession']>;
