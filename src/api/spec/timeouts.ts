// How long the proxy waits, and for what.
import { z } from 'zod';
import { durationField } from '../duration.ts';

export const timeoutsSchema = z
  .strictObject({
    connect: durationField('For a connection to a member to be made.', '1ms', '10m').default('5s'),
    response: durationField(
      'For the response to begin, after the request was sent. Then the client is told 504.',
      '1ms',
      '24h',
    ).default('60s'),
    body: durationField('Between two pieces of a body, in either direction.', '1ms', '24h').default('60s'),
    keepAlive: durationField(
      'How long an idle connection to a member is kept for further requests. 0s: it is closed after each response.',
      '0s',
      '1h',
    ).default('60s'),
    tunnel: durationField(
      'Silence on an upgraded connection, such as a WebSocket, before it is closed.',
      '1ms',
      '168h',
    ).default('1h'),
    wait: durationField(
      'For a member to become free when none can take the request. 0s: no wait.',
      '0s',
      '10m',
    ).default('0s'),
  })
  .meta({ description: 'How long the proxy waits.' });
