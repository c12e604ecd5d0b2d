// What members are told of a request besides the request itself, where that is for the application to decide.
import { z } from 'zod';
import { choice } from '../schema/field.ts';

export const forwardingSchema = z
  .strictObject({
    host: choice(
      "The Host header that members get. Keep: the client's. Replace: the member's own host, with its port unless that " +
        "is 80; the client's is in X-Forwarded-Host. Responses are not rewritten.",
      ['Keep', 'Replace'],
    ).default('Keep'),
  })
  .meta({ description: 'What members are told of a request besides the request itself.' });
