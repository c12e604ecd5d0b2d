// What happens when a member fails: further attempts, and how long it rests.
import { z } from 'zod';
import { durationField } from '../duration.ts';
import { flag, list, wholeNumber } from '../schema/field.ts';

export const failoverSchema = z
  .strictObject({
    maxAttempts: wholeNumber(
      'How many further members a request may try after the first. Default: the count of the other members, at most 3.',
      0,
      255,
    ).optional(),
    retryAfter: durationField(
      'How long a member that failed rests before a request may try it again.',
      '0s',
      '24h',
    ).default('60s'),
    forceRecovery: flag('When all members rest, all of them are tried again at once.').default(true),
    failOnStatus: list(
      'A response with one of these statuses puts the member to rest. The client still gets the response.',
      wholeNumber('An HTTP status.', 100, 599),
      64,
    ).default([]),
    failOnTimeout: flag('A member whose response does not begin in time rests too.').default(false),
  })
  .meta({ description: 'What happens when a member fails.' });
