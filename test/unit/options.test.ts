import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { helpPage, helpText } from '../../src/commands/help.ts';
import type { Machine } from '../../src/commands/machine.ts';
import { UserError } from '../../src/commands/user-error.ts';
import { type Command, flags, readOptions, variableOf } from '../../src/options.ts';

const machine: Machine = { processors: 4, canSharePort: true };

/** Options of `serve --config app.yaml ARGS`. */
function read(args: readonly string[] = [], env: Record<string, string> = {}, on: Machine = machine) {
  return readOptions('serve', ['--config', 'app.yaml', ...args], env, on).options;
}

/** The message that refuses a command line. */
function refusal(args: readonly string[], env: Record<string, string> = {}, command: Command = 'serve', on = machine) {
  try {
    readOptions(command, args, env, on);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(2);
    return (error as UserError).message;
  }
  throw new Error('the command line was taken');
}

const refused = (...args: string[]): string => refusal(['--config', 'app.yaml', ...args]);

describe('options', () => {
  it('have defaults', () => {
    expect(read()).toEqual({
      configPaths: ['app.yaml'],
      kubeconfig: null,
      namespaces: 'all',
      leaderElectionNamespace: null,
      leaderElectionName: null,
      publishService: null,
      publishAddresses: [],
      bind: '0.0.0.0',
      httpPort: 8080,
      adminBind: '127.0.0.1',
      adminPort: 9090,
      adminHosts: [],
      lanes: 4,
      maxMembers: 65_536,
      maxBalancers: 8_192,
      maxConnections: 16_384,
      className: 'evenkeel',
      isDefaultClass: true,
      hostOwnership: 'Strict',
      catchAllNamespaces: null,
      allowsExternalNames: true,
      readsPods: false,
      zone: null,
      importNamespace: null,
      importServices: new Map(),
      importDefines: new Map(),
      isTakingOver: false,
      shutdownDelayMs: 0,
      shutdownTimeoutMs: 30_000,
      trustedProxies: [],
      sendsForwarded: false,
      sendsVia: false,
      requestId: 'off',
      allowedMemberNetworks: [],
      heartbeatUdp: null,
      heartbeatHttp: null,
      sessionsPort: null,
      sessionsBind: '0.0.0.0',
      sessionWindowMs: 1_800_000,
      accessLog: 'off',
      accessLogFile: null,
      explainSecretFile: null,
      logLevel: 'info',
      logFormat: 'json',
    });
  });

  it('are frozen', () => {
    expect(Object.isFrozen(read())).toBe(true);
  });

  it('are read from flags', () => {
    const args = '--http-port 80 --admin-port=0 --bind :: --shutdown-delay 1m30s --log-format pretty --take-over'.split(
      ' ',
    );
    expect(read(args)).toMatchObject({
      httpPort: 80,
      adminPort: 0,
      bind: '::',
      shutdownDelayMs: 90_000,
      logFormat: 'pretty',
      isTakingOver: true,
    });
  });

  it('take lists from one flag and from several', () => {
    const args = ['--config', 'more', '--trusted-proxies', '10.0.0.0/8, 192.0.2.1', '--trusted-proxies', 'fd00::1'];
    expect(read(args)).toMatchObject({
      configPaths: ['app.yaml', 'more'],
      trustedProxies: ['10.0.0.0/8', '192.0.2.1/32', 'fd00::1/128'],
    });
    expect(read(['--admin-hosts', 'LB.example.com.,lb2']).adminHosts).toEqual(['lb.example.com', 'lb2']);
  });

  it('take switches in every form', () => {
    expect(read(['--no-default-class']).isDefaultClass).toBe(false);
    expect(read(['--default-class=false']).isDefaultClass).toBe(false);
    expect(read(['--default-class']).isDefaultClass).toBe(true);
    expect(read([], { EVENKEEL_DEFAULT_CLASS: 'false' }).isDefaultClass).toBe(false);
  });

  it('take namespaces, all of them, or none', () => {
    const namespaces = (text: string) => read(['--catch-all-namespaces', text]).catchAllNamespaces;
    expect(namespaces('*')).toBe('all');
    expect(namespaces('none')).toEqual(new Set());
    expect(namespaces('shop,ops')).toEqual(new Set(['shop', 'ops']));
  });

  it('bind localhost by its address', () => {
    expect(read(['--bind', 'localhost', '--admin-bind', '[::1]'])).toMatchObject({
      bind: '127.0.0.1',
      adminBind: '::1',
    });
  });

  it('listen for load reports where they are told to, on addresses of either family', () => {
    const args = ['--heartbeat-udp', '239.0.0.1:27999', '--heartbeat-http', '[::1]:0'];
    expect(read(args)).toMatchObject({
      heartbeatUdp: { host: '239.0.0.1', port: 27_999 },
      heartbeatHttp: { host: '::1', port: 0 },
    });
    expect(read(['--heartbeat-udp', '[ff02::1]:1', '--heartbeat-http', 'localhost:2'])).toMatchObject({
      heartbeatUdp: { host: 'ff02::1', port: 1 },
      heartbeatHttp: { host: '127.0.0.1', port: 2 },
    });
  });

  it('leave operands to the command', () => {
    const { operands, options } = readOptions('check', ['a.yaml', '--class', 'blue', 'b'], {}, machine);
    expect(operands).toEqual(['a.yaml', 'b']);
    expect(options.className).toBe('blue');
  });
});

