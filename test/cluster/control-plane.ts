// A control plane for tests: an etcd and a kube-apiserver of its own, inside the network namespace that `inside` makes.
// There are no controllers beside it: nothing makes pods or EndpointSlices, nothing empties a namespace that is deleted.
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from './api-client.ts';
import { OwnProcess } from './own-process.ts';

/** The address of the API server. Members take others of 10.77.0.0/16. */
export const apiAddress = '10.77.0.1';

/** Why there can be no control plane here, or null: for `describe.skipIf(absence !== null)`. */
export const absence = findAbsence();

if (absence !== null) console.error(`test/cluster is SKIPPED: ${absence}. NOTHING IS TRIED ON A REAL API SERVER.`);

function findAbsence(): string | null {
  const isInside = networkInterfaces().lo?.some(({ address }) => address.startsWith('10.77.')) ?? false;
  if (isInside && process.env.KUBEBUILDER_ASSETS) return null;
  return process.env.CLUSTER_ABSENCE || 'not started by `make test-cluster` (test/cluster/inside COMMAND)';
}

export interface ControlPlaneOptions {
  /** Further flags of the API server, such as `--watch-cache=false`. */
  readonly apiServerFlags?: readonly string[];
}

interface User {
  /** Default: the administrator's, who may do everything. */
  readonly token?: string;
  /** Default: the API server itself; a FaultProxy's address instead puts it in between. */
  readonly server?: string;
  /** Namespace of the context. Default: `default`. */
  readonly namespace?: string;
}

const ADMIN_TOKEN = 'administrator';
/** Milliseconds until the API server is ready, on a machine that is busy with other things. */
const START_MS = 90_000;

