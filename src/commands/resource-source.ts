// Where what users wrote comes from: files with --config, else the cluster. What only a cluster has, its client and the
// namespace we run in, is handed on from here.
import type { Clock } from '../lib/clock.ts';
import type { Timers } from '../lib/hold-off.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { Options } from '../options.ts';
import { createFileProvider } from '../provider/file/file-provider.ts';
import type { ApiClient } from '../provider/kubernetes/api-client.ts';
import type { KubernetesProvider, KubernetesProviderOptions } from '../provider/kubernetes/kubernetes-provider.ts';
import type { Provider } from '../provider/provider.ts';
import { isServed } from '../translate/balancer-entry.ts';
import { UserError, usageError } from './user-error.ts';

/** What there is besides the provider when a cluster is served from. */
export interface Cluster {
  readonly client: ApiClient;
  readonly provider: KubernetesProvider;
  /** The namespace that we run in, or that the kubeconfig names; null: neither is known. */
  readonly namespace: string | null;
}

export interface ResourceSource {
  readonly provider: Provider;
  /** Null: files are read. */
  readonly cluster: Cluster | null;
}

interface Machine {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** `hostRecordOf`: see the provider of a cluster. Talks to nobody yet. Rejects with UserError where there is neither a path nor a cluster. */
export async function openResourceSource(
  options: Options,
  machine: Machine,
  hostRecordOf: NonNullable<KubernetesProviderOptions['hostRecordOf']>,
): Promise<ResourceSource> {
  if (options.configPaths.length > 0) {
    return { provider: createFileProvider({ paths: options.configPaths }), cluster: null };
  }
  // Loaded only now: whoever serves files does without it, and it is large.
  const { findCluster, NoClusterError } = await import('../provider/kubernetes/cluster-access.ts');
  const { createApiClient } = await import('../provider/kubernetes/api-client.ts');
  const { createKubernetesProvider } = await import('../provider/kubernetes/kubernetes-provider.ts');
  const identity = { kubeconfig: options.kubeconfig, env: process.env, clock: machine.clock };
  const access = await findCluster(identity).catch((error: unknown) => {
    if (error instanceof NoClusterError) throw usageError(error.message);
    throw new UserError(error instanceof Error ? error.message : String(error));
  });
  const client = createApiClient(access);
  const provider = createKubernetesProvider({
    ...machine,
    client,
    namespaces: options.namespaces === 'all' ? null : [...options.namespaces],
    isOurs: (balancer) => isServed(balancer, options),
    hostRecordOf,
    readsPods: options.readsPods,
  });
  machine.log.info({ server: access.server, namespace: client.namespace }, 'serving from a cluster');
  return { provider, cluster: { client, provider, namespace: client.namespace } };
}
