// Directives that lead to nothing in a Balancer, and what is to be said of them: one table. What is not in it and
// not read elsewhere is reported as unknown.
import type { Weight } from '../finding.ts';

interface Remark {
  readonly weight: Weight;
  readonly message: string;
}

const setUp: Remark = { weight: 'skipped', message: 'it is about httpd itself' };
const files: Remark = {
  weight: 'lost',
  message: 'Evenkeel serves no files and runs no programs; leave these paths to a server that does',
};
const access: Remark = {
  weight: 'lost',
  message: 'Evenkeel does not restrict access; do so in the application, or with a NetworkPolicy or a proxy in front',
};
const tls: Remark = { weight: 'lost', message: 'TLS is not served yet; terminate it in front' };
const memberTls: Remark = { weight: 'lost', message: 'members are reached without TLS only, so far' };
const headers: Remark = { weight: 'lost', message: 'headers are not rewritten; let the application do so' };
const redirects: Remark = { weight: 'lost', message: 'requests are not redirected or rewritten' };
const bodies: Remark = { weight: 'lost', message: 'bodies are passed on as they are' };
const members: Remark = { weight: 'skipped', message: 'connections to members are looked after by Evenkeel' };

const byName: Readonly<Record<string, Remark>> = {
  listen: { weight: 'skipped', message: 'see --bind and --http-port' },
  proxyrequests: { weight: 'skipped', message: 'Evenkeel is no forward proxy' },
  proxyerroroverride: { weight: 'lost', message: 'error pages of members are passed on as they are' },
  proxypassreversecookiedomain: { weight: 'lost', message: 'cookies of members are passed on as they are' },
  proxypassreversecookiepath: { weight: 'lost', message: 'cookies of members are passed on as they are' },
  proxyvia: { weight: 'changed', message: 'see --via' },
  proxyaddheaders: { weight: 'lost', message: 'forwarding headers are always sent' },
  proxydomain: { weight: 'skipped', message: 'Evenkeel is no forward proxy' },
  proxyblock: { weight: 'skipped', message: 'Evenkeel is no forward proxy' },
  proxyremote: { weight: 'lost', message: 'members are reached directly' },
  heartbeatlisten: { weight: 'changed', message: 'give the same address to --heartbeat-udp' },
  heartbeataddress: { weight: 'skipped', message: 'members send heartbeats, a balancer does not' },
  remoteipheader: { weight: 'changed', message: 'name the proxies in front by --trusted-proxies' },
  remoteipinternalproxy: { weight: 'changed', message: 'name the proxies in front by --trusted-proxies' },
  remoteiptrustedproxy: { weight: 'changed', message: 'name the proxies in front by --trusted-proxies' },
  balancerinherit: { weight: 'skipped', message: 'a Balancer is used by whichever hosts its rules name' },
  limitrequestline: { weight: 'skipped', message: 'the limits of request heads are fixed' },
  sslengine: tls,
  sslcertificatefile: {
    weight: 'lost',
    message: 'TLS is not served yet; keep it for a Secret: kubectl create secret tls NAME --cert FILE --key FILE',
  },
  rewriteengine: { weight: 'skipped', message: 'rules are read one by one' },
  rewritecond: { weight: 'skipped', message: 'it belongs to the rule below' },
};

const byFamily: readonly (readonly [RegExp, Remark])[] = [
  [/^(require|auth|allow$|deny$|order$|satisfy|ipallow|oidc|shib|mellon|limitexcept$|limit$|sec[a-z]+$)/, access],
  [/^sslproxy/, memberTls],
  [/^(ssl|mdomain|md[a-z]+$|protocols)/, tls],
  [/^(header|requestheader|setenvif|browsermatch|setenv|unsetenv|passenv)/, headers],
  [/^(redirect|rewrite)/, redirects],
  [
    /^(documentroot|alias|scriptalias|directory|files|options|allowoverride|index|errordocument|fallbackresource|sethandler|addhandler|action|add(icon|encoding|language|charset|type|outputfilter)|php|wsgi|cgi|userdir|dav|expires|filee?tag|fileetag|defaulticon|readmename|headername|languagepriority|forcelanguage)/,
    files,
  ],
  [
    /^(setoutputfilter|addoutputfilter|deflate|brotli|filter|substitute|proxyhtml|setinputfilter|ext|cache|ratelimit)/,
    bodies,
  ],
  [
    /^(proxyiobuffersize|proxyreceivebuffersize|proxybadheader|proxymaxforwards|proxysourceaddress|proxystatus|proxyhctpsize|balancergrowth|balancerpersist|heartbeat|proxyftp|proxyscgi|proxyfcgi)/,
    members,
  ],
  [
    /^(load|addmodule|clearmodule|user|group|server|pidfile|mutex|scoreboard|start|min|max|thread|accept|enable|errorlog|customlog|log|transferlog|globallog|buffer|cookielog|hostname|usecanonical|canonical|typesconfig|mime|traceenable|coredump|extendedstatus|keepalive|listenback|namevirtualhost|send|receivebuffer|limit|request|seerequest|gracefulshutdown|chroot|suexec|privileges|unixd|identity|timeoutfor|http|h2|content|defaulttype|adddefaultcharset|regexdefault|strict|merge|flush|error|dump|info|status|version|watchdog|reqtimeout|requestread|asyncrequest|qs_|evasive|dos|security|charset|apreq|lua)/,
    setUp,
  ],
];

/** What is to be said of a directive that nothing is made of. */
export function remarkOn(name: string, args: readonly string[]): Remark {
  if (name === 'require' && args.join(' ').toLowerCase() === 'all granted') return setUp;
  if (name === 'allow' && args.join(' ').toLowerCase() === 'from all') return setUp;
  if (name === 'order' || (name === 'satisfy' && args[0]?.toLowerCase() === 'any')) return setUp;
  if (name === 'proxyrequests' && args[0]?.toLowerCase() === 'on') {
    return { weight: 'lost', message: 'Evenkeel is no forward proxy' };
  }
  if (name === 'sethandler' && args[0]?.toLowerCase() === 'balancer-manager') {
    return { weight: 'lost', message: 'there is no manager page yet; see the metrics of the admin port' };
  }
  if (name === 'sethandler' && /^server-/.test(args[0] ?? '')) return setUp;
  const found = byName[name] ?? byFamily.find(([pattern]) => pattern.test(name))?.[1];
  return found ?? { weight: 'lost', message: 'this directive is not known here; see whether requests depend on it' };
}
