// Flags and environment variables → frozen, typed Options. The one table of flags is here: names, units, defaults and
// help; the help text and docs/reference/command-line.md are made from it. Reads no file, writes nothing, ends nothing.
import { readArguments } from './commands/arguments.ts';
import {
  defineFlag,
  type FlagDefinition,
  readChoice,
  readCount,
  readDefines,
  readDurationMs,
  readHost,
  readHosts,
  readLanes,
  readListenAddress,
  readName,
  readNameOrNone,
  readNamespaces,
  readNetworks,
  readOptionalPort,
  readObjectName,
  readPath,
  readPaths,
  readPort,
  readPublishedAddresses,
  readServiceTargets,
  readSwitch,
  readWindowMs,
  readZone,
} from './commands/flag-values.ts';
import type { Machine } from './commands/machine.ts';
import { usageError } from './commands/user-error.ts';

/** The commands that take flags. */
export type Command = 'serve' | 'check' | 'import' | 'crd';

const serve = ['serve'] as const;
const serveAndCheck = ['serve', 'check'] as const;

/** Every flag there is, by the name of its option; the order is that of the help text. */
export const flags = {
  configPaths: defineFlag({
    name: 'config',
    value: 'PATH',
    isList: true,
    initial: '',
    commands: serve,
    help: 'YAML file or folder with what to serve, watched for change. May be given several times; in the environment, paths are separated by a colon.',
    read: readPaths,
  }),
  kubeconfig: defineFlag({
    name: 'kubeconfig',
    value: 'PATH',
    initial: '',
    initialHelp: "KUBECONFIG, else the pod's service account, else ~/.kube/config",
    commands: serve,
    help: 'Without --config, the cluster is served from: how its API server is reached.',
    read: readPath,
  }),
  namespaces: defineFlag({
    name: 'namespaces',
    value: 'NAME,…',
    isList: true,
    initial: '*',
    commands: serve,
    help: 'Namespaces of the cluster whose Balancers, Services and EndpointSlices are read. * means all of them.',
    read: readNamespaces,
  }),
  leaderElectionNamespace: defineFlag({
    name: 'leader-election-namespace',
    value: 'NAME',
    initial: '',
    initialHelp: 'POD_NAMESPACE, else the namespace of the credentials, else default',
    commands: serve,
    help: 'In a cluster: namespace of the Lease by which replicas agree on the one that writes statuses and events.',
    read: readNameOrNone,
  }),
  leaderElectionName: defineFlag({
    name: 'leader-election-name',
    value: 'NAME',
    initial: '',
    initialHelp: 'evenkeel- and the class',
    commands: serve,
    help: 'Name of that Lease. Replicas with the same one agree on one leader.',
    read: readNameOrNone,
  }),
  publishService: defineFlag({
    name: 'publish-service',
    value: 'NAMESPACE/NAME',
    initial: '',
    initialHelp: 'none',
    commands: serve,
    help: 'In a cluster: the Service in front of the proxy. The addresses of its load balancer, or else its cluster addresses, are published in status.addresses of Balancers.',
    read: readObjectName,
  }),
  publishAddresses: defineFlag({
    name: 'publish-address',
    value: 'ADDRESS,…',
    isList: true,
    initial: '',
    initialHelp: 'none',
    commands: serve,
    help: 'In a cluster: IP addresses or host names to publish there instead.',
    read: readPublishedAddresses,
  }),
  bind: defineFlag({
    name: 'bind',
    value: 'ADDRESS',
    initial: '0.0.0.0',
    commands: serve,
    help: 'Address on which clients are accepted. :: takes IPv6 and IPv4.',
    read: readHost,
  }),
  httpPort: defineFlag({
    name: 'http-port',
    value: 'PORT',
    initial: '8080',
    commands: serve,
    help: 'Port for HTTP. 0 takes a free one and logs it.',
    read: readPort,
  }),
  adminBind: defineFlag({
    name: 'admin-bind',
    value: 'ADDRESS',
    initial: '127.0.0.1',
    commands: serve,
    help: 'Address of the admin port, which has no authentication: keep it away from clients.',
    read: readHost,
  }),
  adminPort: defineFlag({
    name: 'admin-port',
    value: 'PORT',
    initial: '9090',
    commands: serve,
    help: 'Port for metrics and probes. 0 takes a free one and logs it.',
    read: readPort,
  }),
  adminHosts: defineFlag({
    name: 'admin-hosts',
    value: 'NAME,…',
    isList: true,
    initial: '',
    commands: serve,
    help: 'Further host names that the admin port answers to. It always answers to localhost, to IP addresses and to --admin-bind.',
    read: readHosts,
  }),
  sessionsPort: defineFlag({
    name: 'sessions-port',
    value: 'PORT',
    initial: '',
    initialHelp: 'off',
    commands: serve,
    help: 'Port on which GET /sessions/POD tells how many sessions of that pod are left, for preStop hooks that wait for them. It has no authentication and tells nothing else. 0 takes a free one and logs it.',
    read: readOptionalPort,
  }),
  sessionsBind: defineFlag({
    name: 'sessions-bind',
    value: 'ADDRESS',
    initial: '0.0.0.0',
    commands: serve,
    help: 'Address of the sessions port.',
    read: readHost,
  }),
  sessionWindowMs: defineFlag({
    name: 'session-window',
    value: 'DURATION',
    initial: '30m',
    commands: serve,
    help: 'How long a session counts as live after its last request, 1s to 24h: best what the applications have as their session timeout.',
    read: readWindowMs,
  }),
  lanes: defineFlag({
    name: 'lanes',
    value: 'NUMBER',
    initial: 'auto',
    initialHelp: 'one per processor, at most 8; 1 where the system cannot share a port among threads',
    commands: serve,
    help: 'Data-plane threads, up to 64. 0 runs the data plane in the main thread, for tests and debugging.',
    read: readLanes,
  }),
  maxMembers: defineFlag({
    name: 'max-members',
    value: 'NUMBER',
    initial: '65536',
    commands: serve,
    help: 'Members for which there is room in shared memory, those that are just leaving included.',
    read: readCount(1, 1_000_000),
  }),
  maxBalancers: defineFlag({
    name: 'max-balancers',
    value: 'NUMBER',
    initial: '8192',
    commands: serve,
    help: 'Balancers for which there is room in shared memory, those that are just leaving included.',
    read: readCount(1, 100_000),
  }),
  maxConnections: defineFlag({
    name: 'max-connections',
    value: 'NUMBER',
    initial: '16384',
    commands: serve,
    help: 'Client connections that a lane holds open; further ones are closed at once.',
    read: readCount(1, 1_000_000),
  }),
  className: defineFlag({
    name: 'class',
    value: 'NAME',
    initial: 'evenkeel',
    commands: ['serve', 'check', 'import'],
    help: 'Balancers whose spec.className is this are served; those of other classes are left alone. import writes it into Balancers if it is not the default.',
    read: readName,
  }),
  isDefaultClass: defineFlag({
    name: 'default-class',
    initial: 'true',
    commands: serveAndCheck,
    help: 'Balancers without spec.className are served too. --no-default-class leaves them alone.',
    read: readSwitch,
  }),
  hostOwnership: defineFlag({
    name: 'host-ownership',
    value: 'Strict|Shared',
    initial: 'Strict',
    commands: serveAndCheck,
    help: 'Strict: a host belongs to the namespace that claimed it first. Shared: namespaces may share hosts.',
    read: readChoice('Strict', 'Shared'),
  }),
  catchAllNamespaces: defineFlag({
    name: 'catch-all-namespaces',
    value: 'NAME,…',
    isList: true,
    initial: '',
    initialHelp: '*; in a cluster the namespace that it runs in',
    commands: serveAndCheck,
    help: 'Namespaces whose Balancers may take every host. * means all of them, none means none.',
    read: (texts) => (texts.length === 0 ? null : readNamespaces(texts)),
  }),
  allowsExternalNames: defineFlag({
    name: 'allow-external-name',
    initial: 'true',
    commands: serveAndCheck,
    help: 'Members may be Services of type ExternalName, which lead to any name that their author likes. --no-allow-external-name refuses them.',
    read: readSwitch,
  }),
  zone: defineFlag({
    name: 'zone',
    value: 'NAME',
    initial: '',
    initialHelp: 'not known',
    commands: serve,
    help: 'The zone that this process runs in. Where every endpoint of a Service has a hint for zones, those for this zone are used alone.',
    read: readZone,
  }),
  readsPods: defineFlag({
    name: 'pod-metadata',
    initial: 'false',
    commands: serve,
    help: 'In a cluster: Pods are read too. Their labels and annotations evenkeel.dev/load-factor, lb-set, role and state set these for the members that they are, and a grace period shorter than spec.drain.timeout is told of.',
    read: readSwitch,
  }),
  importNamespace: defineFlag({
    name: 'namespace',
    value: 'NAME',
    initial: '',
    initialHelp: 'none is written',
    commands: ['import'],
    help: 'Namespace of the Balancers that are written.',
    read: (texts) => (texts.length === 0 ? null : readName(texts)),
  }),
  importServices: defineFlag({
    name: 'service',
    value: 'BALANCER=[NAMESPACE/]SERVICE:PORT',
    isList: true,
    initial: '',
    commands: ['import'],
    help: 'A Service to take the place of the members of one balancer of httpd. May be given several times.',
    read: readServiceTargets,
  }),
  importDefines: defineFlag({
    name: 'define',
    value: 'NAME[=VALUE]',
    isList: true,
    initial: '',
    commands: ['import'],
    help: 'A variable of the configuration of httpd, as by Define or -D. May be given several times.',
    read: readDefines,
  }),
  isTakingOver: defineFlag({
    name: 'take-over',
    initial: 'false',
    commands: serve,
    help: 'Start even though another process listens on the HTTP port, and share the port with it until that one ends.',
    read: readSwitch,
  }),
  shutdownDelayMs: defineFlag({
    name: 'shutdown-delay',
    value: 'DURATION',
    initial: '0s',
    commands: serve,
    help: 'After SIGTERM: how long connections are still accepted while readiness fails, so that others stop sending.',
    read: readDurationMs,
  }),
  shutdownTimeoutMs: defineFlag({
    name: 'shutdown-timeout',
    value: 'DURATION',
    initial: '30s',
    commands: serve,
    help: 'After the delay: how long requests in flight and open tunnels may take to finish before they are cut.',
    read: readDurationMs,
  }),
  trustedProxies: defineFlag({
    name: 'trusted-proxies',
    value: 'CIDR,…',
    isList: true,
    initial: '',
    commands: serve,
    help: 'Peers whose X-Forwarded-*, Forwarded and X-Real-IP headers are believed. An address stands for itself alone.',
    read: readNetworks,
  }),
  sendsForwarded: defineFlag({
    name: 'forwarded',
    initial: 'false',
    commands: serve,
    help: 'Members get the header Forwarded (RFC 7239) besides X-Forwarded-*: for, host, proto and by.',
    read: readSwitch,
  }),
  sendsVia: defineFlag({
    name: 'via',
    initial: 'false',
    commands: serve,
    help: 'Members and clients get a line of the header Via (RFC 9110) with a pseudonym of this process. Some members do not compress for requests with Via.',
    read: readSwitch,
  }),
  requestId: defineFlag({
    name: 'request-id',
    value: 'off|make|pass',
    initial: 'off',
    commands: serve,
    help: "The header X-Request-Id to members. off: the client's is left alone. make: a new one, except that a trusted proxy's is passed on. pass: any client's is passed on, and one is made where there is none.",
    read: readChoice('off', 'make', 'pass'),
  }),
  allowedMemberNetworks: defineFlag({
    name: 'allow-member-cidr',
    value: 'CIDR,…',
    isList: true,
    initial: '',
    commands: serve,
    help: 'Networks in which members may be although they point inwards: loopback, link-local, multicast and unspecified addresses and those of this machine are refused otherwise. With --config nothing is refused.',
    read: readNetworks,
  }),
  heartbeatUdp: defineFlag({
    name: 'heartbeat-udp',
    value: 'ADDRESS:PORT',
    initial: '',
    initialHelp: 'off',
    commands: serve,
    help: "Where datagrams of httpd's mod_heartbeat are received, for members of heartbeat balancers: an address of this machine, or a multicast group such as 239.0.0.1:27999. Port 0 takes a free one and logs it.",
    read: readListenAddress('or-group'),
  }),
  heartbeatHttp: defineFlag({
    name: 'heartbeat-http',
    value: 'ADDRESS:PORT',
    initial: '',
    initialHelp: 'off',
    commands: serve,
    help: 'Where the same reports are received as HTTP POST. Port 0 takes a free one and logs it.',
    read: readListenAddress('no-groups'),
  }),
  accessLog: defineFlag({
    name: 'access-log',
    value: 'off|json',
    initial: 'off',
    commands: serve,
    help: 'json: a line for each request, as in docs/access-log.md. Lines that nobody takes in time are dropped and counted.',
    read: readChoice('off', 'json'),
  }),
  accessLogFile: defineFlag({
    name: 'access-log-file',
    value: 'PATH',
    initial: '',
    initialHelp: 'standard output',
    commands: serve,
    help: 'Where the access log goes: a file, which is appended to and opened anew when it was moved away, or a named pipe.',
    read: readPath,
  }),
  explainSecretFile: defineFlag({
    name: 'explain-secret-file',
    value: 'PATH',
    initial: '',
    initialHelp: 'off',
    commands: serve,
    help: 'File with a secret of 16 to 256 visible ASCII characters, read again when it changes. A request with it in the header X-Evenkeel-Explain is answered with how it was served, as in docs/explain.md.',
    read: readPath,
  }),
  logLevel: defineFlag({
    name: 'log-level',
    value: 'LEVEL',
    initial: 'info',
    commands: serve,
    help: 'Least level that is logged: debug, info, warn, error or silent.',
    read: readChoice('debug', 'info', 'warn', 'error', 'silent'),
  }),
  logFormat: defineFlag({
    name: 'log-format',
    value: 'json|pretty',
    initial: 'json',
    commands: serve,
    help: 'json: one object per line. pretty: for people.',
    read: readChoice('json', 'pretty'),
  }),
} as const;

