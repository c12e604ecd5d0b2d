// Settings for single members, above all those of a Service, which have no entry of their own.
import { z } from 'zod';
import { loadFactorField } from '../load-factor.ts';
import { choice, text } from '../schema/field.ts';
import { lbSetField, roles, states } from './member.ts';

export const overrideSchema = z
  .strictObject({
    member: text({
      doc:
        "The member: a pod's name or a session route. One that does not exist is reported and has no effect. Where both " +
        'name a member, what its session route says counts.',
      allowed: "a pod's name or a session route",
      pattern: /^[A-Za-z0-9._~:@!*+-]+$/,
      max: 253,
    }),
    state: choice("Replaces the member's state.", states).optional(),
    loadFactor: loadFactorField("Replaces the member's load factor.").optional(),
    role: choice("Replaces the member's role.", roles).optional(),
    lbSet: lbSetField("Replaces the member's set.").optional(),
  })
  .meta({ description: 'Settings for one member. What is not given stays as in spec.members.' });
