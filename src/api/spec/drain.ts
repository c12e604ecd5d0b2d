// What becomes of the sessions of a member that is leaving.
import { z } from 'zod';
import { durationField } from '../duration.ts';
import { choice } from '../schema/field.ts';

export const drainSchema = z
  .strictObject({
    timeout: durationField(
      'How long a draining member keeps its sessions, from when Evenkeel first saw it draining; changes of the Balancer do ' +
        'not begin this anew. Its WebSockets are closed then. Default: as long as it is there, as httpd.',
      '0s',
      '168h',
    ).optional(),
    onTimeout: choice(
      'What becomes of requests of its sessions afterwards. Redispatch: another member takes them. Reject: they are ' +
        'answered with spec.stickySession.rejectStatus.',
      ['Redispatch', 'Reject'],
    ).default('Redispatch'),
    unreadyGrace: durationField(
      'How long an endpoint that stopped serving, or is gone, keeps its place for its sessions, unless it was terminating. ' +
        'It gets no new ones.',
      '0s',
      '1h',
    ).default('0s'),
  })
  .meta({ description: 'What becomes of the sessions of a member that is draining or leaving.' });
