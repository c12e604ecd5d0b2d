// The rules between fields, each with specs that keep it and specs that break it.
type Spec = Readonly<Record<string, unknown>>;

interface RuleCase {
  /** What the API server says when it is broken. */
  readonly message: string;
  readonly kept: readonly Spec[];
  readonly broken: readonly Spec[];
}

const service = { name: 'app', port: 80 };
const url = 'http://a';
const withMember = (member: Spec): Spec => ({ members: [member] });
const spec = (fields: Spec): Spec => ({ members: [{ url }], ...fields });
const session = (fields: Spec): Spec => spec({ stickySession: { cookie: 'S', ...fields } });
const insert = (fields: Spec): Spec => session({ strategy: 'Insert', ...fields });
const suffix = (fields: Spec): Spec => session({ strategy: 'Suffix', ...fields });
const hash = (fields: Spec): Spec => spec({ lbMethod: 'hash', hash: fields });

export const ruleCases: readonly RuleCase[] = [
  {
    message: 'a member must have exactly one of service and url',
    kept: [withMember({ url }), withMember({ service })],
    broken: [withMember({}), withMember({ url, service })],
  },
  {
    message: 'route may be given only with url; the routes of a Service come from routeFrom',
    kept: [withMember({ url, route: 'a' })],
    broken: [withMember({ service, route: 'a' })],
  },
  {
    message: 'routeFrom may be given only with service',
    kept: [withMember({ service, routeFrom: 'PodName' })],
    broken: [withMember({ url, routeFrom: 'PodUID' })],
  },
  {
    message: 'hash may be given only with lbMethod hash',
    kept: [hash({}), spec({ lbMethod: 'hash' })],
    broken: [spec({ hash: {} }), spec({ lbMethod: 'bytraffic', hash: {} })],
  },
  {
    message: 'name must be given for the sources Header, Cookie and UrlParameter, and not for ClientAddress',
    kept: [hash({ source: 'Cookie', name: 'a' }), hash({ source: 'ClientAddress' })],
    broken: [hash({ source: 'Cookie' }), hash({ name: 'a' })],
  },
  {
    message: 'at least one of cookie, header and urlParameter must be given',
    kept: [session({}), spec({ stickySession: { header: 'S' } }), spec({ stickySession: { urlParameter: 's' } })],
    broken: [spec({ stickySession: {} })],
  },
  {
    message: 'separator may be empty only with strategy Route',
    kept: [session({ separator: '' }), suffix({ separator: '!' })],
    broken: [suffix({ separator: '' }), insert({ separator: '' })],
  },
  {
    message: 'strategy Insert needs cookie: the name of the cookie to set',
    kept: [insert({})],
    broken: [spec({ stickySession: { header: 'S', strategy: 'Insert' } })],
  },
  {
    message:
      "attributes may be given only with strategy Insert: other strategies leave the application's cookie as it is",
    kept: [insert({ attributes: {} })],
    broken: [session({ attributes: {} }), suffix({ attributes: {} })],
  },
  {
    message: 'cacheControl may be given only with strategy Insert: other strategies set no cookie of their own',
    kept: [insert({ cacheControl: 'Unchanged' })],
    broken: [session({ cacheControl: 'Private' }), suffix({ cacheControl: 'Unchanged' })],
  },
  {
    message: 'signing may be given only with strategy Suffix or Insert: under Route the application writes the value',
    kept: [insert({ signing: { secretName: 'k' } }), suffix({ signing: { secretName: 'k' } })],
    broken: [session({ signing: { secretName: 'k' } })],
  },
  {
    message: 'sameSite None needs secure Auto or Always: browsers refuse the cookie otherwise',
    kept: [insert({ attributes: { sameSite: 'None' } }), insert({ attributes: { secure: 'Never' } })],
    broken: [insert({ attributes: { sameSite: 'None', secure: 'Never' } })],
  },
  {
    message: 'partitioned needs secure Auto or Always: browsers refuse the cookie otherwise',
    kept: [insert({ attributes: { partitioned: true } })],
    broken: [insert({ attributes: { partitioned: true, secure: 'Never' } })],
  },
  {
    message: 'a cookie whose name begins with __Host- needs path "/", no domain, and secure Auto or Always',
    kept: [insert({ cookie: '__Host-R' }), insert({ cookie: '__Host-R', attributes: { secure: 'Always' } })],
    broken: [
      insert({ cookie: '__Host-R', attributes: { path: '/app' } }),
      insert({ cookie: '__Host-R', attributes: { domain: 'a.com' } }),
      insert({ cookie: '__Host-R', attributes: { secure: 'Never' } }),
    ],
  },
  {
    message: 'a cookie whose name begins with __Secure- needs secure Auto or Always',
    kept: [insert({ cookie: '__Secure-R', attributes: { path: '/app' } })],
    broken: [insert({ cookie: '__Secure-R', attributes: { secure: 'Never' } })],
  },
  {
    message: 'host may not be given with method TCP, which sends no request',
    kept: [spec({ healthCheck: { host: 'a.com' } }), spec({ healthCheck: { method: 'TCP' } })],
    broken: [spec({ healthCheck: { method: 'TCP', host: 'a.com' } })],
  },
];
