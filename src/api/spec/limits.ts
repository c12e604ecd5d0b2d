// How much is let through.
import { z } from 'zod';
import { wholeNumber } from '../schema/field.ts';

export const limitsSchema = z
  .strictObject({
    maxBodyBytes: wholeNumber(
      'The longest request body in bytes; a longer one is answered with 413. 0: no limit.',
      0,
      2 ** 53 - 1,
    ).default(0),
    maxConnectionsPerMember: wholeNumber(
      'How many requests a member is given at the same time, by each replica of the proxy. 0: no limit.',
      0,
      1_000_000,
    ).default(0),
    maxWaiting: wholeNumber(
      'How many requests may wait for a free member at the same time, in each replica. 0: no limit.',
      0,
      1_000_000,
    ).default(0),
  })
  .meta({ description: 'How much is let through.' });