describe('the environment', () => {
  it('sets every flag', () => {
    expect(
      readOptions('serve', [], { EVENKEEL_CONFIG: '/a:/b', EVENKEEL_HTTP_PORT: '81' }, machine).options,
    ).toMatchObject({
      configPaths: ['/a', '/b'],
      httpPort: 81,
    });
  });

  it('loses against flags', () => {
    expect(read(['--http-port', '82'], { EVENKEEL_HTTP_PORT: '81' }).httpPort).toBe(82);
  });

  it('counts as not set when it is empty, or set by Kubernetes for a Service', () => {
    expect(read([], { EVENKEEL_HTTP_PORT: '' }).httpPort).toBe(8080);
    const env = {
      EVENKEEL_HTTP_PORT: 'tcp://10.0.0.1:80',
      EVENKEEL_ADMIN_PORT: 'tcp://10.0.0.2:9090',
      EVENKEEL_PORT: 'x',
    };
    expect(read([], env)).toMatchObject({ httpPort: 8080, adminPort: 9090 });
  });

  it('is named when it is wrong', () => {
    expect(refusal(['--config', 'a'], { EVENKEEL_LOG_LEVEL: 'loud' })).toBe(
      'EVENKEEL_LOG_LEVEL is "loud"; it must be one of debug, info, warn, error, silent',
    );
  });

  it('does not disturb a command that has no such flag', () => {
    expect(() => readOptions('check', ['a.yaml'], { EVENKEEL_HTTP_PORT: 'x' }, machine)).not.toThrow();
  });
});

describe('lanes', () => {
  it('are one per processor, at most eight', () => {
    expect(read([], {}, { processors: 1, canSharePort: true }).lanes).toBe(1);
    expect(read([], {}, { processors: 64, canSharePort: true }).lanes).toBe(8);
    expect(read(['--lanes', '20']).lanes).toBe(20);
    expect(read(['--lanes', '0']).lanes).toBe(0);
  });

  it('are one where a port cannot be shared', () => {
    const alone = { processors: 8, canSharePort: false };
    expect(read([], {}, alone).lanes).toBe(1);
    expect(refusal(['--config', 'a', '--lanes', '2'], {}, 'serve', alone)).toMatch(/--lanes is "2"; it must be 0 or 1/);
  });
});

describe('taking over', () => {
  it('needs a system that shares ports', () => {
    const alone = { processors: 8, canSharePort: false };
    expect(refusal(['--config', 'a', '--take-over'], {}, 'serve', alone)).toMatch(/^--take-over needs a system/);
  });
});

