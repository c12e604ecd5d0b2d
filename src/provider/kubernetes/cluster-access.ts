// Where the API server is and how to be let in: tokens and certificates as they are now, and connections that are shared and
// kept as long as those do not change.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { type Credentials, readCredentials } from './credentials.ts';

/** What one request needs. */
export interface OpenAccess {
  readonly server: URL;
  readonly agent: http.Agent;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ClusterAccess {
  /** Where the server is, for messages. */
  readonly server: string;
  /** The namespace of the credentials: a pod's own, or that of the kubeconfig's context. Null: none is said. */
  readonly namespace: string | null;
  /** Credentials as of now. Rejects when a file is missing or a command fails. */
  open(): Promise<OpenAccess>;
  /** The server refused the credentials: read everything anew. False when that was done a moment ago. */
  renew(): boolean;
  /** Something failed on the way to the server: closes connections that wait for use, and has files read before the next one. */
  dropIdle(): void;
  /** Closes all connections. */
  close(): void;
}

/** Nothing says where a cluster is. */
export class NoClusterError extends Error {}

/** Files are read again after this long: far below the life of tokens, far above the rate of requests. */
const freshMs = 10_000;
/** What a command gave is asked for again after this long. */
const lastingMs = 5 * 60_000;
/** A kubeconfig that the server refuses is read again no more often than this: each time costs a process. */
const readAgainMs = 60_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Finds the cluster: the kubeconfig named, else those of $KUBECONFIG, else the pod's own service account, else
 * ~/.kube/config. Rejects with a message for people when there is none (NoClusterError) or it cannot be read.
 */
export async function findCluster(options: {
  readonly kubeconfig: string | null;
  readonly env: Environment;
  readonly clock: Clock;
  /** Folder that stands for `/` where the files of a pod's service account are looked for. Default: `/` itself. */
  readonly root?: string;
}): Promise<ClusterAccess> {
  const { clock, env, root = '' } = options;
  const source = options.kubeconfig ?? findSource(env, root);
  const read = (): Promise<Credentials> => readCredentials(source, env, root);
  const first = await read();
  let known = { credentials: first, atMs: clock.nowMs() };
  let mustRead = false;
  let granted: { readonly access: OpenAccess; readonly atMs: number } | null = null;
  let opening: Promise<OpenAccess> | null = null;
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let kept: { readonly key: string; readonly agent: http.Agent } | null = null;

  const takeAgent = (server: URL, proxyUrl: string | null, settings: https.AgentOptions): http.Agent => {
    const key = createHash('sha256')
      .update(JSON.stringify([server.origin, proxyUrl, settings]))
      .digest('hex');
    if (kept?.key === key) return kept.agent;
    if (kept !== null) retire(kept.agent);
    const proxyEnv = proxyUrl === null ? {} : { proxyEnv: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl } };
    const common: http.AgentOptions = { keepAlive: true, keepAliveMsecs: 15_000, scheduling: 'lifo', ...proxyEnv };
    const agent = server.protocol === 'https:' ? new https.Agent({ ...settings, ...common }) : new http.Agent(common);
    kept = { key, agent };
    return agent;
  };

  const ask = async (): Promise<OpenAccess> => {
    const nowMs = clock.nowMs();
    if (mustRead || (!known.credentials.isLasting && nowMs - known.atMs >= lastingMs)) {
      // Whatever stands in the way, such as a kubeconfig that is half-written: what worked until now is tried on.
      const credentials = await read().catch(() => known.credentials);
      known = { credentials, atMs: nowMs };
      mustRead = false;
    }
    const { credentials } = known;
    const { files, tls, proxyUrl } = credentials;
    const [ca, cert, key, token] = await Promise.all([
      readOr(files.ca, tls.ca),
      readOr(files.cert, tls.cert),
      readOr(files.key, tls.key),
      readOr(files.token, null),
    ]);
    const given = { ca, cert, key, passphrase: tls.passphrase, servername: tls.servername };
    const settings: https.AgentOptions = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== null),
    );
    if (!tls.rejectsUnknown) settings.rejectUnauthorized = false;
    const server = new URL(credentials.server);
    const headers =
      token === null ? credentials.headers : { ...credentials.headers, Authorization: `Bearer ${token.trim()}` };
    return { server, agent: takeAgent(server, proxyUrl, settings), headers };
  };

  return {
    server: first.server,
    namespace: first.namespace,
    async open() {
      const nowMs = clock.nowMs();
      if (granted !== null && nowMs - granted.atMs < freshMs) return granted.access;
      opening ??= ask().finally(() => {
        opening = null;
      });
      const access = await opening;
      granted = { access, atMs: nowMs };
      return access;
    },
    renew() {
      const nowMs = clock.nowMs();
      if (nowMs - renewedAtMs < freshMs) return false;
      renewedAtMs = nowMs;
      granted = null;
      // A pod's account is nothing but files, which are read anyway.
      mustRead = source !== 'pod' && nowMs - known.atMs >= readAgainMs;
      return true;
    },
    dropIdle() {
      // Another certificate may be what was missing.
      granted = null;
      if (kept !== null) destroyFree(kept.agent);
    },
    close() {
      kept?.agent.destroy();
    },
  };
}

/** A file that is being replaced may be missing for a moment; then what it said before has to do. */
async function readOr(path: string | null, otherwise: string | null): Promise<string | null> {
  if (path === null) return otherwise;
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (otherwise !== null) return otherwise;
    throw error;
  }
}

/** Requests under way finish on the old agent; its connections are not used again. */
function retire(agent: http.Agent): void {
  destroyFree(agent);
  agent.on('free', (socket: { destroy(): void }) => socket.destroy());
}

function destroyFree(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** What to read where the user named nothing: what $KUBECONFIG lists, the pod's own account, or the file in the home. */
function findSource(env: Environment, root: string): string {
  if ((env.KUBECONFIG ?? '') !== '') return 'default';
  if ((env.KUBERNETES_SERVICE_HOST ?? '') !== '' && existsSync(`${root}${tokenPath}`)) return 'pod';
  const path = join(env.HOME ?? homedir(), '.kube', 'config');
  if (existsSync(path)) return path;
  throw new NoClusterError(
    'there is nothing to serve from: no --config PATH is given, and no cluster is found (no --kubeconfig, no KUBECONFIG, not in a pod, no ~/.kube/config)',
  );
}
