// What the leading replica reports about a Balancer. Users read it; of all that, only the hosts decide anything.
import { z } from 'zod';
import { subdomainPattern } from '../metadata.ts';
import { choice, list, text, wholeNumber } from '../schema/field.ts';

const maxGeneration = 2 ** 53 - 1;

const conditionSchema = z
  .object({
    type: text({
      doc: 'Accepted, ResolvedRefs, Programmed or Ready.',
      allowed: 'the name of a condition',
      pattern: /^[A-Za-z0-9](?:[A-Za-z0-9_./-]*[A-Za-z0-9])?$/,
      max: 316,
    }),
    status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
    observedGeneration: wholeNumber('The generation that was judged.', 0, maxGeneration).optional(),
    lastTransitionTime: z.iso
      .datetime({ offset: true })
      .max(64)
      .meta({ description: 'When the status of the condition changed last.' }),
    reason: text({
      doc: 'Why, in one word for machines.',
      allowed: 'a word in CamelCase',
      pattern: /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/,
      max: 1024,
    }),
    message: z.string().max(32_768).meta({ description: 'Why, in a sentence for people.' }),
  })
  .meta({ description: 'One claim about the Balancer.' });

const addressSchema = z
  .object({
    type: choice('What the value is.', ['IPAddress', 'Hostname']),
    value: z.string().max(253).meta({ description: 'An IP address or a host name.' }),
  })
  .meta({ description: 'One address at which the proxy can be reached.' });

export const statusSchema = z
  .object({
    observedGeneration: wholeNumber('The generation that this status speaks of.', 0, maxGeneration).optional(),
    members: z
      .object({
        total: wholeNumber('All members.', 0, 1_000_000),
        ready: wholeNumber('Members that take new sessions.', 0, 1_000_000),
        draining: wholeNumber('Members that take requests of their sessions only.', 0, 1_000_000),
      })
      .meta({ description: 'Counts of members, as the leading replica sees them.' })
      .optional(),
    addresses: list('Where the proxy can be reached.', addressSchema, 16).optional(),
    className: text({
      doc: 'The class of controller for which hosts are recorded.',
      allowed: 'the name of a class: at most 253 lower-case letters, digits, "-" and "."',
      pattern: subdomainPattern,
      max: 253,
    }).optional(),
    hosts: list(
      'Those of its hosts that belong to its namespace, "*" for every host. They stay so for as long as it claims them, ' +
        'however old other Balancers are that claim them later. Nothing is recorded where namespaces share hosts.',
      z.string().max(253).meta({ description: 'A host in lower case, which may begin with "*.".' }),
      // As many as all rules can name.
      64 * 64,
    ).optional(),
    conditions: z
      .array(conditionSchema)
      .max(16)
      .meta({
        description: 'Claims about the Balancer.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      })
      .optional(),
  })
  .meta({ description: 'What the leading replica reports. Written by the controller.' });

const { shape } = statusSchema;
const legibleSchema = z.object({
  observedGeneration: shape.observedGeneration.catch(undefined),
  members: shape.members.catch(undefined),
  addresses: shape.addresses.catch(undefined),
  conditions: z
    .array(z.unknown())
    .transform((entries) =>
      entries.flatMap((entry) => {
        const { data } = conditionSchema.safeParse(entry);
        return data === undefined ? [] : [data];
      }),
    )
    .optional()
    .catch(undefined),
});

/** What can be read of a status that is not as the schema has it, without the rest. Undefined: nothing can. */
export function legibleStatus(value: unknown): z.output<typeof statusSchema> | undefined {
  return legibleSchema.safeParse(value).data;
}
