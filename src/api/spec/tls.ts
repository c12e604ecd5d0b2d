// Which certificates stand for which hosts. Loading them is not done here.
import { z } from 'zod';
import { subdomainPattern } from '../metadata.ts';
import { list, text } from '../schema/field.ts';
import { hostField } from './rule.ts';

/** The name of a Secret in the namespace of the Balancer. */
export function secretNameField(doc: string) {
  return text({ doc, allowed: 'the name of a Secret in the same namespace', pattern: subdomainPattern, max: 253 });
}

export const tlsSchema = z
  .strictObject({
    hosts: list('The hosts that the certificate serves.', hostField('A host name, or "*." and a host name.'), 64, 1),
    secretName: secretNameField('A Secret of type kubernetes.io/tls in the namespace of the Balancer.'),
  })
  .meta({ description: 'One certificate and the hosts it is shown for.' });
