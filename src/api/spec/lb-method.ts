// How a member is elected: the name of the method and what `hash` hashes. The methods themselves live elsewhere.
import { z } from 'zod';
import { withRules } from '../schema/cross-rule.ts';
import { choice, text } from '../schema/field.ts';

export const lbMethodField = choice(
  'How a member is elected for a request that is bound to none. byrequests: by the count of requests; bytraffic: by ' +
    'bytes; bybusyness: by requests in flight; heartbeat: by the load that members report; leasttime: by time to ' +
    'first byte and requests in flight; hash: by a hash of what spec.hash names. The first four are as in Apache httpd.',
  ['byrequests', 'bytraffic', 'bybusyness', 'heartbeat', 'leasttime', 'hash'],
);

export const hashSchema = withRules(
  z.strictObject({
    source: choice('Where the hashed value comes from.', ['ClientAddress', 'Header', 'Cookie', 'UrlParameter']).default(
      'ClientAddress',
    ),
    name: text({
      doc: 'The name of the header, the cookie or the URL parameter.',
      allowed: 'a name of at most 63 letters, digits and the signs of an HTTP token',
      pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/,
      max: 63,
    }).optional(),
  }),
  [
    {
      cel: "(self.source == 'ClientAddress') != has(self.name)",
      holds: ({ source, name }) => (source === 'ClientAddress') !== (name !== undefined),
      message: 'name must be given for the sources Header, Cookie and UrlParameter, and not for ClientAddress',
      reads: ['source', 'name'],
    },
  ],
).meta({ description: 'What the method hash hashes. Omitted: the address of the client.' });
