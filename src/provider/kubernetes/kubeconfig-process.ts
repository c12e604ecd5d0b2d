// A process of its own, for a moment: reads a kubeconfig or the service account of the pod with @kubernetes/client-node, runs
// the command that gives credentials if there is one, and prints what it found as JSON. The only file that
// imports that package: it takes half a second and 80 MB, which a process that lives on would keep.
//
// Arguments: a path, `default` for what $KUBECONFIG lists, or `pod`; and what stands before the paths of a pod's files. A fault is printed as { fault } with a message for people.
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Credentials } from './credentials.ts';

async function read(source: string, root: string): Promise<Credentials> {
  const config = new KubeConfig();
  if (source === 'pod') config.loadFromCluster(root);
  else if (source === 'default') config.loadFromDefault();
  else config.loadFromFile(source);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('it names no cluster as its current one');
  if (!URL.canParse(cluster.server)) {
    throw new Error(`the server of its cluster is ${JSON.stringify(cluster.server)}; it must be a URL`);
  }
  // Without TLS there is nothing to verify, and client-node insists on being told.
  if (!cluster.server.startsWith('https:')) Object.assign(cluster, { skipTLSVerify: true });
  const user = config.getCurrentUser();
  const settings: RequestOptions = {};
  // A proxy is ours to go through, not client-node's.
  const { proxyUrl } = cluster;
  Object.assign(cluster, { proxyUrl: undefined });
  await config.applyToHTTPSOptions(settings as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings.headers ?? {})) headers[name] = String(value).trim();
  if (typeof settings.auth === 'string') headers.Authorization = `Basic ${btoa(settings.auth)}`;
  const provider: unknown = user?.authProvider;
  const tokenFile = (provider as { config?: { tokenFile?: unknown } } | undefined)?.config?.tokenFile;
  const token = typeof tokenFile === 'string' ? tokenFile : null;
  return {
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace?.trim() || null,
    proxyUrl: proxyUrl ?? null,
    headers,
    tls: {
      ca: textOf(settings.ca),
      cert: textOf(settings.cert),
      key: textOf(settings.key),
      passphrase: settings.passphrase ?? null,
      servername: settings.servername ?? null,
      rejectsUnknown: settings.rejectUnauthorized ?? true,
    },
    files: { ca: cluster.caFile ?? null, cert: user?.certFile ?? null, key: user?.keyFile ?? null, token },
    isLasting: user?.exec === undefined && (provider === undefined || provider === null || token !== null),
  };
}

/** Keys and certificates are PEM. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('latin1') : null;
}

try {
  process.stdout.write(JSON.stringify(await read(process.argv[2] ?? 'default', process.argv[3] ?? '')));
} catch (error) {
  process.stdout.write(JSON.stringify({ fault: error instanceof Error ? error.message : String(error) }));
}
