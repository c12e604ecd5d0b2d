// How requests of one session are kept on one member, and how the cookie looks that Insert sets.
import { z } from 'zod';
import { durationField } from '../duration.ts';
import { withRules } from '../schema/cross-rule.ts';
import { choice, flag, text } from '../schema/field.ts';
import { secretNameField } from './tls.ts';

/** The name of a cookie, a header or a URL parameter: an HTTP token, as long as httpd allows. */
function tokenField(doc: string) {
  return text({
    doc,
    allowed: 'a name of at most 63 letters, digits and the signs of an HTTP token',
    pattern: /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/,
    max: 63,
  });
}

const attributesSchema = withRules(
  z.strictObject({
    path: text({
      doc: 'The Path attribute.',
      allowed: 'a path that begins with "/", without ";"',
      pattern: /^\/[\x21-\x3a\x3c-\x7e]*$/,
      max: 1024,
    }).default('/'),
    domain: text({
      doc: 'The Domain attribute. Empty: none, the cookie belongs to the host that was asked.',
      allowed: 'a host name, or empty',
      pattern: /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)?$/,
      max: 253,
    }).default(''),
    sameSite: choice('The SameSite attribute.', ['Lax', 'Strict', 'None']).default('Lax'),
    secure: choice('The Secure attribute. Auto: when the client came by HTTPS.', ['Auto', 'Always', 'Never']).default(
      'Auto',
    ),
    httpOnly: flag('The HttpOnly attribute.').default(true),
    partitioned: flag('The Partitioned attribute.').default(false),
    maxAge: durationField(
      'The Max-Age attribute. Default: none, the cookie ends with the browser.',
      '1s',
      '9600h',
    ).optional(),
  }),
  [
    {
      cel: "self.sameSite != 'None' || self.secure != 'Never'",
      holds: ({ sameSite, secure }) => sameSite !== 'None' || secure !== 'Never',
      message: 'sameSite None needs secure Auto or Always: browsers refuse the cookie otherwise',
      reads: ['sameSite', 'secure'],
      blame: 'sameSite',
    },
    {
      cel: "!self.partitioned || self.secure != 'Never'",
      holds: ({ partitioned, secure }) => !partitioned || secure !== 'Never',
      message: 'partitioned needs secure Auto or Always: browsers refuse the cookie otherwise',
      reads: ['partitioned', 'secure'],
      blame: 'partitioned',
    },
  ],
).meta({ description: 'The attributes of the cookie that the strategy Insert sets.' });

const signingSchema = z
  .strictObject({
    secretName: secretNameField(
      'A Secret in the namespace of the Balancer whose data key "keys" holds one base64 key of at least 32 bytes a ' +
        'line, at most 16 of them; the first one signs, all of them verify. To rotate, append the new key, and move ' +
        'it to the top once every replica has it. While the Secret is missing or holds no key, the keys that were ' +
        'read last stay in force.',
    ),
    mode: choice(
      'Require: a value without a valid signature is no session. Prefer: one without a signature is taken too.',
      ['Require', 'Prefer'],
    ).default('Require'),
    maxAge: durationField('How long a signed value is valid. Default: for ever.', '1m', '9600h').optional(),
  })
  .meta({ description: 'Signs what the proxy adds to sessions, so that clients cannot choose their member.' });

