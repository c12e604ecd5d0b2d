// Annotations of ingress-nginx that have no equivalent, and what is to be said of them: one table. Those that have one
// are read in import-ingress-nginx.ts and its neighbours.
import type { Weight } from '../finding.ts';

export const annotationPrefix = 'nginx.ingress.kubernetes.io/';

interface Remark {
  readonly weight: Weight;
  readonly message: string;
}

const access =
  'Evenkeel does not restrict access; do so in the application, or with a NetworkPolicy or a proxy in front';

const remarks: readonly (readonly [RegExp, Remark])[] = [
  [
    /^(rewrite-target|app-root|use-regex|x-forwarded-prefix)$/,
    { weight: 'lost', message: 'paths are forwarded as they came' },
  ],
  [/-snippet$/, { weight: 'lost', message: 'there are no snippets' }],
  [
    /^(canary|affinity-canary)/,
    { weight: 'lost', message: 'there are no canaries; give members load factors instead' },
  ],
  [
    /^(permanent-redirect|temporal-redirect|ssl-redirect|force-ssl-redirect|from-to-www|relative-redirects|preserve-trailing)/,
    { weight: 'lost', message: 'requests are not redirected' },
  ],
  [
    /^(auth-|whitelist|denylist|allowlist|limit-|global-rate|modsecurity|enable-modsecurity|satisfy|enable-access-log)/,
    { weight: 'lost', message: access },
  ],
  [
    /^(enable-cors|cors-|custom-headers|connection-proxy-header|proxy-cookie|proxy-redirect|hide-headers)/,
    { weight: 'lost', message: 'headers are not rewritten; let the application do so' },
  ],
  [
    /^(proxy-ssl|backend-protocol|secure-backends|grpc)/,
    { weight: 'lost', message: 'members are spoken to with plain HTTP/1.1 only, so far' },
  ],
  [/^(ssl-|http2)/, { weight: 'lost', message: 'TLS is not served yet; terminate it in front' }],
  [
    /^(mirror|default-backend|custom-http-errors|disable-proxy-intercept)/,
    { weight: 'lost', message: 'requests go to the members of one balancer only' },
  ],
  [
    /^(proxy-buff|proxy-max-temp|client-body-buffer|proxy-request-buffering|proxy-http-version|service-upstream|enable-opentelemetry|opentelemetry|enable-rewrite-log|upstream-keepalive)/,
    { weight: 'skipped', message: 'it is about how nginx works inside' },
  ],
  [
    /^upstream-vhost$/,
    { weight: 'lost', message: 'members get the Host of the client, or their own by spec.forwarding' },
  ],
];

export function remarkOnAnnotation(key: string): Remark {
  const found = remarks.find(([pattern]) => pattern.test(key));
  return found?.[1] ?? { weight: 'lost', message: 'there is nothing like it' };
}