describe('a wrong command line', () => {
  it.each([
    [['--htpp-port', '80'], 'unknown flag --htpp-port; did you mean --http-port?'],
    [['--zzzzzzzzzz'], 'unknown flag --zzzzzzzzzz; see --help'],
    [['-x'], 'unknown flag -x; see --help'],
    [['--no-bind'], 'unknown flag --no-bind; did you mean --bind?'],
    [['--manager', 'read'], 'unknown flag --manager; see --help'],
    [['--https-port', '1'], 'unknown flag --https-port; did you mean --http-port?'],
    [['--access-log', 'apache'], '--access-log is "apache"; it must be one of off, json'],
    [['--access-log-file', 'x'], '--access-log-file has nothing to write: give --access-log json too'],
    [['--explain-secret-file', ''], '--explain-secret-file is ""; it must be the path of a file'],
    [['--bind'], '--bind needs a value: --bind ADDRESS'],
    [['--bind', '--http-port', '80'], '--bind needs a value: --bind ADDRESS'],
    [['--bind', '::', '--bind', '::1'], '--bind is given twice'],
    [['--bind', 'example.com'], '--bind is "example.com"; it must be an IP address, such as 127.0.0.1, 0.0.0.0 or ::'],
    [['--http-port', '65536'], '--http-port is "65536"; it must be a port from 0 to 65535'],
    [['--http-port', '8e3'], '--http-port is "8e3"; it must be a port from 0 to 65535'],
    [['--http-port', '-1'], '--http-port is "-1"; it must be a port from 0 to 65535'],
    [['--http-port='], '--http-port is ""; it must be a port from 0 to 65535'],
    [['--max-members', '0'], '--max-members is "0"; it must be a whole number from 1 to 1000000'],
    [['--take-over=yes'], '--take-over is "yes"; it must be true or false'],
    [['--class', 'Blue'], /--class is "Blue"; it must be at most 63/],
    [['--trusted-proxies', '10.0.0.0/33'], /^--trusted-proxies is "10.0.0.0\/33"; it must be addresses or networks/],
    [['--trusted-proxies', '10.0.0.1,'], '--trusted-proxies is "10.0.0.1,"; it has an empty entry'],
    [['--shutdown-timeout', '30'], /^--shutdown-timeout is "30"; it must be a duration up to 24h/],
    [['--shutdown-timeout', '99h'], /^--shutdown-timeout is "99h"/],
    [['--admin-hosts', 'a:80'], /^--admin-hosts is "a:80"; it must be host names without ports/],
    [['--heartbeat-udp', '27999'], /^--heartbeat-udp is "27999"; it must be an IP address and a port, such as/],
    [['--heartbeat-udp', 'lb.example.com:27999'], /^--heartbeat-udp is "lb.example.com:27999"; it must be/],
    [['--heartbeat-udp', '::1:27999'], /it must be an IP address and a port/],
    [['--heartbeat-udp', '1.2.3:27999'], /it must be an IP address and a port/],
    [['--heartbeat-udp', '0.0.0.0:65536'], /it must be an IP address and a port/],
    [['--heartbeat-udp='], /^--heartbeat-udp is ""; it must be/],
    [['--heartbeat-http', '239.0.0.1:80'], /^--heartbeat-http is "239.0.0.1:80"; it must be an IP address and a port/],
    [['--sessions-port', '70000'], /^--sessions-port is "70000"; it must be a port from 0 to 65535/],
    [['--sessions-port', '8080'], '--http-port and --sessions-port are both on port 8080; they must differ'],
    [['--session-window', '999ms'], '--session-window is "999ms"; it must be a duration from 1s to 24h'],
    [['--heartbeat-http', '[ff02::1]:80'], /it must be an IP address and a port/],
    [['--heartbeat-http', '0.0.0.0:8080'], '--http-port and --heartbeat-http are both on port 8080; they must differ'],
    [
      ['--heartbeat-http', '127.0.0.1:9090'],
      '--admin-port and --heartbeat-http are both on port 9090; they must differ',
    ],
    [['--zone', 'a b'], /^--zone is "a b"; it must be the name of a zone/],
    [['--http-port', '9090'], '--http-port and --admin-port are both 9090; they must differ'],
  ])('%j is refused with a reason', (args, message) => {
    if (typeof message === 'string') expect(refused(...args)).toBe(message);
    else expect(refused(...args)).toMatch(message);
  });

  it('publishes addresses from two places at once', () => {
    expect(refused('--publish-service', 'edge/proxy', '--publish-address', '192.0.2.1')).toBe(
      '--publish-service and --publish-address are both given; addresses come from one of them',
    );
  });

  it.each([
    ['--publish-service', 'proxy'],
    ['--publish-service', 'edge/proxy/x'],
    ['--publish-service', 'Edge/proxy'],
  ])('is no name of an object: %s %s', (flag, text) => {
    expect(refused(flag, text)).toBe(
      `${flag} is "${text}"; it must be a namespace and a name with a slash between, such as evenkeel/evenkeel`,
    );
  });

  it.each(['192.0.2.1:80', 'a b', '-a', Array.from({ length: 17 }, (_, n) => `h${n}`).join()])(
    'is no address to publish: %s',
    (text) => {
      expect(refused('--publish-address', text)).toBe(
        `--publish-address is ${JSON.stringify(text)}; it must be up to 16 IP addresses or host names without ports, separated by commas`,
      );
    },
  );

  it('asks for files and for a cluster at once', () => {
    expect(refused('--kubeconfig', 'admin.conf')).toBe(
      '--config and --kubeconfig are both given; what is served comes from files or from a cluster',
    );
  });

  it('leaves no namespace to read', () => {
    expect(refusal(['--namespaces', 'none'])).toBe('--namespaces is "none"; it must be names of namespaces, or *');
  });

  it('says where a flag belongs', () => {
    expect(refusal(['--http-port', '1', 'a.yaml'], {}, 'check')).toBe(
      '--http-port is not a flag of check; it belongs to serve',
    );
  });
});

describe('help', () => {
  it('names every flag and its default', () => {
    const text = helpText();
    for (const { name, initial } of Object.values(flags)) {
      expect(text).toContain(`--${name}`);
      if (initial !== 'auto') expect(text).toContain(initial);
    }
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('is on a page that is up to date (`node src/commands/help.ts` writes it)', () => {
    const path = new URL('../../docs/reference/command-line.md', import.meta.url);
    expect(readFileSync(path, 'utf8')).toBe(helpPage());
  });

  it('gives each flag a variable of its own', () => {
    const variables = Object.values(flags).map(variableOf);
    expect(new Set(variables).size).toBe(variables.length);
  });
});