const stickySessionFields = withRules(
  z.strictObject({
    cookie: tokenField("The cookie that carries the session, such as the application's JSESSIONID.").optional(),
    header: tokenField('The header that carries the session, such as Mcp-Session-Id.').optional(),
    urlParameter: tokenField('The path or query parameter that carries the session, such as jsessionid.').optional(),
    strategy: choice(
      'Route: the application writes id.route itself, as with httpd. Suffix: the proxy appends the route to the ' +
        "application's own value and strips it again. Insert: the proxy sets a cookie of its own.",
      ['Route', 'Suffix', 'Insert'],
    ).default('Route'),
    separator: text({
      doc: 'What stands between the session id and its route. Empty, only with strategy Route: the whole value is the route.',
      allowed: 'one sign of "! # $ & * + . / : @ ^ _ | ~ -", or empty',
      pattern: /^[!#$&*+./:@^_|~-]?$/,
      max: 1,
    }).default('.'),
    attributes: attributesSchema.optional(),
    cacheControl: choice(
      'Only with strategy Insert: what a response that sets the cookie says to shared caches. Private: Cache-Control: ' +
        'private is added, unless the response forbids them already; Unchanged: what the application said, so that a ' +
        'cache may give the cookie of one client to others. Default: Private.',
      ['Private', 'Unchanged'],
    ).optional(),
    signing: signingSchema.optional(),
    onMemberDown: choice(
      'What becomes of a request whose member is out of use. Redispatch: another member takes it. Reject: it is ' +
        "answered with rejectStatus (httpd's nofailover).",
      ['Redispatch', 'Reject'],
    ).default('Redispatch'),
    rejectStatus: z
      .literal([503, 404, 410])
      .meta({ description: 'The status of the answer under onMemberDown Reject.' })
      .default(503),
    informMember: flag(
      'Whether the member is told of the session in headers: X-Balancer-Name, X-Balancer-Member, X-Balancer-Member-Route, ' +
        "X-Balancer-Session-Source, X-Balancer-Session-Route and X-Balancer-Route-Changed (httpd's BALANCER_* variables). " +
        'Headers of these names that a client sends are dropped always.',
    ).default(false),
  }),
  [
    {
      cel: 'has(self.cookie) || has(self.header) || has(self.urlParameter)',
      holds: ({ cookie, header, urlParameter }) =>
        cookie !== undefined || header !== undefined || urlParameter !== undefined,
      message: 'at least one of cookie, header and urlParameter must be given',
      reads: ['cookie', 'header', 'urlParameter'],
    },
    {
      cel: "self.separator != '' || self.strategy == 'Route'",
      holds: ({ separator, strategy }) => separator !== '' || strategy === 'Route',
      message: 'separator may be empty only with strategy Route',
      reads: ['separator', 'strategy'],
      blame: 'separator',
    },
    {
      cel: "self.strategy != 'Insert' || has(self.cookie)",
      holds: ({ strategy, cookie }) => strategy !== 'Insert' || cookie !== undefined,
      message: 'strategy Insert needs cookie: the name of the cookie to set',
      reads: ['strategy', 'cookie'],
      blame: 'strategy',
    },
    {
      cel: "!has(self.attributes) || self.strategy == 'Insert'",
      holds: ({ attributes, strategy }) => attributes === undefined || strategy === 'Insert',
      message:
        "attributes may be given only with strategy Insert: other strategies leave the application's cookie as it is",
      reads: ['attributes', 'strategy'],
      blame: 'attributes',
    },
    {
      cel: "!has(self.cacheControl) || self.strategy == 'Insert'",
      holds: ({ cacheControl, strategy }) => cacheControl === undefined || strategy === 'Insert',
      message: 'cacheControl may be given only with strategy Insert: other strategies set no cookie of their own',
      reads: ['cacheControl', 'strategy'],
      blame: 'cacheControl',
    },
    {
      cel: "!has(self.signing) || self.strategy != 'Route'",
      holds: ({ signing, strategy }) => signing === undefined || strategy !== 'Route',
      message: 'signing may be given only with strategy Suffix or Insert: under Route the application writes the value',
      reads: ['signing', 'strategy'],
      blame: 'signing',
    },
    {
      cel:
        "!has(self.cookie) || !has(self.attributes) || !self.cookie.startsWith('__Host-') || " +
        "(self.attributes.path == '/' && self.attributes.domain == '' && self.attributes.secure != 'Never')",
      holds: ({ cookie, attributes }) =>
        attributes === undefined ||
        !cookie?.startsWith('__Host-') ||
        (attributes.path === '/' && attributes.domain === '' && attributes.secure !== 'Never'),
      message: 'a cookie whose name begins with __Host- needs path "/", no domain, and secure Auto or Always',
      reads: ['cookie', 'attributes'],
      blame: 'attributes',
    },
    {
      cel:
        "!has(self.cookie) || !has(self.attributes) || !self.cookie.startsWith('__Secure-') || " +
        "self.attributes.secure != 'Never'",
      holds: ({ cookie, attributes }) =>
        !cookie?.startsWith('__Secure-') || attributes === undefined || attributes.secure !== 'Never',
      message: 'a cookie whose name begins with __Secure- needs secure Auto or Always',
      reads: ['cookie', 'attributes'],
      blame: 'attributes',
    },
  ],
).meta({ description: 'How sessions are kept on their member. Omitted: they are not.' });

/** Under Insert the attributes and cacheControl are always there: what is not given has its default. */
export const stickySessionSchema = stickySessionFields.transform((session) => {
  const { strategy, attributes = attributesSchema.parse({}), cacheControl = 'Private' } = session;
  return strategy === 'Insert'
    ? { ...session, strategy, attributes, cacheControl }
    : { ...session, strategy, attributes: undefined, cacheControl: undefined };
});
