// Specs that together give every field of the resource a value: what the tests of the CRD start from.

type Spec = Readonly<Record<string, unknown>>;

export const wholeSpecs: readonly Spec[] = [
  {
    className: 'evenkeel',
    rules: [{ hosts: ['shop.example.com', '*.shop.example.com'], paths: [{ type: 'Prefix', value: '/app' }] }],
    tls: [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }],
    lbMethod: 'hash',
    hash: { source: 'Header', name: 'X-User' },
    members: [
      {
        service: { name: 'app', namespace: 'shop', port: 'http' },
        loadFactor: '2.25',
        lbSet: 1,
        role: 'HotSpare',
        state: 'Draining',
        routeFrom: 'PodName',
        redirect: 'b',
        ignoreErrors: true,
      },
    ],
    overrides: [{ member: 'app-7f9c-x2x', state: 'Draining', loadFactor: 2, role: 'HotStandby', lbSet: 2 }],
    stickySession: {
      cookie: 'JSESSIONID',
      header: 'Mcp-Session-Id',
      urlParameter: 'jsessionid',
      strategy: 'Suffix',
      separator: '!',
      signing: { secretName: 'keys', mode: 'Prefer', maxAge: '12h' },
      onMemberDown: 'Reject',
      rejectStatus: 410,
      informMember: true,
    },
    drain: { timeout: '10m', onTimeout: 'Reject', unreadyGrace: '5s' },
    failover: { maxAttempts: 2, retryAfter: '1m30s', forceRecovery: false, failOnStatus: [503], failOnTimeout: true },
    timeouts: { connect: '1s', response: '2s', body: '3s', keepAlive: '4s', tunnel: '2h', wait: '500ms' },
    limits: { maxBodyBytes: 1_048_576, maxConnectionsPerMember: 100, maxWaiting: 10 },
    healthCheck: {
      method: 'HEAD',
      path: '/healthz',
      host: 'app.example.com:8080',
      interval: '10s',
      timeout: '2s',
      passes: 2,
      fails: 3,
      expect: { statuses: ['200-299', '404'] },
    },
    forwarding: { host: 'Replace' },
  },
  {
    members: [{ url: 'http://a:8080', route: 'a' }],
    stickySession: {
      cookie: 'ROUTE',
      strategy: 'Insert',
      attributes: {
        path: '/app',
        domain: 'example.com',
        sameSite: 'Strict',
        secure: 'Always',
        httpOnly: false,
        partitioned: true,
        maxAge: '8h',
      },
      cacheControl: 'Unchanged',
    },
  },
  // What is given nothing gets its default.
  { members: [{ url: 'http://a' }] },
];