/** Starts one and resolves when it is ready: about five seconds. Ends with the block that holds it. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const [etcdPort, etcdPeerPort, apiPort] = (await freePorts(3)) as [number, number, number];
  const plane = new ControlPlane({ etcdPort, etcdPeerPort, apiPort }, options);
  try {
    await plane.startEtcd();
    await plane.startApiServer();
  } catch (error) {
    await plane[Symbol.asyncDispose]();
    throw error;
  }
  return plane;
}

interface Ports {
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiPort: number;
}

export class ControlPlane implements AsyncDisposable {
  /** Where everything of it is: data, keys, logs, kubeconfigs. */
  readonly folder = mkdtempSync(join(tmpdir(), 'evenkeel-cluster-'));
  readonly #ports: Ports;
  readonly #options: ControlPlaneOptions;
  readonly #programs = process.env.KUBEBUILDER_ASSETS!;
  #etcd: OwnProcess | null = null;
  #apiServer: OwnProcess | null = null;
  #admin: ApiClient | null = null;
  #kubeconfigs = 0;

  constructor(ports: Ports, options: ControlPlaneOptions) {
    this.#ports = ports;
    this.#options = options;
    mkdirSync(this.#path('etcd'), { mode: 0o700 });
    // What the API server signs the tokens of ServiceAccounts with.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(this.#path('accounts.key'), privateKey.export({ format: 'pem', type: 'sec1' }), { mode: 0o600 });
    writeFileSync(this.#path('tokens.csv'), `${ADMIN_TOKEN},admin,admin,system:masters\n`, { mode: 0o600 });
  }

  /** Of the API server: `https://10.77.0.1:PORT`. */
  get server(): string {
    return `https://${apiAddress}:${this.#ports.apiPort}`;
  }

  get apiPort(): number {
    return this.#ports.apiPort;
  }

  /** File with the certificate that signed the API server's: its own, which it makes at its first start. */
  get caPath(): string {
    return this.#path('certificates', 'apiserver.crt');
  }

  /** May do everything. */
  get admin(): ApiClient {
    this.#admin ??= this.clientFor(ADMIN_TOKEN);
    return this.#admin;
  }

  clientFor(token: string): ApiClient {
    return new ApiClient({ server: this.server, ca: readFileSync(this.caPath, 'utf8'), token });
  }

  /** Writes a kubeconfig and returns its path. */
  kubeconfig({ token = ADMIN_TOKEN, server = this.server, namespace = 'default' }: User = {}): string {
    this.#kubeconfigs += 1;
    const path = this.#path(`kubeconfig-${this.#kubeconfigs}`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority': this.caPath } }],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
      'current-context': 'test',
    };
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
    return path;
  }

  async startEtcd(): Promise<void> {
    const url = this.#etcdUrl;
    const peerUrl = `http://127.0.0.1:${this.#ports.etcdPeerPort}`;
    this.#etcd = new OwnProcess({
      name: 'etcd',
      path: join(this.#programs, 'etcd'),
      logPath: this.#path('etcd.log'),
      args: [
        `--data-dir=${this.#path('etcd')}`,
        `--listen-client-urls=${url}`,
        `--advertise-client-urls=${url}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        // Tests survive no power cut.
        '--unsafe-no-fsync',
        '--log-level=warn',
      ],
    });
    await this.#etcd.waitUntil(async () => (await fetch(`${url}/health`)).ok, START_MS);
  }

  async startApiServer(): Promise<void> {
    this.#apiServer = new OwnProcess({
      name: 'kube-apiserver',
      path: join(this.#programs, 'kube-apiserver'),
      logPath: this.#path('kube-apiserver.log'),
      args: [
        `--etcd-servers=${this.#etcdUrl}`,
        `--bind-address=${apiAddress}`,
        `--advertise-address=${apiAddress}`,
        `--secure-port=${this.#ports.apiPort}`,
        `--cert-dir=${this.#path('certificates')}`,
        '--authorization-mode=RBAC',
        `--token-auth-file=${this.#path('tokens.csv')}`,
        `--service-account-signing-key-file=${this.#path('accounts.key')}`,
        `--service-account-key-file=${this.#path('accounts.key')}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        '--service-cluster-ip-range=10.96.0.0/16',
        // One API server that may be killed: nobody keeps the endpoints of the Service `kubernetes`.
        '--endpoint-reconciler-type=none',
        // Else it waits a minute for watches to end, which they do not.
        '--shutdown-watch-termination-grace-period=1s',
        ...(this.#options.apiServerFlags ?? []),
      ],
    });
    await this.#apiServer.waitUntil(() => this.#isReady(), START_MS);
  }

  /** Clients see their connections closed in order (SIGTERM) or broken (SIGKILL). */
  async stopApiServer(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#apiServer?.end(signal);
  }

  async stopEtcd(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#etcd?.end(signal);
  }

  /** Frozen, it keeps its connections and answers nothing. */
  pauseApiServer(): void {
    this.#apiServer?.pause();
  }

  resumeApiServer(): void {
    this.#apiServer?.resume();
  }

  /**
   * Forgets all history in etcd. The API server still answers watches from its cache: only when it has restarted, or runs
   * with `--watch-cache=false`, is a watch from an older version told 410.
   */
  async compactEtcd(): Promise<void> {
    const found = await this.#askEtcd<{ header: { revision: string } }>('/v3/kv/range', { key: 'AA==' });
    await this.#askEtcd('/v3/kv/compaction', { revision: found.header.revision, physical: true });
  }

  /** A new certificate of the API server's, signed by itself, at `caPath`; takes effect by a restart. */
  rotateCertificate(): void {
    rmSync(this.#path('certificates'), { recursive: true, force: true });
  }

  /** What both wrote lately. */
  get log(): string {
    return `kube-apiserver:\n${this.#apiServer?.log ?? ''}\netcd:\n${this.#etcd?.log ?? ''}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#admin?.close();
    // Nothing of it is kept, so nothing need be put in order.
    await this.#apiServer?.end('SIGKILL');
    await this.#etcd?.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #etcdUrl(): string {
    return `http://127.0.0.1:${this.#ports.etcdPort}`;
  }

  #path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  async #isReady(): Promise<boolean> {
    // By a client of its own: the certificate may be new.
    const client = this.clientFor(ADMIN_TOKEN);
    try {
      await client.send('/readyz');
      await client.get({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
      return true;
    } finally {
      client.close();
    }
  }

  async #askEtcd<T>(path: string, body: unknown): Promise<T> {
    const answer = await fetch(this.#etcdUrl + path, { method: 'POST', body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`etcd ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

/** Ports that nobody listens on; in a namespace of our own nobody else takes them meanwhile. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once('error', reject);
      server.listen(0, '0.0.0.0', resolve);
      await promise;
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports;
}
