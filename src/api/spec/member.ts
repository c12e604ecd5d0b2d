// The members of a Balancer as users write them: a Service, each of whose endpoints becomes a member, or one URL.
import { z } from 'zod';
import { loadFactorField } from '../load-factor.ts';
import { labelPattern } from '../metadata.ts';
import { withRules } from '../schema/cross-rule.ts';
import { choice, flag, numberOrText, text, wholeNumber } from '../schema/field.ts';

export const roles = ['Active', 'HotSpare', 'HotStandby'] as const;
export const states = ['Enabled', 'Draining', 'Disabled', 'Stopped'] as const;

export function lbSetField(doc: string) {
  return wholeNumber(doc, 0, 99);
}

/** What a session carries to find its member: as long as httpd allows, safe in cookies and URLs. */
function routeField(doc: string) {
  return text({
    doc,
    allowed: 'at most 63 letters, digits and signs of ". _ ~ - : @ ! * +"',
    pattern: /^[A-Za-z0-9._~:@!*+-]+$/,
    max: 63,
  });
}

const serviceReferenceSchema = z
  .strictObject({
    name: text({
      doc: 'The name of the Service.',
      allowed: 'the name of a Service: at most 63 lower-case letters, digits and "-"',
      pattern: labelPattern,
      max: 63,
    }),
    namespace: text({
      doc: "The namespace of the Service. Default: the Balancer's own; another one must allow it by a ReferenceGrant.",
      allowed: 'the name of a namespace: at most 63 lower-case letters, digits and "-"',
      pattern: labelPattern,
      max: 63,
    }).optional(),
    port: numberOrText({
      doc: 'A port of the Service, by number or by name.',
      allowed: 'a port number from 1 to 65535 without quotes, or the name of a port',
      pattern: /^(?:[0-9][0-9-]*)?[a-z](?:[a-z0-9-]*[a-z0-9])?$/,
      max: 63,
      number: z.int().min(1).max(65_535),
    }),
  })
  .meta({ description: 'A Service; each of its endpoints becomes a member.' });

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const name = `${label}(?:\\.${label})*`;
const port = '(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})';
const urlPattern = new RegExp(`^http://(?:${name}|\\[[0-9A-Fa-f:.]{2,45}\\])(?::${port})?$`);

const urlField = text({
  doc: 'The address of one member. A name is looked up again as its DNS record asks.',
  allowed:
    'http://HOST or http://HOST:PORT, where HOST is a name or an IP address (an IPv6 address in brackets), without ' +
    'a path, a query or credentials',
  pattern: urlPattern,
  max: 266,
}).refine((url) => !urlPattern.test(url) || URL.canParse(url));

const memberFields = withRules(
  z.strictObject({
    service: serviceReferenceSchema.optional(),
    url: urlField.optional(),
    loadFactor: loadFactorField(
      "The member's share of the work in relation to the others. Two decimals count; each endpoint of a Service has " +
        'the whole factor.',
    ).default(1),
    lbSet: lbSetField('The set of the member: a set is used when no member of a lower set can be.').default(0),
    role: choice(
      'Active: takes requests. HotSpare: replaces one member of its set that is out of use. HotStandby: takes ' +
        'requests when nothing else in its set can.',
      roles,
    ).default('Active'),
    state: choice(
      'Enabled; Draining: only requests of its sessions; Disabled: no requests; Stopped: no requests and no probes.',
      states,
    ).default('Enabled'),
    routeFrom: choice(
      "Only with service: the session route of each member is a short hash of the pod's UID, or the pod's name, which " +
        'an application can be given as its jvmRoute. Default: PodUID.',
      ['PodUID', 'PodName'],
    ).optional(),
    route: routeField('Only with url: the session route of the member. Default: a short hash of the URL.').optional(),
    redirect: routeField('The session route of the member that takes the sessions while this one cannot.').optional(),
    ignoreErrors: flag(
      "The member is used again at once after a failure, without spec.failover.retryAfter (httpd's status +I).",
    ).default(false),
  }),
  [
    {
      cel: 'has(self.service) != has(self.url)',
      holds: ({ service, url }) => (service !== undefined) !== (url !== undefined),
      message: 'a member must have exactly one of service and url',
      reads: ['service', 'url'],
    },
    {
      cel: '!has(self.route) || has(self.url)',
      holds: ({ route, url }) => route === undefined || url !== undefined,
      message: 'route may be given only with url; the routes of a Service come from routeFrom',
      reads: ['route', 'url'],
      blame: 'route',
    },
    {
      cel: '!has(self.routeFrom) || has(self.service)',
      holds: ({ routeFrom, service }) => routeFrom === undefined || service !== undefined,
      message: 'routeFrom may be given only with service',
      reads: ['routeFrom', 'service'],
      blame: 'routeFrom',
    },
  ],
).meta({ description: 'One address, or all endpoints of a Service.' });

type MemberFields = z.output<typeof memberFields>;
type CommonFields = Omit<MemberFields, 'service' | 'url' | 'route' | 'routeFrom'>;

/** All ready endpoints of a Service. */
export type ServiceMemberFields = CommonFields & {
  service: NonNullable<MemberFields['service']>;
  routeFrom: NonNullable<MemberFields['routeFrom']>;
  url?: undefined;
  route?: undefined;
};

/** One address. */
export type UrlMemberFields = CommonFields & {
  url: string;
  route?: string | undefined;
  service?: undefined;
  routeFrom?: undefined;
};

/** A member is one of two kinds; tell them apart by `member.url !== undefined`. */
export const memberSchema = memberFields.transform((fields): ServiceMemberFields | UrlMemberFields => {
  const { service, url, route, routeFrom = 'PodUID', ...common } = fields;
  if (service !== undefined) return { service, ...common, routeFrom };
  return route === undefined ? { url: url!, ...common } : { url: url!, ...common, route };
});
