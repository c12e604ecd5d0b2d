// Flags and environment variables → frozen, typed Options. The one table of flags is here: names, units, defaults and
// help; the help text and docs/reference/command-line.md are made from it. Reads no file, writes nothing, ends nothing.
import { readArguments } from './commands/arguments.ts';
import {
  defineFlag,
  type FlagDefinition,
  readChoice,
  readCount,
  readDurationMs,
  readHost,
  readHosts,
  readLanes,
  readListenAddress,
  readName,
  readNamespaces,
  readNetworks,
  readPaths,
  readPort,
  readSwitch,
} from './commands/flag-values.ts';
import type { Machine } from './commands/machine.ts';
import { usageError } from './commands/user-error.ts';

/** The commands that take flags. */
export type Command = 'serve' | 'check' | 'crd';

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
    commands: serveAndCheck,
    help: 'Balancers whose spec.className is this are served; those of other classes are left alone.',
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
    initial: '*',
    commands: serveAndCheck,
    help: 'Namespaces whose Balancers may take every host. * means all of them, none means none.',
    read: readNamespaces,
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
  if (options.configPaths.length === 0) {
    throw usageError('serve needs --config PATH: serving from a cluster is not built yet');
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
  if (options.isTakingOver && !machine.canSharePort) {
    throw usageError('--take-over needs a system that lets processes share a port, and this one does not');
  }
}