type Flags = typeof flags;

/** What the operator decided, complete and checked. Durations are in milliseconds. */
export type Options = { readonly [K in keyof Flags]: ReturnType<Flags[K]['read']> };

/** A command line that was understood. */
export interface CommandLine {
  readonly options: Options;
  /** What stands on the line besides flags. */
  readonly operands: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the arguments behind the command's name. A flag wins over its environment variable, that over the default; an
 * empty variable counts as not set. Throws UserError with exit code 2 and a message for people.
 */
export function readOptions(
  command: Command,
  args: readonly string[],
  env: Environment,
  machine: Machine,
): CommandLine {
  const { given, operands } = readArguments(command, args, Object.values<FlagDefinition>(flags));
  const options: Record<string, unknown> = {};
  for (const [option, flag] of Object.entries<FlagDefinition>(flags)) {
    const source = sourceOf(flag, given.get(flag.name), flag.commands.includes(command) ? env : {});
    try {
      options[option] = flag.read(source.texts, machine);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw usageError(`${source.name} is ${JSON.stringify(source.texts.join(','))}; ${error.message}`);
    }
  }
  const checked = Object.freeze(options) as Options;
  if (command === 'serve') checkTogether(checked, machine);
  return { options: checked, operands };
}

/** The environment variable of a flag. */
export function variableOf(flag: Pick<FlagDefinition, 'name'>): string {
  return `EVENKEEL_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}

interface Source {
  /** What a message calls it. */
  readonly name: string;
  readonly texts: readonly string[];
}

function sourceOf(flag: FlagDefinition, given: readonly string[] | undefined, env: Environment): Source {
  if (given !== undefined) return { name: `--${flag.name}`, texts: given };
  const variable = variableOf(flag);
  const value = env[variable] ?? '';
  // Kubernetes sets EVENKEEL_HTTP_PORT=tcp://10.0.0.1:80 in every pod beside a Service named evenkeel-http.
  if (value !== '' && !/^(tcp|udp|sctp):\/\//.test(value)) {
    return { name: variable, texts: flag.name === 'config' ? value.split(':') : [value] };
  }
  return { name: `--${flag.name}`, texts: flag.initial === '' ? [] : [flag.initial] };
}

/** What no flag can tell on its own. */
function checkTogether(options: Options, machine: Machine): void {
  if (options.configPaths.length > 0 && options.kubeconfig !== null) {
    throw usageError('--config and --kubeconfig are both given; what is served comes from files or from a cluster');
  }
  if (options.publishService !== null && options.publishAddresses.length > 0) {
    throw usageError('--publish-service and --publish-address are both given; addresses come from one of them');
  }
  if (options.namespaces !== 'all' && options.namespaces.size === 0) {
    throw usageError('--namespaces is "none"; it must be names of namespaces, or *');
  }
  if (options.httpPort !== 0 && options.httpPort === options.adminPort) {
    throw usageError(`--http-port and --admin-port are both ${options.httpPort}; they must differ`);
  }
  const reportsPort = options.heartbeatHttp?.port ?? 0;
  for (const [name, port] of [
    ['http-port', options.httpPort],
    ['admin-port', options.adminPort],
  ] as const) {
    if (reportsPort === 0 || reportsPort !== port) continue;
    throw usageError(`--${name} and --heartbeat-http are both on port ${port}; they must differ`);
  }
  if (options.accessLogFile !== null && options.accessLog === 'off') {
    throw usageError('--access-log-file has nothing to write: give --access-log json too');
  }
  checkSessionsPort(options);
  if (options.isTakingOver && !machine.canSharePort) {
    throw usageError('--take-over needs a system that lets processes share a port, and this one does not');
  }
}

function checkSessionsPort({ sessionsPort, httpPort, adminPort, heartbeatHttp }: Options): void {
  const others = { 'http-port': httpPort, 'admin-port': adminPort, 'heartbeat-http': heartbeatHttp?.port ?? 0 };
  for (const [name, port] of Object.entries(others)) {
    if (sessionsPort === null || port === 0 || port !== sessionsPort) continue;
    throw usageError(`--${name} and --sessions-port are both on port ${port}; they must differ`);
  }
}
