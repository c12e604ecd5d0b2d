// A real httpd, started from a configuration of the test's own in a folder of its own: event MPM, one child process,
// since counters are exact with one only. Its error log tells each election.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../helpers/patience.ts';

/** Where an httpd is on this machine. */
export interface ApacheHome {
  readonly binary: string;
  readonly modules: string;
  /** Such as `Apache/2.4.71 (Debian)`. */
  readonly version: string;
}

const binaries = [
  '/usr/sbin/apache2',
  '/usr/sbin/httpd',
  '/usr/local/apache2/bin/httpd',
  '/opt/homebrew/opt/httpd/bin/httpd',
];
const moduleFolders = [
  '/usr/lib/apache2/modules',
  '/usr/lib64/httpd/modules',
  '/usr/local/apache2/modules',
  '/opt/homebrew/opt/httpd/lib/httpd/modules',
];

/** The httpd of this machine, or null. */
export function findApache(): ApacheHome | null {
  const binary = binaries.find((path) => existsSync(path));
  const modules = moduleFolders.find((path) => existsSync(join(path, 'mod_proxy_balancer.so')));
  if (binary === undefined || modules === undefined) return null;
  const version = /Server version: (.*)/.exec(execFileSync(binary, ['-v'], { encoding: 'utf8' }))?.[1] ?? '';
  return { binary, modules, version };
}

const names = [
  'mpm_event',
  'unixd',
  'authz_core',
  'log_config',
  'proxy',
  'proxy_http',
  'proxy_balancer',
  'slotmem_shm',
  'lbmethod_byrequests',
  'lbmethod_bytraffic',
  'lbmethod_bybusyness',
];

function head(home: ApacheHome, folder: string, port: number): string {
  // Debian has some of them built in.
  const there = names.filter((name) => existsSync(join(home.modules, `mod_${name}.so`)));
  return [
    ...there.map((name) => `LoadModule ${name}_module ${join(home.modules, `mod_${name}.so`)}`),
    `ServerRoot ${folder}`,
    `DefaultRuntimeDir ${folder}`,
    `DocumentRoot ${folder}`,
    'PidFile httpd.pid',
    `Mutex file:${folder}`,
    ...(process.getuid?.() === 0 ? ['User #65534', 'Group #65534'] : []),
    `Listen 127.0.0.1:${port}`,
    'ServerName localhost',
    'ServerLimit 1',
    'StartServers 1',
    'ThreadLimit 256',
    'ThreadsPerChild 256',
    'MaxRequestWorkers 256',
    'MaxKeepAliveRequests 0',
    'KeepAliveTimeout 120',
    'ProxyPreserveHost On',
    `ErrorLog ${join(folder, 'error.log')}`,
    'ErrorLogFormat "%M"',
    'LogLevel warn proxy_balancer:debug',
    '',
  ].join('\n');
}

export class Apache implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #killAtExit = (): void => void this.#child.kill('SIGKILL');

  /** Starts it with these virtual hosts and waits until it answers. */
  static async start(home: ApacheHome, hosts: string): Promise<Apache> {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-httpd-'));
    chmodSync(folder, 0o755);
    const port = await freePort();
    const path = join(folder, 'httpd.conf');
    writeFileSync(path, head(home, folder, port) + hosts.replaceAll('@PORT@', String(port)));
    const apache = new Apache(home, folder, path, port);
    try {
      await apache.#answers();
    } catch (error) {
      await apache[Symbol.asyncDispose]();
      throw error;
    }
    return apache;
  }

  private constructor(home: ApacheHome, folder: string, path: string, port: number) {
    this.port = port;
    this.#folder = folder;
    this.#child = spawn(home.binary, ['-f', path, '-DFOREGROUND'], { stdio: ['ignore', 'inherit', 'inherit'] });
    process.once('exit', this.#killAtExit);
  }

  get log(): string {
    return readFileSync(join(this.#folder, 'error.log'), 'utf8');
  }

  async #answers(): Promise<void> {
    await eventually(async () => {
      if (this.#child.exitCode !== null) throw new Error(`httpd ended with ${this.#child.exitCode}:\n${this.log}`);
      await fetch(`http://127.0.0.1:${this.port}/barrier`);
    }, 20_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      await ended;
    }
    process.off('exit', this.#killAtExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
