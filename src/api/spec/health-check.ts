// How the proxy asks members by itself whether they are well.
import { z } from 'zod';
import { durationField } from '../duration.ts';
import { withRules } from '../schema/cross-rule.ts';
import { choice, list, text, wholeNumber } from '../schema/field.ts';

const statusRange = /^[1-5][0-9]{2}(?:-[1-5][0-9]{2})?$/;
const statusRangeAllowed = 'a status such as 204, or a range such as 200-399 whose first status is not the greater one';

const statusesField = text({
  doc: 'A status, or a range of them.',
  allowed: statusRangeAllowed,
  pattern: statusRange,
  max: 7,
})
  .refine((range) => range.length < 7 || range.slice(0, 3) <= range.slice(4))
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'size(self) < 7 || self.substring(0, 3) <= self.substring(4)',
        message: `must be ${statusRangeAllowed}`,
      },
    ],
  });

export const healthCheckSchema = withRules(
  z.strictObject({
    method: choice('How a member is asked. TCP: a connection that can be made is enough.', [
      'GET',
      'HEAD',
      'OPTIONS',
      'TCP',
    ]).default('GET'),
    path: text({
      doc: 'The path and query that is asked for; not used by TCP.',
      allowed: 'a path that begins with "/", percent-encoded, without "#"',
      pattern: /^\/[\x21-\x22\x24-\x7e]*$/,
      max: 1024,
    }).default('/'),
    host: text({
      doc: "The Host header of the request; not used by TCP. Default: the member's own host and port.",
      allowed: 'a host name, which may be followed by ":" and a port',
      pattern: /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?$/,
      max: 259,
    }).optional(),
    interval: durationField('From one check to the next.', '100ms', '24h').default('30s'),
    timeout: durationField('How long a check may take; a longer one has failed.', '1ms', '10m').default('5s'),
    passes: wholeNumber('Consecutive checks that must pass before a failed member is used again.', 1, 100).default(1),
    fails: wholeNumber('Consecutive checks that must fail before a member is no longer used.', 1, 100).default(1),
    expect: z
      .strictObject({
        statuses: list('Statuses that pass.', statusesField, 16, 1).default(['200-399']),
      })
      .meta({ description: 'What passes.' })
      .prefault({}),
  }),
  [
    {
      cel: "!has(self.host) || self.method != 'TCP'",
      holds: ({ host, method }) => host === undefined || method !== 'TCP',
      message: 'host may not be given with method TCP, which sends no request',
      reads: ['host', 'method'],
      blame: 'host',
    },
  ],
).meta({ description: 'Asks each member in the background. Omitted: only requests tell whether a member is well.' });
